#include "commands/cli/count_text.h"

#include <cstddef>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::size_t max_ranges = 24;

} // namespace

std::string id_ranges(std::span<const std::uint64_t> ids) {
  std::string text;
  std::size_t ranges = 0;
  for (std::size_t i = 0; i < ids.size();) {
    std::size_t last = i;
    while (last + 1 < ids.size() && ids[last + 1] == ids[last] + 1)
      ++last;
    if (ranges++ == max_ranges)
      return text + fmt::format(" … and {} more", with_thousands(ids.size() - i));
    text += last == i ? fmt::format(" {}", ids[i]) : fmt::format(" {}-{}", ids[i], ids[last]);
    i = last + 1;
  }
  return text;
}

} // namespace inspect
