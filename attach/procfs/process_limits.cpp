#include "attach/procfs/process_limits.h"

#include "attach/procfs/proc_text.h"

#include <algorithm>

namespace inspect {
namespace {

/// False where it is neither a number nor "unlimited".
bool read_value(std::string_view word, std::optional<std::uint64_t> &into) {
  if (word == "unlimited")
    return true;
  into = whole_number<std::uint64_t>(word);
  return into.has_value();
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
    std::string_view line = take_until(text, '\n');
    if (heading || line.empty()) {
      heading = false;
      continue;
    }
    ProcessLimit limit;
    limit.name = trimmed(line.substr(0, name_width));
    line.remove_prefix(std::min(name_width, line.size()));
    if (!read_value(take_word(line), limit.soft) || !read_value(take_word(line), limit.hard))
      return std::unexpected(Error(ErrorKind::corrupt, "a line of the resource limits is malformed"));
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
