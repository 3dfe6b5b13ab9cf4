#include "inspector/stacks/report_frame.h"

#include <fmt/format.h>

namespace inspect {

std::string_view TextPool::intern(std::string_view text) {
  if (text.empty())
    return {};
  return *texts_.emplace(text).first;
}

LinePlace place_of_line(std::span<const ReportFrame> frames, std::size_t index) {
  const auto is_of_line = [&](const ReportFrame &frame) {
    return frame.physical == frames[index].physical && (!frame.tail_call || frame.pc == frames[index].pc);
  };
  LinePlace place{.physical = frames[index].physical};
  std::size_t first = index;
  while (first > 0 && is_of_line(frames[first - 1]))
    --first;
  place.inlined = index - first;
  if (frames[index].tail_call)
    for (std::size_t i = first; i-- > 0 && place.physical == no_physical_frame;)
      place.physical = frames[i].physical;
  return place;
}

Error without_frame(const ReportFrame &frame) {
  return {ErrorKind::not_found,
          fmt::format("{} has no frame any more: it left for the function that it called by a tail call",
                      frame.function.empty() ? "this function" : frame.function),
          "up and down lead to its neighbours, which have one"};
}

} // namespace inspect
