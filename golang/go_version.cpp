#include "golang/go_version.h"

#include <charconv>

namespace inspect {

std::optional<GoVersion> parse_go_version(std::string_view text) {
  const std::size_t start = text.find("go");
  if (start == std::string_view::npos)
    return std::nullopt;
  const char *const end = text.data() + text.size();
  GoVersion version;
  const auto major = std::from_chars(text.data() + start + 2, end, version.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.')
    return std::nullopt;
  if (std::from_chars(major.ptr + 1, end, version.minor).ec != std::errc())
    return std::nullopt;
  return version;
}

int go_patch_release(std::string_view text) {
  const std::size_t start = text.find("go");
  const std::size_t minor = text.find('.', start);
  const std::size_t patch = text.find_first_not_of("0123456789", minor + 1);
  int number = 0;
  if (start == std::string_view::npos || minor == std::string_view::npos || patch == std::string_view::npos ||
      text[patch] != '.')
    return 0;
  std::from_chars(text.data() + patch + 1, text.data() + text.size(), number);
  return number;
}

} // namespace inspect
