#include "attach/procfs/process_status.h"

#include "attach/procfs/proc_file.h"
#include "attach/procfs/process_directory.h"
#include "attach/procfs/process_list.h"
#include "attach/procfs/status_text.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <unistd.h>

namespace inspect {
namespace {

Error malformed(std::string_view which) {
  return Error(ErrorKind::corrupt, fmt::format("the text of a {} file of /proc makes no sense", which));
}

/// Takes blank-separated numbers off the front of a text.
class Fields {
public:
  explicit Fields(std::string_view text) : rest_(text) {}

  void skip(int count) {
    for (; count > 0; --count)
      word();
  }
  std::string_view word() {
    const auto begin = rest_.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos) {
      good_ = false;
      return {};
    }
    rest_.remove_prefix(begin);
    const auto end = std::min(rest_.find_first_of(" \t\n"), rest_.size());
    const std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return found;
  }
  template <typename Number> Number number() {
    Number value{};
    const std::string_view text = word();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    good_ = good_ && error == std::errc() && end == text.data() + text.size();
    return value;
  }
  bool good() const { return good_; }

private:
  std::string_view rest_;
  bool good_ = true;
};

} // namespace

Result<ProcessStat> parse_process_stat(std::string_view text) {
  // The name stands between the first and the last parenthesis and may itself hold any byte, ")" and newline
  // included; what follows it are numbers and one letter.
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return std::unexpected(malformed("stat"));
  ProcessStat stat;
  Fields before(text.substr(0, open));
  stat.id = before.number<pid_t>();
  stat.name = text.substr(open + 1, close - open - 1);
  Fields after(text.substr(close + 1));
  const std::string_view state = after.word();
  stat.state = state.empty() ? '?' : state.front();
  stat.parent = after.number<pid_t>();
  stat.process_group = after.number<pid_t>();
  stat.session = after.number<pid_t>();
  after.skip(2); // tty_nr, tpgid
  stat.flags = after.number<std::uint64_t>();
  after.skip(4); // page faults
  stat.user_ticks = after.number<std::uint64_t>();
  stat.system_ticks = after.number<std::uint64_t>();
  after.skip(4); // children's times, priority, nice
  stat.threads = after.number<std::int64_t>();
  after.skip(1); // itrealvalue
  stat.start_ticks = after.number<std::uint64_t>();
  stat.virtual_bytes = after.number<std::uint64_t>();
  static const auto page_size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const auto resident_pages = after.number<std::int64_t>();
  stat.resident_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(resident_pages, 0)) * page_size;
  if (!before.good() || !after.good())
    return std::unexpected(malformed("stat"));
  return stat;
}

Result<ProcessStatus> parse_process_status(std::string_view text) {
  // The kernel escapes newlines in the name here, so that a line is a line.
  const auto group = status_value(text, "Tgid");
  const auto tracer = status_value(text, "TracerPid");
  const auto users = status_value(text, "Uid");
  if (!group || !tracer || !users)
    return std::unexpected(malformed("status"));
  ProcessStatus status;
  Fields group_field(*group);
  Fields tracer_field(*tracer);
  Fields user_fields(*users);
  status.thread_group = group_field.number<pid_t>();
  status.tracer = tracer_field.number<pid_t>();
  status.real_user = user_fields.number<uid_t>();
  status.effective_user = user_fields.number<uid_t>();
  bool good = group_field.good() && tracer_field.good() && user_fields.good();
  if (const auto groups = status_value(text, "Gid")) {
    Fields field(*groups);
    status.real_group = field.number<gid_t>();
    status.effective_group = field.number<gid_t>();
    good = good && field.good();
  }
  // These depend on how the kernel was configured.
  const auto optional_number = [&](std::string_view key, auto &into) {
    if (const auto value = status_value(text, key)) {
      Fields field(*value);
      into = field.number<std::decay_t<decltype(into)>>();
      good = good && field.good();
    }
  };
  optional_number("voluntary_ctxt_switches", status.voluntary_switches);
  optional_number("nonvoluntary_ctxt_switches", status.involuntary_switches);
  optional_number("Seccomp", status.seccomp_mode);
  if (const auto ids = status_value(text, "NSpid")) {
    Fields field(ids->substr(ids->find_last_of(" \t") + 1)); // outermost namespace first
    status.id_in_namespace = field.number<pid_t>();
    good = good && field.good();
  }
  if (!good)
    return std::unexpected(malformed("status"));
  return status;
}

namespace {

template <typename Parsed>
Result<Parsed> read_and_parse(pid_t process, const std::string &path, Result<Parsed> (*parse)(std::string_view)) {
  const auto text = read_proc_file(process, path);
  if (!text)
    return std::unexpected(text.error());
  auto parsed = parse(*text);
  if (!parsed)
    return std::unexpected(parsed.error().while_doing(fmt::format("reading {}", path)));
  return parsed;
}

/// A thread may end while its process lives on; both cases are "no such process" to the caller.
template <typename Parsed>
Result<Parsed> read_of_thread(pid_t process, pid_t thread, std::string_view name,
                              Result<Parsed> (*parse)(std::string_view)) {
  auto parsed = read_and_parse(process, proc_path(process, thread, name), parse);
  if (!parsed && parsed.error().kind() == ErrorKind::not_found)
    return std::unexpected(
        Error(ErrorKind::no_such_process, fmt::format("process {} has no thread {}", process, thread)));
  return parsed;
}

} // namespace

Result<ProcessStat> read_process_stat(pid_t process) {
  return read_and_parse(process, proc_path(process, "stat"), parse_process_stat);
}

Result<ProcessStatus> read_process_status(pid_t process) {
  return read_and_parse(process, proc_path(process, "status"), parse_process_status);
}

Result<ProcessStat> read_thread_stat(pid_t process, pid_t thread) {
  return read_of_thread(process, thread, "stat", parse_process_stat);
}

Result<ProcessStatus> read_thread_status(pid_t process, pid_t thread) {
  return read_of_thread(process, thread, "status", parse_process_status);
}

Result<std::vector<ProcessStat>> read_thread_stats(pid_t process) {
  const auto threads = list_threads(process);
  if (!threads)
    return std::unexpected(threads.error());
  const auto directory = ProcessDirectory::open(process);
  if (!directory)
    return std::unexpected(directory.error());
  std::vector<ProcessStat> stats;
  stats.reserve(threads->size());
  std::string buffer;
  for (const pid_t thread : *threads) {
    const auto text = directory->read(fmt::format("task/{}/stat", thread).c_str(), buffer);
    if (!text)
      continue;
    auto stat = parse_process_stat(*text);
    if (!stat)
      return std::unexpected(stat.error());
    stats.push_back(std::move(*stat));
  }
  if (stats.empty())
    return std::unexpected(Error(ErrorKind::no_such_process, fmt::format("there is no process {}", process)));
  return stats;
}

} // namespace inspect
