#include "attach/unstopped/thread_look.h"

#include "attach/procfs/proc_file.h"
#include "attach/procfs/proc_text.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>

namespace inspect {
namespace {

/// The lines of status that count how often the thread was taken off its processor.
std::string switch_counts(std::string_view status) {
  std::string counts;
  while (!status.empty())
    if (const std::string_view line = take_until(status, '\n'); line.find("ctxt_switches:") != std::string_view::npos)
      counts += line;
  return counts;
}

} // namespace

Result<ThreadLooks> ThreadLooks::open(pid_t process) {
  const std::string path = proc_path(process, "task");
  FileDescriptor tasks(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!tasks)
    return std::unexpected(proc_error(process, errno, fmt::format("listing the threads of process {}", process)));
  return ThreadLooks(std::move(tasks));
}

std::expected<std::string, int> ThreadLooks::read(pid_t thread, std::string_view name) const {
  const FileDescriptor file(::openat(tasks_.get(), fmt::format("{}/{}", thread, name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    return std::unexpected(errno);
  return read_to_end(file.get());
}

std::expected<std::string, int> ThreadLooks::schedule_of(pid_t thread) const {
  auto figures = read(thread, "schedstat");
  if (figures && !figures->starts_with("0 0 0"))
    return figures;
  // A kernel that does not count there counts switches in status: a thread that has run since was switched out since,
  // unless it still runs, and then its syscall file says so.
  const auto status = read(thread, "status");
  if (!status)
    return status;
  return switch_counts(*status);
}

ScheduleMarks ThreadLooks::marks(std::span<const pid_t> threads) const {
  ScheduleMarks all;
  for (const pid_t thread : threads)
    if (auto schedule = schedule_of(thread))
      all.emplace(thread, std::move(*schedule));
  return all;
}

std::expected<ThreadLook, int> ThreadLooks::at(pid_t thread) const {
  auto schedule = schedule_of(thread);
  if (!schedule)
    return std::unexpected(schedule.error());
  auto text = read(thread, "syscall");
  if (!text)
    return std::unexpected(text.error());
  ThreadLook look{std::move(*schedule), std::move(*text), std::nullopt};
  look.call = parse_blocked_call(look.text);
  return look;
}

} // namespace inspect
