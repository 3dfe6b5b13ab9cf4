#include "attach/procfs/memory_map.h"

#include "attach/procfs/proc_file.h"
#include "attach/procfs/proc_text.h"
#include "attach/procfs/process_list.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/sysmacros.h>

namespace inspect {
namespace {

/// Reads one line's fields; 65,000 lines must be quick, hence no library number parsing.
class LineReader {
public:
  explicit LineReader(std::string_view line) : at_(line.data()), end_(line.data() + line.size()) {}

  std::uint64_t number(unsigned base) {
    std::uint64_t value = 0;
    const char *begin = at_;
    for (; at_ != end_; ++at_) {
      const unsigned digit = digit_of(*at_);
      if (digit >= base)
        break;
      value = value * base + digit;
    }
    constexpr int max_digits = 20; // of a 64-bit number in base 10
    good_ = good_ && at_ != begin && at_ - begin <= max_digits;
    return value;
  }
  void expect(char wanted) {
    good_ = good_ && at_ != end_ && *at_ == wanted;
    if (good_)
      ++at_;
  }
  char letter() {
    good_ = good_ && at_ != end_;
    return good_ ? *at_++ : '\0';
  }
  std::string_view rest_after_blanks() {
    while (at_ != end_ && *at_ == ' ')
      ++at_;
    return {at_, static_cast<std::size_t>(end_ - at_)};
  }
  bool good() const { return good_; }

private:
  static unsigned digit_of(char c) {
    if (c >= '0' && c <= '9')
      return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f')
      return static_cast<unsigned>(c - 'a' + 10);
    return 99;
  }
  const char *at_;
  const char *end_;
  bool good_ = true;
};

/// The kernel escapes newlines, and nothing else, in these paths (fs/proc/task_mmu.c: seq_path with "\n"), so that
/// any other backslash stands for itself.
std::string unescape(std::string_view text) {
  constexpr std::string_view escape = "\\012";
  std::string path;
  for (;;) {
    const auto place = text.find(escape);
    path += text.substr(0, place);
    if (place == std::string_view::npos)
      return path;
    path += '\n';
    text.remove_prefix(place + escape.size());
  }
}

void set_path(Mapping &mapping, std::string_view text) {
  mapping.deleted = take_deleted_mark(text);
  if (text.find('\\') == std::string_view::npos)
    mapping.path = text;
  else
    mapping.path = unescape(text);
}

} // namespace

bool parse_mapping_line(std::string_view line, Mapping &mapping) {
  LineReader reader(line);
  mapping.range.begin.value = reader.number(16);
  reader.expect('-');
  mapping.range.end.value = reader.number(16);
  reader.expect(' ');
  mapping.readable = reader.letter() == 'r';
  mapping.writable = reader.letter() == 'w';
  mapping.executable = reader.letter() == 'x';
  mapping.shared = reader.letter() == 's';
  reader.expect(' ');
  mapping.offset.value = reader.number(16);
  reader.expect(' ');
  const auto device_major = static_cast<unsigned>(reader.number(16));
  reader.expect(':');
  const auto device_minor = static_cast<unsigned>(reader.number(16));
  mapping.device = makedev(device_major, device_minor);
  reader.expect(' ');
  mapping.inode = reader.number(10);
  if (!reader.good() || mapping.range.end < mapping.range.begin)
    return false;
  set_path(mapping, reader.rest_after_blanks());
  return true;
}

Result<std::vector<Mapping>> parse_memory_map(std::string_view text) {
  std::vector<Mapping> mappings;
  mappings.reserve(static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1);
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.empty())
      continue;
    if (!parse_mapping_line(line, mappings.emplace_back()))
      return std::unexpected(
          Error(ErrorKind::corrupt, fmt::format("a line of a memory map is malformed: \"{}\"", line)));
  }
  // The text comes in several reads, between which mappings may change: a line may repeat or overlap the one before.
  const auto begin_of = [](const Mapping &mapping) { return mapping.range.begin; };
  if (!std::ranges::is_sorted(mappings, {}, begin_of)) // sorting moves them all, even where they are in order
    std::ranges::stable_sort(mappings, {}, begin_of);
  const auto repeated = std::ranges::unique(
      mappings, [](const Mapping &left, const Mapping &right) { return left.range.begin == right.range.begin; });
  mappings.erase(repeated.begin(), repeated.end());
  return mappings;
}

namespace {

Result<std::vector<Mapping>> read_memory_map_once(pid_t process) {
  const auto directory = living_directory(process);
  if (!directory)
    return std::unexpected(directory.error());
  const std::string path = *directory + "maps";
  const auto text = read_proc_file(process, path);
  if (!text)
    return std::unexpected(text.error());
  auto mappings = parse_memory_map(*text);
  if (!mappings)
    return std::unexpected(mappings.error().while_doing(fmt::format("reading {}", path)));
  return mappings;
}

} // namespace

Result<std::vector<Mapping>> read_memory_map(pid_t process) {
  // During an execve a living thread changes its id, and for a moment has no mappings; a second look then finds them.
  constexpr int attempts = 5;
  auto maps = read_memory_map_once(process);
  for (int attempt = 1; attempt < attempts && (!maps || maps->empty()) && process_exists(process); ++attempt) {
    if (!maps && maps.error().kind() == ErrorKind::not_permitted)
      break;
    maps = read_memory_map_once(process);
  }
  return maps;
}

const Mapping *find_mapping(const std::vector<Mapping> &sorted, RunAddress address) {
  const auto after =
      std::ranges::upper_bound(sorted, address, {}, [](const Mapping &mapping) { return mapping.range.begin; });
  if (after == sorted.begin())
    return nullptr;
  const Mapping &candidate = *std::prev(after);
  return candidate.range.contains(address) ? &candidate : nullptr;
}

} // namespace inspect
