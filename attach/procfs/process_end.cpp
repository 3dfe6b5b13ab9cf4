#include "attach/procfs/process_end.h"

#include "attach/procfs/proc_file.h"
#include "machine/file_descriptor.h"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/syscall.h>
#include <thread>

namespace inspect {

bool ends_within(pid_t process, std::chrono::milliseconds time) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + time;
  const FileDescriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  if (!handle && errno == ESRCH)
    return true;
  for (auto now = Clock::now(); now < end; now = Clock::now()) {
    if (!handle) {
      std::this_thread::sleep_until(end);
      break;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - now).count();
    pollfd entry{handle.get(), POLLIN, 0};
    if (::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left, 1000))) > 0)
      return true;
  }
  return !process_exists(process);
}

} // namespace inspect
