// The arguments of native frames in dumps, "(request=0x7ff…, n=5)", and the locals below a frame. Of threads with the
// same stack a few are decoded: what differs among them is `*`.
//
//     ThreadVariables variables(report, options);
//     variables.arguments(group.members, 2);      // what follows the function's name
//     variables.write_notes(output);              // at the end: what was left out, and when it was read
#pragma once

#include "commands/cli/output.h"
#include "commands/stacks/stack_writers.h"
#include "inspector/stacks/dump_variables.h"

#include <cstddef>
#include <span>
#include <string>

namespace inspect {

constexpr std::size_t max_decoded_threads = 4; ///< of a group

class ThreadVariables {
public:
  /// Both must outlive the object.
  ThreadVariables(const ProcessReport &report, const StackWriterOptions &options)
      : report_(report), options_(options) {}

  /// `members` are indices into ProcessReport::threads, of one stack. In parentheses, and escaped; empty where there is
  /// nothing to say.
  std::string arguments(std::span<const std::uint32_t> members, std::size_t frame);
  /// Lines, each with its end; empty unless locals are wanted.
  std::string locals(const Output &output, const ThreadReport &thread, std::size_t frame);
  std::string locals(const Output &output, const GoroutineReport &goroutine, std::size_t frame);
  void write_notes(Output &output) const;

private:
  bool wants_values() const { return options_.arguments == ArgumentDetail::values && report_.values != nullptr; }

  const ProcessReport &report_;
  const StackWriterOptions &options_;
  bool any_ = false;
  bool folded_ = false;
};

} // namespace inspect
