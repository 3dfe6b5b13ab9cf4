#include "commands/count_text.h"

#include <cstddef>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::size_t most_ranges = 24;

} // namespace

std::string with_thousands(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string counted(std::uint64_t number, std::string_view what) {
  return fmt::format("{} {}{}", with_thousands(number), what, number == 1 ? "" : "s");
}

std::string id_ranges(std::span<const std::uint64_t> ids) {
  std::string text;
  std::size_t ranges = 0;
  for (std::size_t i = 0; i < ids.size();) {
    std::size_t last = i;
    while (last + 1 < ids.size() && ids[last + 1] == ids[last] + 1)
      ++last;
    if (ranges++ == most_ranges)
      return text + fmt::format(" … and {} more", with_thousands(ids.size() - i));
    text += last == i ? fmt::format(" {}", ids[i]) : fmt::format(" {}-{}", ids[i], ids[last]);
    i = last + 1;
  }
  return text;
}

} // namespace inspect
