// The lines of one stack, human-readable: numbered frames, recursion folded, and why the stack ends early.
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

/// A recursion: `period` frames, `count` times in all.
struct Repetition {
  std::size_t period = 1;
  std::size_t count = 1;
};

/// The one that begins at `start`, of frames that are alike where frame_identity says so; count 1 where there is none,
/// or too short a one to be left out. `frame` gives the frame of an index.
template <typename FrameAt> Repetition repetition_at(std::size_t frames, std::size_t start, const FrameAt &frame) {
  constexpr std::size_t max_period = 8;
  constexpr std::size_t least_repeats = 3; // shown in full below that
  Repetition best;
  for (std::size_t period = 1; period <= max_period; ++period) {
    std::size_t end = start + period;
    while (end < frames && frame_identity(frame(end)) == frame_identity(frame(end - period)))
      ++end;
    const std::size_t count = (end - start) / period;
    if (count > least_repeats && count * period > best.count * best.period)
      best = {period, count};
  }
  return best;
}

/// The line that stands for what is left out; `last` is the number of the last frame of it.
void write_repetition(Output &output, const Repetition &repetition, std::size_t last, bool other_arguments);

void write_stack(Output &output, const StackView &stack, const StackTextOptions &options);

} // namespace inspect
