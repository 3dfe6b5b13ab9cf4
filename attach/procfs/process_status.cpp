#include "attach/procfs/process_status.h"

#include "attach/procfs/proc_file.h"
#include "attach/procfs/proc_text.h"
#include "attach/procfs/process_directory.h"
#include "attach/procfs/process_list.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <fmt/format.h>
#include <limits>
#include <unistd.h>

namespace inspect {
namespace {

Error malformed(std::string_view which) {
  return Error(ErrorKind::corrupt, fmt::format("the text of a {} file of /proc is malformed", which));
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
    const std::string_view found = take_word(rest_);
    good_ = good_ && !found.empty();
    return found;
  }
  template <typename Number> Number number() {
    const auto value = whole_number<Number>(word());
    good_ = good_ && value.has_value();
    return value.value_or(0);
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
  after.skip(14); // limit of memory, addresses, signals, wait channel, swapped pages, the signal for its parent
  const int processor = after.number<int>();
  stat.processor = after.good() ? processor : -1;
  return stat;
}

bool has_ended(char state) {
  return state == 'Z' || state == 'X';
}

std::string_view state_in_words(char state) {
  switch (state) {
  case 'R':
    return "running";
  case 'S':
    return "sleeping";
  case 'D':
    return "in uninterruptible sleep";
  case 'T':
    return "stopped by a signal";
  case 't':
    return "stopped by a tracer";
  case 'Z':
  case 'X':
    return "ended";
  case 'I':
    return "idle";
  case 'P':
    return "parked";
  default:
    return "in an unknown state";
  }
}

namespace {

/// A line "Key:\tvalue" of status; `read` takes the value and is false where it is malformed.
struct StatusLine {
  std::string_view key;
  bool (*read)(std::string_view value, ProcessStatus &status);
};

template <auto Member> bool read_number(std::string_view value, ProcessStatus &status) {
  if constexpr (requires { (status.*Member).reset(); }) {
    status.*Member = whole_number<typename std::remove_reference_t<decltype(status.*Member)>::value_type>(value);
    return (status.*Member).has_value();
  } else {
    Fields field(value);
    status.*Member = field.number<std::remove_reference_t<decltype(status.*Member)>>();
    return field.good();
  }
}

/// Real and effective; the saved one and that for file systems are left out.
template <auto Real, auto Effective> bool read_ids(std::string_view value, ProcessStatus &status) {
  Fields fields(value);
  status.*Real = fields.number<uid_t>();
  status.*Effective = fields.number<uid_t>();
  return fields.good();
}

bool read_id_in_namespace(std::string_view value, ProcessStatus &status) {
  Fields field(value.substr(value.find_last_of(" \t") + 1)); // outermost namespace first
  status.id_in_namespace = field.number<pid_t>();
  return field.good();
}

template <std::uint64_t Capabilities::*Set> bool read_capabilities(std::string_view value, ProcessStatus &status) {
  const auto set = whole_number<std::uint64_t>(value, 16);
  if (!status.capabilities)
    status.capabilities.emplace();
  (*status.capabilities).*Set = set.value_or(0);
  return set.has_value();
}

/// "1234 kB", kept in bytes.
template <std::optional<std::uint64_t> MemoryStatus::*Figure>
bool read_kilobytes(std::string_view value, ProcessStatus &status) {
  const auto kilobytes = whole_number<std::uint64_t>(take_word(value));
  if (!kilobytes || value != " kB" || *kilobytes > std::numeric_limits<std::uint64_t>::max() / 1024)
    return false;
  status.memory.*Figure = *kilobytes * 1024;
  return true;
}

constexpr std::size_t required_lines = 3; // of the table: every kernel has them

constexpr std::array status_lines = {
    StatusLine{"Tgid", read_number<&ProcessStatus::thread_group>},
    StatusLine{"TracerPid", read_number<&ProcessStatus::tracer>},
    StatusLine{"Uid", read_ids<&ProcessStatus::real_user, &ProcessStatus::effective_user>},
    StatusLine{"Gid", read_ids<&ProcessStatus::real_group, &ProcessStatus::effective_group>},
    StatusLine{"NSpid", read_id_in_namespace},
    StatusLine{"Seccomp", read_number<&ProcessStatus::seccomp_mode>},
    StatusLine{"Seccomp_filters", read_number<&ProcessStatus::seccomp_filters>},
    StatusLine{"NoNewPrivs",
               [](std::string_view value, ProcessStatus &status) {
                 status.no_new_privileges = value != "0";
                 return value == "0" || value == "1";
               }},
    StatusLine{"CoreDumping",
               [](std::string_view value, ProcessStatus &status) {
                 status.dumping_core = value == "1";
                 return value == "0" || value == "1";
               }},
    StatusLine{"CapInh", read_capabilities<&Capabilities::inheritable>},
    StatusLine{"CapPrm", read_capabilities<&Capabilities::permitted>},
    StatusLine{"CapEff", read_capabilities<&Capabilities::effective>},
    StatusLine{"CapBnd", read_capabilities<&Capabilities::bounding>},
    StatusLine{"CapAmb", read_capabilities<&Capabilities::ambient>}, // since Linux 4.3
    StatusLine{"VmPeak", read_kilobytes<&MemoryStatus::virtual_peak>},
    StatusLine{"VmSize", read_kilobytes<&MemoryStatus::virtual_size>},
    StatusLine{"VmLck", read_kilobytes<&MemoryStatus::locked>},
    StatusLine{"VmPin", read_kilobytes<&MemoryStatus::pinned>},
    StatusLine{"VmHWM", read_kilobytes<&MemoryStatus::resident_peak>},
    StatusLine{"VmRSS", read_kilobytes<&MemoryStatus::resident>},
    StatusLine{"RssAnon", read_kilobytes<&MemoryStatus::resident_anonymous>},
    StatusLine{"RssFile", read_kilobytes<&MemoryStatus::resident_file>},
    StatusLine{"RssShmem", read_kilobytes<&MemoryStatus::resident_shared>},
    StatusLine{"VmPTE", read_kilobytes<&MemoryStatus::page_tables>},
    StatusLine{"VmSwap", read_kilobytes<&MemoryStatus::swapped>},
    StatusLine{"HugetlbPages", read_kilobytes<&MemoryStatus::hugetlb>},
};

} // namespace

Result<ProcessStatus> parse_process_status(std::string_view text) {
  ProcessStatus status;
  std::bitset<status_lines.size()> seen;
  while (!text.empty()) {
    // The kernel escapes newlines in the name here, so that a line is a line.
    const std::string_view line = take_until(text, '\n');
    const std::size_t colon = line.find(':');
    const auto *const known = std::ranges::find(status_lines, line.substr(0, colon), &StatusLine::key);
    if (colon == std::string_view::npos || known == status_lines.end())
      continue;
    if (!known->read(trimmed(line.substr(colon + 1)), status))
      return std::unexpected(
          Error(ErrorKind::corrupt, fmt::format("a line of a status file of /proc is malformed: \"{}\"", line)));
    seen.set(static_cast<std::size_t>(known - status_lines.begin()));
  }
  for (std::size_t i = 0; i < required_lines; ++i)
    if (!seen.test(i))
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

Result<ProcessStatus> read_living_status(pid_t process) {
  const auto text = read_living_file(process, "status");
  if (!text)
    return std::unexpected(text.error());
  auto status = parse_process_status(*text);
  if (!status)
    return std::unexpected(status.error().while_doing(fmt::format("reading the status of process {}", process)));
  return status;
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
