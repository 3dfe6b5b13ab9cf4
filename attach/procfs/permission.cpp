#include "attach/procfs/permission.h"

#include "attach/procfs/account_names.h"
#include "attach/procfs/proc_file.h"
#include "attach/procfs/proc_text.h"
#include "attach/procfs/process_status.h"

#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace inspect {
namespace {

constexpr std::string_view capability_does_not_reach =
    "CAP_SYS_PTRACE is there but does not reach this process: a user namespace or a security module (SELinux, "
    "AppArmor) stands between; run inspect in the outer namespace, or in the container with --cap-add SYS_PTRACE";

constexpr std::string_view files_need_another =
    "run inspect as root (sudo), as that user, or with CAP_DAC_READ_SEARCH besides CAP_SYS_PTRACE: some files in /proc "
    "may be opened by their owner alone";

/// Whether we may trace it, which the links below ns ask and nothing else.
bool capability_reaches(pid_t process) {
  return has_capability(CAP_SYS_PTRACE) && !link_text(proc_path(process, "ns/mnt")).empty();
}

std::string remedy_with_capability() {
  const auto self = read_process_status(::getpid());
  if (self && self->seccomp_mode.value_or(0) != 0)
    return "a seccomp filter may forbid ptrace here: start this container with --cap-add SYS_PTRACE (or a seccomp "
           "profile that allows ptrace)";
  return std::string(capability_does_not_reach);
}

std::string remedy_for_same_user(int scope) {
  if (scope >= 3)
    return "kernel.yama.ptrace_scope is 3: nobody may trace until the next boot with a lower value";
  if (scope == 2)
    return "run inspect as root (sudo) or with CAP_SYS_PTRACE: kernel.yama.ptrace_scope is 2";
  if (scope == 1)
    return "run inspect as root (sudo) or with CAP_SYS_PTRACE: kernel.yama.ptrace_scope is 1, which lets a user trace "
           "only descendants (0 would allow it)";
  return "run inspect as root (sudo) or with CAP_SYS_PTRACE: the process protects itself from its own user "
         "(PR_SET_DUMPABLE, a setuid program, or more capabilities than yours)";
}

} // namespace

std::string_view missing_right() {
  return has_capability(CAP_SYS_PTRACE) ? "permission denied" : "missing CAP_SYS_PTRACE";
}

std::optional<int> yama_ptrace_scope() {
  const auto text = read_proc_file(::getpid(), "/proc/sys/kernel/yama/ptrace_scope");
  return text ? whole_number<int>(trimmed(*text)) : std::nullopt;
}

bool has_capability(int capability) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0)
    return false;
  const auto number = static_cast<unsigned>(capability);
  return (data[number / 32].effective >> (number % 32) & 1U) != 0;
}

pid_t process_of_thread(pid_t thread) {
  const auto status = read_process_status(thread);
  return status ? status->thread_group : thread;
}

std::string describe_process(pid_t process) {
  const auto stat = read_process_stat(process);
  return stat ? fmt::format("process {} ({})", process, stat->name) : fmt::format("process {}", process);
}

namespace {

Error refusal(pid_t process, int error_number, std::string_view what_was_tried, std::string remedy) {
  const auto target = read_process_status(process);
  const std::string owner = target ? fmt::format(" of user {}", user_name(target->effective_user)) : "";
  const Error plain = Error::from_errno(error_number, what_was_tried);
  const bool for_files = error_number == EACCES && capability_reaches(process);
  return Error(ErrorKind::not_permitted,
               fmt::format("{}{} could not be inspected: {} ({})", describe_process(process), owner,
                           for_files ? "missing CAP_DAC_READ_SEARCH" : missing_right(), plain.message()),
               for_files ? std::string(files_need_another) : std::move(remedy));
}

bool is_of_our_user(pid_t process) {
  const auto target = read_process_status(process);
  return target && target->real_user == ::getuid() && target->effective_user == ::geteuid();
}

constexpr std::string_view change_user = "run inspect as root (sudo), as that user, or with CAP_SYS_PTRACE";

} // namespace

Error explain_not_permitted(pid_t process, int error_number, std::string_view what_was_tried) {
  const auto scope = yama_ptrace_scope().value_or(0);
  std::string remedy(change_user);
  if (has_capability(CAP_SYS_PTRACE))
    remedy = scope >= 3 ? remedy_for_same_user(scope) : remedy_with_capability();
  else if (is_of_our_user(process))
    remedy = remedy_for_same_user(scope);
  return refusal(process, error_number, what_was_tried, std::move(remedy));
}

Error explain_not_readable(pid_t process, int error_number, std::string_view what_was_tried) {
  std::string remedy(change_user);
  if (has_capability(CAP_SYS_PTRACE))
    remedy = capability_does_not_reach;
  else if (is_of_our_user(process))
    remedy = remedy_for_same_user(0); // Yama is asked by those who trace alone
  return refusal(process, error_number, what_was_tried, std::move(remedy));
}

} // namespace inspect
