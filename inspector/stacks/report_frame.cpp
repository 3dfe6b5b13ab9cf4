#include "inspector/stacks/report_frame.h"

#include <fmt/format.h>

namespace inspect {

std::string_view TextPool::intern(std::string_view text) {
  if (text.empty())
    return {};
  return *texts_.emplace(text).first;
}

Error without_frame(const ReportFrame &frame) {
  return {ErrorKind::not_found,
          fmt::format("{} has no frame any more: it left for the function that it called by a tail call",
                      frame.function.empty() ? "this function" : frame.function),
          "up and down lead to its neighbours, which have one"};
}

} // namespace inspect
