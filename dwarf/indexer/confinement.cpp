#include "dwarf/indexer/confinement.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

// The sanitizers need terabytes of address space and system calls of their own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INSPECT_SANITIZED 1
#else
#define INSPECT_SANITIZED 0
#endif

namespace inspect {
namespace {

constexpr rlim_t max_index_size = 512ULL << 20;

void close_all_but(const ConfinementLimits &limits) {
  std::vector<unsigned> kept{2, static_cast<unsigned>(limits.input_descriptor),
                             static_cast<unsigned>(limits.output_descriptor)};
  for (const int descriptor : limits.further_inputs)
    kept.push_back(static_cast<unsigned>(descriptor));
  std::ranges::sort(kept);
  unsigned first = 0;
  for (const unsigned descriptor : kept) {
    if (descriptor > first)
      ::syscall(SYS_close_range, first, descriptor - 1, 0U);
    first = descriptor + 1;
  }
  ::syscall(SYS_close_range, first, ~0U, 0U);
}

void limit(decltype(RLIMIT_AS) resource, rlim_t most) {
  rlimit now{};
  if (::getrlimit(resource, &now) != 0)
    return;
  now.rlim_max = std::min(now.rlim_max, most);
  now.rlim_cur = std::min(now.rlim_cur, now.rlim_max);
  ::setrlimit(resource, &now);
}

void limit_resources(std::uint64_t file_size, unsigned cpu_seconds) {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, 16);
  limit(RLIMIT_FSIZE, max_index_size);
  limit(RLIMIT_CPU, cpu_seconds);
  // The file is mapped, and its compressed sections are unpacked beside it.
  if (!INSPECT_SANITIZED)
    limit(RLIMIT_AS, (2ULL << 30) + 8 * file_size);
}

/// The descriptors are inherited, so that reading them takes no rights at all.
void become_nobody() {
  constexpr uid_t nobody = 65534;
  if (::geteuid() != 0)
    return;
  [[maybe_unused]] const bool done = ::setgroups(0, nullptr) == 0 && ::setresgid(nobody, nobody, nobody) == 0 &&
                                     ::setresuid(nobody, nobody, nobody) == 0;
}

#if defined(__x86_64__)
constexpr std::uint32_t audit_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t audit_architecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t audit_architecture = 0;
#endif

/// An allow list; newfstatat is there because the C library's fstat is made of it. Anything else fails with EPERM,
/// which the C library takes in its stride where it only tried.
void filter_system_calls() {
  if (audit_architecture == 0 || INSPECT_SANITIZED)
    return;
  constexpr std::array<long, 26> allowed{
      SYS_read,          SYS_pread64,        SYS_readv, SYS_lseek,      SYS_write,          SYS_pwrite64, SYS_writev,
      SYS_fstat,         SYS_newfstatat,     SYS_fcntl, SYS_close,      SYS_mmap,           SYS_munmap,   SYS_mremap,
      SYS_mprotect,      SYS_madvise,        SYS_brk,   SYS_futex,      SYS_rt_sigreturn,   SYS_getpid,   SYS_getrandom,
      SYS_clock_gettime, SYS_rt_sigprocmask, SYS_exit,  SYS_exit_group, SYS_restart_syscall};
  std::vector<sock_filter> program;
  const auto statement = [&](unsigned code, std::uint32_t operand) {
    program.push_back({static_cast<std::uint16_t>(code), 0, 0, operand});
  };
  statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
  program.push_back({BPF_JMP | BPF_JEQ | BPF_K, 1, 0, audit_architecture});
  statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  for (const long number : allowed) {
    program.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(number)});
    statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  }
  statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

} // namespace

Result<void> confine(const ConfinementLimits &limits) {
  struct stat input {};
  if (::fstat(limits.input_descriptor, &input) != 0)
    return std::unexpected(Error::from_errno(errno, "looking at the file's descriptor"));
  if (::fcntl(limits.output_descriptor, F_GETFD) < 0)
    return std::unexpected(Error::from_errno(errno, "looking at the index's descriptor"));
  close_all_but(limits);
  auto size = static_cast<std::uint64_t>(input.st_size);
  for (const int descriptor : limits.further_inputs)
    if (struct stat further{}; ::fstat(descriptor, &further) == 0)
      size += static_cast<std::uint64_t>(further.st_size);
  limit_resources(size, limits.cpu_seconds);
  become_nobody();
  ::prctl(PR_SET_DUMPABLE, 0);
  // After become_nobody: a change of identity clears it (prctl(2)).
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Who started us may have ended before that: then nobody holds the other end of the pipe that we complain into.
  pollfd complaints{STDERR_FILENO, 0, 0};
  if (::poll(&complaints, 1, 0) > 0 && (complaints.revents & POLLERR) != 0)
    ::_exit(1);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  filter_system_calls();
  return {};
}

} // namespace inspect
