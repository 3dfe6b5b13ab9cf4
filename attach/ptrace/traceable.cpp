#include "attach/procfs/permission.h"
#include "attach/procfs/process_list.h"
#include "attach/procfs/process_status.h"
#include "attach/ptrace/thread_stops.h"

#include <fmt/format.h>
#include <unistd.h>

namespace inspect {
namespace {

/// Says early, and without touching it, what cannot be stopped: this process, kernel threads, zombies, what another
/// tracer holds, what does not exist.
Result<void> check_traceable(pid_t process) {
  const auto stat = read_process_stat(process);
  if (!stat)
    return std::unexpected(stat.error());
  const auto status = read_process_status(process);
  if (!status)
    return std::unexpected(status.error());
  if (status->thread_group != process)
    return std::unexpected(
        Error(ErrorKind::no_such_process,
              fmt::format("{} is a thread of process {}, not a process", process, status->thread_group),
              fmt::format("ask for process {}", status->thread_group)));
  if (process == ::getpid())
    return std::unexpected(
        Error(ErrorKind::unsupported, "inspect cannot stop itself", "a second inspect can inspect this one"));
  if (stat->is_kernel_thread())
    return std::unexpected(
        Error(ErrorKind::unsupported,
              fmt::format("process {} ({}) is a thread of the kernel and has no user stack", process, stat->name)));
  if (const auto living = living_thread(process); !living)
    return std::unexpected(living.error());
  if (status->tracer != 0) {
    const pid_t tracer = process_of_thread(status->tracer);
    return std::unexpected(
        Error(ErrorKind::already_traced,
              fmt::format("process {} ({}) is already traced by {}", process, stat->name, describe_process(tracer)),
              fmt::format("end that one (a debugger, strace, …) first: process {}", tracer)));
  }
  return {};
}

} // namespace

Result<std::unique_ptr<TracingThread>> start_tracing(pid_t process) {
  if (auto traceable = check_traceable(process); !traceable)
    return std::unexpected(traceable.error());
  return TracingThread::start();
}

} // namespace inspect
