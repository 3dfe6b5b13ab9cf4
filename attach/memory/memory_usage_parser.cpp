#include "attach/memory/memory_usage_parser.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <limits>

namespace inspect {
namespace {

/// A line is a path, with up to four bytes for one, and a few numbers.
constexpr std::size_t max_line_length = 65'536;
/// vm.max_map_count is 65,530 unless somebody raised it; desktops and search engines go up to a million.
constexpr std::size_t max_mappings = 8'000'000;

struct KnownField {
  std::string_view name;
  std::uint64_t MemoryAmounts::*amount; ///< null: nobody asks for it
};

/// In the order of Linux 6.12. A field that is missing in an older kernel costs one search for the one behind it.
constexpr std::array known_fields = {
    KnownField{"Size", nullptr}, // the length of the mapping, which is known
    KnownField{"KernelPageSize", nullptr},
    KnownField{"MMUPageSize", nullptr},
    KnownField{"Rss", &MemoryAmounts::resident},
    KnownField{"Pss", &MemoryAmounts::proportional},
    KnownField{"Pss_Dirty", nullptr},
    KnownField{"Shared_Clean", &MemoryAmounts::shared_clean},
    KnownField{"Shared_Dirty", &MemoryAmounts::shared_dirty},
    KnownField{"Private_Clean", &MemoryAmounts::private_clean},
    KnownField{"Private_Dirty", &MemoryAmounts::private_dirty},
    KnownField{"Referenced", &MemoryAmounts::referenced},
    KnownField{"Anonymous", &MemoryAmounts::anonymous},
    KnownField{"KSM", nullptr},
    KnownField{"LazyFree", &MemoryAmounts::lazily_freed},
    KnownField{"AnonHugePages", &MemoryAmounts::huge},
    KnownField{"ShmemPmdMapped", &MemoryAmounts::huge},
    KnownField{"FilePmdMapped", &MemoryAmounts::huge},
    KnownField{"Shared_Hugetlb", &MemoryAmounts::hugetlb},
    KnownField{"Private_Hugetlb", &MemoryAmounts::hugetlb},
    KnownField{"Swap", &MemoryAmounts::swapped},
    KnownField{"SwapPss", &MemoryAmounts::swapped_proportional},
    KnownField{"Locked", &MemoryAmounts::locked},
    KnownField{"THPeligible", nullptr},
    KnownField{"ProtectionKey", nullptr},
    KnownField{"VmFlags", nullptr},
};
constexpr std::size_t flags_field = known_fields.size() - 1;

bool has_name(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':' &&
         std::memcmp(line.data(), name.data(), name.size()) == 0;
}

/// The number in "   12345 kB", in bytes; false where it is none.
bool read_kilobytes(std::string_view text, std::uint64_t &bytes) {
  constexpr std::uint64_t max_kilobytes = std::numeric_limits<std::uint64_t>::max() / 1024;
  const char *at = text.data();
  const char *const end = at + text.size();
  while (at != end && (*at == ' ' || *at == '\t'))
    ++at;
  const char *const digits = at;
  std::uint64_t value = 0;
  for (; at != end && *at >= '0' && *at <= '9'; ++at) {
    value = value * 10 + static_cast<unsigned>(*at - '0');
    if (value > max_kilobytes) // before the next digit could overflow it
      return false;
  }
  bytes = value * 1024;
  return at != digits && std::string_view(at, static_cast<std::size_t>(end - at)) == " kB";
}

/// Whether "rd wr mr gd" holds a flag of two letters.
bool has_flag(std::string_view flags, std::string_view wanted) {
  for (auto place = flags.find(wanted); place != std::string_view::npos; place = flags.find(wanted, place + 1)) {
    const auto after = place + wanted.size();
    if (place > 0 && flags[place - 1] == ' ' && (after == flags.size() || flags[after] == ' '))
      return true;
  }
  return false;
}

} // namespace

bool is_counted(const Mapping &mapping) {
  return mapping.path != "[vsyscall]" || mapping.inode != 0;
}

void remove_overlaps(std::vector<MappingUsage> &mappings) {
  const auto begin_of = [](const MappingUsage &usage) { return usage.mapping.range.begin; };
  if (!std::ranges::is_sorted(mappings, {}, begin_of))
    std::ranges::stable_sort(mappings, {}, begin_of);
  RunAddress free_from;
  std::erase_if(mappings, [&](const MappingUsage &usage) {
    const RunRange &range = usage.mapping.range;
    if (range.begin < free_from || range.size() == 0)
      return true;
    free_from = range.end;
    return false;
  });
}

bool MemoryUsageParser::fail(std::string_view text, std::string_view why) {
  constexpr std::size_t shown = 200;
  failure_ = fmt::format("{}: \"{}\"", why, text.substr(0, shown));
  return false;
}

bool MemoryUsageParser::field(std::string_view text) {
  if (mappings_.empty())
    return fail(text, "a field of smaps stands before the first mapping");
  std::size_t which = expected_;
  if (which >= known_fields.size() || !has_name(text, known_fields[which].name)) {
    which = 0;
    while (which < known_fields.size() && !has_name(text, known_fields[which].name))
      ++which;
    if (which == known_fields.size())
      return true; // of a newer kernel
  }
  expected_ = which + 1;
  const std::string_view value = text.substr(known_fields[which].name.size() + 1);
  if (which == flags_field)
    mappings_.back().grows_down = has_flag(value, "gd");
  const auto amount = known_fields[which].amount;
  if (amount == nullptr)
    return true;
  std::uint64_t bytes = 0;
  if (!read_kilobytes(value, bytes))
    return fail(text, "a field of smaps is not a number of kilobytes");
  mappings_.back().amounts.*amount += bytes;
  return true;
}

bool MemoryUsageParser::line(std::string_view text) {
  if (text.empty())
    return true;
  const char first = text.front();
  if (first >= 'A' && first <= 'Z') // addresses are written in small letters
    return field(text);
  if (mappings_.size() == max_mappings)
    return fail(text, fmt::format("smaps holds more than {} mappings", max_mappings));
  // Whoever has many may have as many as the kernel allows. Room that is not used costs no memory; growing by and by
  // costs as much time as reading the fields.
  constexpr std::size_t many = 1'000;
  constexpr std::size_t usual_limit = 66'000; // vm.max_map_count and what the kernel adds
  if (mappings_.size() == many)
    mappings_.reserve(usual_limit);
  MappingUsage &usage = mappings_.emplace_back();
  if (!parse_mapping_line(text, usage.mapping))
    return fail(text, "a line of smaps is malformed");
  usage.amounts.reserved = usage.mapping.range.size();
  usage.counted = is_counted(usage.mapping);
  expected_ = 0;
  return true;
}

bool MemoryUsageParser::take(std::string_view piece) {
  if (!failure_.empty())
    return false;
  if (!unfinished_.empty()) {
    const auto end = piece.find('\n');
    unfinished_ += piece.substr(0, end);
    if (unfinished_.size() > max_line_length)
      return fail(unfinished_, "a line of smaps does not end");
    if (end == std::string_view::npos)
      return true;
    if (!line(unfinished_))
      return false;
    unfinished_.clear();
    piece.remove_prefix(end + 1);
  }
  for (auto end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
    if (!line(piece.substr(0, end)))
      return false;
    piece.remove_prefix(end + 1);
  }
  unfinished_ = piece;
  if (unfinished_.size() > max_line_length)
    return fail(unfinished_, "a line of smaps does not end");
  return true;
}

Result<std::vector<MappingUsage>> MemoryUsageParser::finish() {
  if (failure_.empty() && !unfinished_.empty())
    line(unfinished_);
  unfinished_.clear();
  if (!failure_.empty())
    return std::unexpected(Error(ErrorKind::corrupt, failure_));
  remove_overlaps(mappings_);
  return std::move(mappings_);
}

} // namespace inspect
