// What the bare loops share: the least that it takes to stop a process, to read its threads' registers and to copy
// ranges of its memory. Nothing awkward is handled.
#pragma once

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <elf.h>
#include <string>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <vector>

namespace bare {

inline std::vector<pid_t> list_threads(const std::string &process) {
  std::vector<pid_t> threads;
  DIR *directory = opendir(("/proc/" + process + "/task").c_str());
  if (directory == nullptr)
    return threads;
  while (const dirent *entry = readdir(directory))
    if (const int id = std::atoi(entry->d_name); id > 0)
      threads.push_back(id);
  closedir(directory);
  return threads;
}

/// False, with a word on standard error, where one cannot be traced. Stops nothing yet.
inline bool seize(const std::vector<pid_t> &threads) {
  for (const pid_t thread : threads)
    if (ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) {
      std::perror("PTRACE_SEIZE");
      return false;
    }
  return true;
}

/// Stops them all, and gives their registers.
inline std::vector<user_regs_struct> stop(const std::vector<pid_t> &threads) {
  for (const pid_t thread : threads)
    ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr);
  for (const pid_t thread : threads) {
    int status;
    waitpid(thread, &status, __WALL);
  }
  std::vector<user_regs_struct> registers(threads.size());
  for (std::size_t i = 0; i < threads.size(); ++i) {
    iovec area{&registers[i], sizeof registers[i]};
    ptrace(PTRACE_GETREGSET, threads[i], NT_PRSTATUS, &area);
  }
  return registers;
}

inline void detach(const std::vector<pid_t> &threads) {
  for (const pid_t thread : threads)
    ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
}

/// All ranges, one behind the other; how many bytes came.
inline std::size_t read_all(pid_t process, const std::vector<iovec> &remote, char *into) {
  std::size_t position = 0;
  for (std::size_t i = 0; i < remote.size(); i += IOV_MAX) {
    const std::size_t count = std::min<std::size_t>(IOV_MAX, remote.size() - i);
    std::size_t bytes = 0;
    for (std::size_t j = i; j < i + count; ++j)
      bytes += remote[j].iov_len;
    const iovec local{into + position, bytes};
    if (const ssize_t got = process_vm_readv(process, &local, 1, remote.data() + i, count, 0); got > 0)
      position += static_cast<std::size_t>(got);
  }
  return position;
}

} // namespace bare
