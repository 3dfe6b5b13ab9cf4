#include "attach/procfs/memory_status.h"

#include "attach/procfs/process_list.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <limits>

namespace inspect {
namespace {

struct Figure {
  std::string_view name;
  std::optional<std::uint64_t> MemoryStatus::*place;
};

constexpr std::array figures = {
    Figure{"VmPeak", &MemoryStatus::virtual_peak},
    Figure{"VmSize", &MemoryStatus::virtual_size},
    Figure{"VmLck", &MemoryStatus::locked},
    Figure{"VmPin", &MemoryStatus::pinned},
    Figure{"VmHWM", &MemoryStatus::resident_peak},
    Figure{"VmRSS", &MemoryStatus::resident},
    Figure{"RssAnon", &MemoryStatus::resident_anonymous},
    Figure{"RssFile", &MemoryStatus::resident_file},
    Figure{"RssShmem", &MemoryStatus::resident_shared},
    Figure{"VmPTE", &MemoryStatus::page_tables},
    Figure{"VmSwap", &MemoryStatus::swapped},
    Figure{"HugetlbPages", &MemoryStatus::hugetlb},
};

/// "\t    1234 kB", in bytes.
std::optional<std::uint64_t> kilobytes(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos)
    return std::nullopt;
  std::uint64_t value = 0;
  const char *const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + begin, end, value);
  if (error != std::errc() || std::string_view(stop, static_cast<std::size_t>(end - stop)) != " kB" ||
      value > std::numeric_limits<std::uint64_t>::max() / 1024)
    return std::nullopt;
  return value * 1024;
}

} // namespace

Result<MemoryStatus> parse_memory_status(std::string_view status) {
  MemoryStatus found;
  while (!status.empty()) {
    const std::string_view line = status.substr(0, status.find('\n'));
    status.remove_prefix(std::min(line.size() + 1, status.size()));
    const auto colon = line.find(':');
    const auto *const figure = std::ranges::find(figures, line.substr(0, colon), &Figure::name);
    if (colon == std::string_view::npos || figure == figures.end())
      continue;
    found.*figure->place = kilobytes(line.substr(colon + 1));
    if (!(found.*figure->place))
      return std::unexpected(
          Error(ErrorKind::corrupt, fmt::format("a line of a status file makes no sense: \"{}\"", line)));
  }
  return found;
}

Result<MemoryStatus> read_memory_status(pid_t process) {
  const auto text = read_living_file(process, "status");
  if (!text)
    return std::unexpected(text.error());
  auto status = parse_memory_status(*text);
  if (!status)
    return std::unexpected(status.error().while_doing(fmt::format("reading the status of process {}", process)));
  return status;
}

} // namespace inspect
