// Most calls are one line of a table of argument kinds; the odd ones have a function. To teach a call: add a line.
#include "inspector/syscalls/system_call_text.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace inspect {
namespace {

constexpr std::size_t max_descriptors = 8;

std::string descriptor_list(const SystemCallText &call, const std::vector<std::int32_t> &descriptors,
                            std::size_t total) {
  std::vector<std::string> words;
  words.reserve(descriptors.size() + 1);
  for (const std::int32_t descriptor : descriptors)
    words.push_back(call.descriptor(descriptor));
  if (total > words.size())
    words.push_back(fmt::format("{} more", total - words.size()));
  return fmt::format("[{}]", fmt::join(words, ", "));
}

void add_poll_set(SystemCallText &call) {
  const std::uint64_t count = static_cast<std::uint32_t>(call.word(1));
  std::vector<pollfd> entries(std::min<std::uint64_t>(count, max_descriptors));
  if (!entries.empty() && !call.memory().read(RunAddress{call.word(0)}, std::as_writable_bytes(std::span(entries)))) {
    call.add(fmt::format("{:#x}, {} descriptors", call.word(0), count));
    return;
  }
  std::vector<std::int32_t> descriptors;
  descriptors.reserve(entries.size());
  for (const pollfd &entry : entries)
    descriptors.push_back(entry.fd);
  call.add(descriptor_list(call, descriptors, count));
}

void describe_poll(SystemCallText &call) {
  add_poll_set(call);
  call.add_milliseconds_timeout(call.integer(2));
}

void describe_ppoll(SystemCallText &call) {
  add_poll_set(call);
  call.add_timeout(call.word(2));
}

void add_select_sets(SystemCallText &call) {
  constexpr std::array<std::string_view, 3> purposes = {"read", "write", "except"};
  constexpr std::int32_t max_bits = 1 << 16; // a set may be larger than FD_SETSIZE; the kernel cuts it at the table's
  const std::int32_t bits = std::clamp(call.integer(0), 0, max_bits);
  for (unsigned set = 0; set < purposes.size(); ++set) {
    const std::uint64_t address = call.word(1 + set);
    std::vector<std::uint64_t> words(static_cast<std::size_t>((bits + 63) / 64));
    if (address == 0 || !call.memory().read(RunAddress{address}, std::as_writable_bytes(std::span(words))))
      continue;
    std::vector<std::int32_t> descriptors;
    std::size_t total = 0;
    for (std::int32_t bit = 0; bit < bits; ++bit) {
      if ((words[static_cast<std::size_t>(bit / 64)] >> (bit % 64) & 1) == 0)
        continue;
      if (++total <= max_descriptors)
        descriptors.push_back(bit);
    }
    call.add(fmt::format("{} {}", purposes[set], descriptor_list(call, descriptors, total)));
  }
}

void describe_select(SystemCallText &call) {
  add_select_sets(call);
  call.add_timeval_timeout(call.word(4));
}

void describe_pselect(SystemCallText &call) {
  add_select_sets(call);
  call.add_timeout(call.word(4));
}

std::string clock_name(std::int32_t clock) {
  switch (clock) {
  case CLOCK_REALTIME:
    return "CLOCK_REALTIME";
  case CLOCK_MONOTONIC:
    return "CLOCK_MONOTONIC";
  case CLOCK_PROCESS_CPUTIME_ID:
    return "CLOCK_PROCESS_CPUTIME_ID";
  case CLOCK_BOOTTIME:
    return "CLOCK_BOOTTIME";
  case CLOCK_TAI:
    return "CLOCK_TAI";
  default:
    return fmt::format("clock {}", clock);
  }
}

void describe_clock_nanosleep(SystemCallText &call) {
  const std::int32_t clock = call.integer(0);
  call.add(clock_name(clock));
  const auto time = call.time_at(call.word(2));
  const bool is_absolute = (call.integer(1) & TIMER_ABSTIME) != 0;
  if (!time || !is_absolute)
    call.add(call.duration_at(call.word(2)));
  else if (clock == CLOCK_PROCESS_CPUTIME_ID || clock < 0) // a clock of the target's, not ours
    call.add(fmt::format("until {} s", time->tv_sec));
  else
    call.add(fmt::format("{} left", duration_text(std::max(time_left(*time, clock), std::chrono::nanoseconds(0)))));
}

std::string child_text(std::int32_t process) {
  if (process == -1)
    return "any child";
  if (process == 0)
    return "any child of the process group";
  return process < 0 ? fmt::format("process group {}", -static_cast<std::int64_t>(process)) : std::to_string(process);
}

void describe_wait4(SystemCallText &call) {
  call.add(child_text(call.integer(0)));
}

void describe_waitid(SystemCallText &call) {
  switch (call.integer(0)) {
  case P_ALL:
    return call.add("any child");
  case P_PID:
    return call.add(std::to_string(call.integer(1)));
  case P_PGID:
    return call.add(fmt::format("process group {}", call.integer(1)));
  default: // P_PIDFD
    return call.add(call.descriptor(call.integer(1)));
  }
}

void describe_flock(SystemCallText &call) {
  call.add(call.descriptor(call.integer(0)));
  const int operation = call.integer(1) & ~LOCK_NB;
  call.add(operation == LOCK_SH   ? "LOCK_SH"
           : operation == LOCK_EX ? "LOCK_EX"
           : operation == LOCK_UN ? "LOCK_UN"
                                  : fmt::format("{:#x}", call.word(1)));
}

std::string lock_text(const struct flock &lock) {
  const std::string_view type = lock.l_type == F_RDLCK ? "read lock" : lock.l_type == F_WRLCK ? "write lock" : "unlock";
  const std::string_view from = lock.l_whence == SEEK_SET   ? ""
                                : lock.l_whence == SEEK_CUR ? "the position + "
                                                            : "the end + ";
  if (lock.l_len == 0)
    return fmt::format("{} from {}{}", type, from, lock.l_start);
  return fmt::format("{} of {} bytes from {}{}", type, lock.l_len, from, lock.l_start);
}

void describe_fcntl(SystemCallText &call) {
  constexpr int get_open_file_lock = 36, set_open_file_lock = 37, wait_open_file_lock = 38; // F_OFD_…, linux/fcntl.h
  call.add(call.descriptor(call.integer(0)));
  const int command = call.integer(1);
  const bool is_lock = command == F_GETLK || command == F_SETLK || command == F_SETLKW ||
                       (command >= get_open_file_lock && command <= wait_open_file_lock);
  if (!is_lock)
    return call.add(fmt::format("command {}", command));
  call.add(command == F_GETLK              ? "F_GETLK"
           : command == F_SETLK            ? "F_SETLK"
           : command == F_SETLKW           ? "F_SETLKW"
           : command == get_open_file_lock ? "F_OFD_GETLK"
           : command == set_open_file_lock ? "F_OFD_SETLK"
                                           : "F_OFD_SETLKW");
  const auto lock = read_value<struct flock>(call.memory(), RunAddress{call.word(2)});
  call.add(lock ? lock_text(*lock) : fmt::format("{:#x}", call.word(2)));
}

void describe_connect(SystemCallText &call) {
  call.add(call.descriptor(call.integer(0)));
  call.add(call.socket_address(call.word(1), static_cast<std::uint32_t>(call.word(2))));
}

void describe_mq_receive(SystemCallText &call) {
  call.add(call.descriptor(call.integer(0)));
  call.add_timeout_until(call.word(4), CLOCK_REALTIME);
}

struct Special {
  std::int64_t number;
  void (*describe)(SystemCallText &);
};

constexpr Special specials[] = {
    {SYS_futex, describe_futex},
    {SYS_poll, describe_poll},
    {SYS_ppoll, describe_ppoll},
    {SYS_select, describe_select},
    {SYS_pselect6, describe_pselect},
    {SYS_clock_nanosleep, describe_clock_nanosleep},
    {SYS_wait4, describe_wait4},
    {SYS_waitid, describe_waitid},
    {SYS_flock, describe_flock},
    {SYS_fcntl, describe_fcntl},
    {SYS_connect, describe_connect},
    {SYS_bind, describe_connect},
    {SYS_mq_timedreceive, describe_mq_receive},
    {SYS_mq_timedsend, describe_mq_receive},
};

/// One letter per argument, in order; arguments behind the last letter tell nothing.
///   f descriptor (also of a directory)   s path   p address   b bytes   n number   i signed number
///   x bits in hexadecimal   m milliseconds   T timeout (struct timespec)   N duration (struct timespec)
///   S set of signals   P process or thread   - nothing to tell
struct Signature {
  std::int64_t number;
  std::string_view arguments;
};

constexpr Signature signatures[] = {
    // reading and writing
    {SYS_read, "f"},
    {SYS_pread64, "f"},
    {SYS_readv, "f"},
    {SYS_preadv, "f"},
    {SYS_preadv2, "f"},
    {SYS_write, "f-b"},
    {SYS_pwrite64, "f-b"},
    {SYS_writev, "f"},
    {SYS_pwritev, "f"},
    {SYS_pwritev2, "f"},
    {SYS_sendfile, "ff-b"},
    {SYS_splice, "f-f-b"},
    {SYS_tee, "ffb"},
    {SYS_vmsplice, "f"},
    {SYS_copy_file_range, "f-f-b"},
    {SYS_lseek, "fi"},
    {SYS_close, "f"},
    {SYS_fstat, "f"},
    {SYS_fsync, "f"},
    {SYS_fdatasync, "f"},
    {SYS_syncfs, "f"},
    {SYS_sync, ""},
    {SYS_sync_file_range, "f"},
    {SYS_ftruncate, "fn"},
    {SYS_fallocate, "fx-n"},
    {SYS_getdents64, "f"},
    {SYS_ioctl, "fx"},
    {SYS_dup, "f"},
    {SYS_dup2, "fi"},
    {SYS_dup3, "fi"},
    {SYS_process_vm_readv, "P"},
    {SYS_process_vm_writev, "P"},
    {SYS_getrandom, "-b"},
    // sockets
    {SYS_recvfrom, "f"},
    {SYS_recvmsg, "f"},
    {SYS_recvmmsg, "f---T"},
    {SYS_sendto, "f-b"},
    {SYS_sendmsg, "f"},
    {SYS_sendmmsg, "f"},
    {SYS_accept, "f"},
    {SYS_accept4, "f"},
    {SYS_listen, "f"},
    {SYS_shutdown, "f"},
    {SYS_getsockopt, "f"},
    {SYS_setsockopt, "f"},
    // waiting
    {SYS_epoll_wait, "f--m"},
    {SYS_epoll_pwait, "f--m"},
    {SYS_epoll_pwait2, "f--T"},
    {SYS_nanosleep, "N"},
    {SYS_pause, ""},
    {SYS_rt_sigsuspend, ""},
    {SYS_rt_sigtimedwait, "S-T"},
    {SYS_io_getevents, "-n--T"},
    {SYS_io_pgetevents, "-n--T"},
    {SYS_io_uring_enter, "fnnx"},
    {SYS_io_submit, "-n"},
    {SYS_msgrcv, "i"},
    {SYS_msgsnd, "i"},
    {SYS_semop, "i"},
    {SYS_semtimedop, "i--T"},
    {SYS_futex_waitv, "pn"},
    {SYS_sched_yield, ""},
    {SYS_membarrier, ""},
    // processes
    {SYS_ptrace, "iP"},
    {SYS_kill, "Pi"},
    {SYS_tkill, "Pi"},
    {SYS_tgkill, "PPi"},
    {SYS_exit, "i"},
    {SYS_exit_group, "i"},
    {SYS_execve, "s"},
    {SYS_execveat, "fs"},
    {SYS_fork, ""},
    {SYS_vfork, ""},
    {SYS_clone, ""},
    {SYS_clone3, ""},
    // memory
    {SYS_mmap, "pb"},
    {SYS_munmap, "pb"},
    {SYS_mremap, "pb"},
    {SYS_mprotect, "pb"},
    {SYS_madvise, "pbi"},
    {SYS_msync, "pb"},
    {SYS_mlock, "pb"},
    {SYS_brk, "p"},
    // paths
    {SYS_open, "s"},
    {SYS_openat, "fs"},
    {SYS_openat2, "fs"},
    {SYS_creat, "s"},
    {SYS_stat, "s"},
    {SYS_lstat, "s"},
    {SYS_newfstatat, "fs"},
    {SYS_statx, "fs"},
    {SYS_statfs, "s"},
    {SYS_fstatfs, "f"},
    {SYS_access, "s"},
    {SYS_faccessat, "fs"},
    {SYS_faccessat2, "fs"},
    {SYS_readlink, "s"},
    {SYS_readlinkat, "fs"},
    {SYS_truncate, "sn"},
    {SYS_chdir, "s"},
    {SYS_fchdir, "f"},
    {SYS_chroot, "s"},
    {SYS_mkdir, "s"},
    {SYS_mkdirat, "fs"},
    {SYS_rmdir, "s"},
    {SYS_unlink, "s"},
    {SYS_unlinkat, "fs"},
    {SYS_rename, "ss"},
    {SYS_renameat, "fsfs"},
    {SYS_renameat2, "fsfs"},
    {SYS_link, "ss"},
    {SYS_linkat, "fsfs"},
    {SYS_symlink, "ss"},
    {SYS_symlinkat, "sfs"},
    {SYS_chmod, "s"},
    {SYS_fchmodat, "fs"},
    {SYS_chown, "s"},
    {SYS_lchown, "s"},
    {SYS_fchownat, "fs"},
    {SYS_utimensat, "fs"},
    {SYS_mknod, "s"},
    {SYS_mknodat, "fs"},
    {SYS_mount, "ss"},
    {SYS_umount2, "s"},
    {SYS_pivot_root, "ss"},
    {SYS_getxattr, "ss"},
    {SYS_setxattr, "ss"},
    {SYS_inotify_add_watch, "fs"},
    {SYS_name_to_handle_at, "fs"},
    {SYS_swapon, "s"},
};

void add_argument(SystemCallText &call, char kind, unsigned index) {
  const std::uint64_t word = call.word(index);
  switch (kind) {
  case 'f':
    return call.add(call.descriptor(call.integer(index)));
  case 's':
    return call.add(call.path(word));
  case 'p':
    return call.add(fmt::format("{:#x}", word));
  case 'b':
    return call.add(fmt::format("{} bytes", word));
  case 'n':
    return call.add(std::to_string(word));
  case 'i':
  case 'P':
    return call.add(std::to_string(call.integer(index)));
  case 'x':
    return call.add(fmt::format("{:#x}", word));
  case 'm':
    return call.add_milliseconds_timeout(call.integer(index));
  case 'T':
    return call.add_timeout(word);
  case 'N':
    return call.add(call.duration_at(word));
  case 'S':
    return call.add(call.signal_set(word));
  default:
    return;
  }
}

} // namespace

bool add_known_arguments(SystemCallText &call) {
  const std::int64_t number = call.number();
  if (const auto *special = std::ranges::find(specials, number, &Special::number); special != std::end(specials)) {
    special->describe(call);
    return true;
  }
  const auto *signature = std::ranges::find(signatures, number, &Signature::number);
  if (signature == std::end(signatures))
    return false;
  for (unsigned index = 0; index < signature->arguments.size(); ++index)
    add_argument(call, signature->arguments[index], index);
  return true;
}

} // namespace inspect
