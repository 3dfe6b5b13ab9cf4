#include "attach/procfs/process_limits.h"

#include <algorithm>
#include <charconv>

namespace inspect {
namespace {

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

std::string_view next_word(std::string_view &line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

/// False where it is neither a number nor "unlimited".
bool read_value(std::string_view word, std::optional<std::uint64_t> &into) {
  if (word == "unlimited")
    return true;
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), value);
  into = value;
  return !word.empty() && parsed.ec == std::errc() && parsed.ptr == word.data() + word.size();
}

} // namespace

const ProcessLimit *ProcessLimits::find(std::string_view name) const {
  const auto found = std::ranges::find(all, name, &ProcessLimit::name);
  return found == all.end() ? nullptr : &*found;
}

Result<ProcessLimits> parse_process_limits(std::string_view text) {
  // fs/proc/base.c, proc_pid_limits(): "%-25s %-20s %-20s %-10s"; the names have blanks in them.
  constexpr std::size_t name_width = 25;
  ProcessLimits limits;
  bool heading = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (heading || line.empty()) {
      heading = false;
      continue;
    }
    ProcessLimit limit;
    limit.name = trimmed(line.substr(0, name_width));
    line.remove_prefix(std::min(name_width, line.size()));
    if (!read_value(next_word(line), limit.soft) || !read_value(next_word(line), limit.hard))
      return std::unexpected(Error(ErrorKind::corrupt, "a line of the resource limits makes no sense"));
    limit.unit = trimmed(line);
    limits.all.push_back(std::move(limit));
  }
  return limits;
}

Result<ProcessLimits> read_process_limits(const ProcessDirectory &process) {
  std::string buffer;
  const auto text = process.read("limits", buffer);
  if (!text)
    return std::unexpected(text.error());
  return parse_process_limits(*text);
}

} // namespace inspect
