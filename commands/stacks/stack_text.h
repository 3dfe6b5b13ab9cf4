// The lines of one stack, for eyes: numbered frames, recursion folded, and why the stack ends early.
#pragma once

#include "commands/cli/output.h"
#include "inspector/stacks/report_frame.h"

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace inspect {

/// Of a thread or a goroutine.
struct StackView {
  std::span<const ReportFrame> frames;
  StackEnd end = StackEnd::complete;
  std::string_view end_reason;
};

struct StackTextOptions {
  std::size_t depth = 0; ///< at most so many lines; 0: all
  bool with_addresses = false;
  /// Leave out what the Go runtime's traceback leaves out, unless nothing else is there. Numbers stay as they are.
  bool without_hidden = false;
  std::function<std::string(std::size_t frame)> arguments = {}; ///< what follows the function's name; may be empty
  std::function<std::string(std::size_t frame)> below = {};     ///< lines that follow the frame's; may be empty
};

void write_stack(Output &output, const StackView &stack, const StackTextOptions &options);

} // namespace inspect
