#include "inspector/stacks/report_frame.h"

namespace inspect {

std::string_view TextPool::intern(std::string_view text) {
  if (text.empty())
    return {};
  return *texts_.emplace(text).first;
}

} // namespace inspect
