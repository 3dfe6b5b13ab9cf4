#include "inspector/stacks/program_frame.h"

#include "golang/traceback/traceback_rules.h"

#include <algorithm>

namespace inspect {

std::optional<std::size_t> program_frame(const GoroutineStack &stack) {
  const auto own = std::ranges::find_if(stack.frames, [](const ReportFrame &frame) {
    return frame.go && !frame.hidden_in_traceback && !is_standard_library(frame.function);
  });
  if (own == stack.frames.end())
    return start_frame(stack);
  return static_cast<std::size_t>(own - stack.frames.begin());
}

std::optional<std::size_t> start_frame(const GoroutineStack &stack) {
  for (std::size_t i = stack.frames.size(); i-- > 0;)
    if (!stack.frames[i].function.starts_with("runtime.goexit"))
      return i;
  return stack.frames.empty() ? std::nullopt : std::optional<std::size_t>(0);
}

} // namespace inspect
