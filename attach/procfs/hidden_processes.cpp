#include "attach/procfs/hidden_processes.h"

#include "attach/procfs/account_names.h"
#include "attach/procfs/mount_table.h"
#include "attach/procfs/permission.h"
#include "attach/procfs/proc_file.h"
#include "attach/procfs/proc_text.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <unistd.h>
#include <vector>

namespace inspect {
namespace {

std::optional<HidingMount> hiding_options(const Mount &proc) {
  if (proc.type != "proc")
    return std::nullopt;
  HidingMount mount;
  std::string_view options = proc.options;
  while (!options.empty()) {
    std::string_view option = take_until(options, ',');
    const std::string_view name = take_until(option, '=');
    if (name == "hidepid")
      mount.mode = option;
    else if (name == "gid")
      mount.group = whole_number<gid_t>(option);
  }
  const bool hides = !mount.mode.empty() && mount.mode != "off" && mount.mode != "0";
  return hides ? std::optional(std::move(mount)) : std::nullopt;
}

/// Everybody may read this file, unless the mount forbids it.
bool is_readable(pid_t process) {
  return ::access(proc_path(process, "stat").c_str(), R_OK) == 0 || errno != EPERM;
}

bool is_member_of(gid_t group) {
  if (group == ::getegid())
    return true;
  const int count = ::getgroups(0, nullptr);
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(count, 0)));
  const int read = ::getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(read, 0)));
  return std::ranges::find(groups, group) != groups.end();
}

} // namespace

std::optional<HidingMount> parse_hiding_mount(std::string_view mountinfo) {
  std::optional<HidingMount> found;
  while (!mountinfo.empty()) {
    const auto mount = parse_mount(take_until(mountinfo, '\n'));
    if (mount && mount->mount_point == "/proc") // of several the last one covers the others
      found = hiding_options(*mount);
  }
  return found;
}

std::optional<HidingMount> hiding_mount() {
  const FileDescriptor file(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  if (!file)
    return std::nullopt;
  const auto text = read_to_end(file.get(), max_mount_text);
  auto mount = text ? parse_hiding_mount(*text) : std::nullopt;
  if (!mount || has_capability(CAP_SYS_PTRACE))
    return std::nullopt;
  // The kernel asks for the group only where it hides by user: fs/proc/base.c, HIDEPID_NOT_PTRACEABLE.
  const bool by_user = mount->mode != "ptraceable" && mount->mode != "4";
  if (by_user && is_member_of(mount->group.value_or(0)))
    return std::nullopt;
  return mount;
}

std::string describe_hiding(const HidingMount &mount) {
  return fmt::format("/proc is mounted with hidepid={}", mount.mode);
}

std::string remedy_for_hiding(const HidingMount &mount) {
  std::string text = "run inspect as root (sudo) or with CAP_SYS_PTRACE";
  if (mount.group && *mount.group != 0)
    text +=
        fmt::format("; members of the group {} (the mount's gid={}) see all processes too, though they may not look "
                    "into those of others",
                    group_name(*mount.group), *mount.group);
  return text;
}

std::optional<Error> explain_hidden(pid_t process) {
  if (process <= 0)
    return std::nullopt;
  if (process_exists(process)) {
    if (is_readable(process))
      return std::nullopt;
  } else if (::kill(process, 0) != 0 && errno != EPERM) {
    return std::nullopt; // without a signal kill(2) only says whether there is one: EPERM where it is another user's
  }
  const auto mount = hiding_mount();
  if (!mount || (mount->invisible() && process_exists(process)))
    return std::nullopt;
  return Error(
      ErrorKind::not_permitted,
      fmt::format("process {} is hidden from user {}: {}", process, user_name(::geteuid()), describe_hiding(*mount)),
      remedy_for_hiding(*mount));
}

Error no_process(pid_t process) {
  if (auto hidden = explain_hidden(process))
    return std::move(*hidden);
  return Error(ErrorKind::no_such_process, fmt::format("there is no process {}", process));
}

} // namespace inspect
