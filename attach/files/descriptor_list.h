// All open descriptors of a process, each with what it is, without opening any of them.
//
//     auto list = list_descriptors(directory);
//     for (const OpenDescriptor &one : list->descriptors) …one.number, one.kind, one.target
//
// What the links of /proc/PID/fd say is enough for all but files; those are asked for their type and for whether they
// have a name left, in a way that asks no server of a network file system.
// Sources: man page proc(5), "/proc/[pid]/fd"; statx(2), AT_STATX_DONT_SYNC; the kernel's fs/anon_inodes.c.
#pragma once

#include "attach/procfs/process_directory.h"
#include "machine/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

enum class DescriptorKind {
  regular,
  directory,
  character_device,
  block_device,
  pipe, ///< and FIFOs
  socket,
  event_poll,
  event_counter, ///< eventfd
  timer,         ///< timerfd
  signal,        ///< signalfd
  inotify,
  fanotify,
  memory,     ///< memfd
  name_space, ///< a file of /proc/PID/ns
  process,    ///< pidfd
  io_uring,
  bpf,
  perf_event,
  other_anonymous, ///< an anonymous inode of another kind; `target` says which
  unknown          ///< a path whose file cannot be asked
};

/// "regular file", "eventpoll", "eventfd", …: as it stands in texts and, with '_' for ' ', in JSON.
std::string_view kind_name(DescriptorKind kind);

struct OpenDescriptor {
  int number = 0;
  DescriptorKind kind = DescriptorKind::unknown;
  bool deleted = false;    ///< a file that no name leads to any more; never of a memfd, which has none from the start
  std::string target;      ///< as the kernel's link says; without " (deleted)" where `deleted`
  std::uint64_t inode = 0; ///< of sockets and pipes
  std::uint64_t bytes = 0; ///< on disk or in memory, of deleted regular files and memfds
};

struct DescriptorList {
  std::vector<OpenDescriptor> descriptors; ///< ascending by number
  bool truncated = false;                  ///< there are more than are read of any process
};

/// not_permitted, no_such_process. Descriptors that are closed meanwhile are left out.
Result<DescriptorList> list_descriptors(const ProcessDirectory &process);

/// How many are open, where the kernel says so to everybody (since Linux 6.2); not_found where it does not.
Result<std::uint64_t> count_descriptors(const ProcessDirectory &process);

} // namespace inspect
