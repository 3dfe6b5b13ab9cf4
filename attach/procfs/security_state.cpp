#include "attach/procfs/security_state.h"

#include "attach/procfs/permission.h"
#include "attach/procfs/proc_text.h"

namespace inspect {
namespace {

/// The first line of uid_map or gid_map that maps id 0: to which id of ours. man page user_namespaces(7).
std::optional<std::uint64_t> root_of(const ProcessDirectory &process, const char *map) {
  std::string buffer;
  const auto text = process.read(map, buffer);
  if (!text)
    return std::nullopt;
  std::string_view rest = *text;
  while (!rest.empty()) {
    std::string_view line = take_until(rest, '\n');
    const auto inside = whole_number<std::uint64_t>(take_word(line));
    const auto outside = whole_number<std::uint64_t>(take_word(line));
    const auto count = whole_number<std::uint64_t>(take_word(line));
    if (inside == 0 && outside && count.value_or(0) > 0)
      return outside;
  }
  return std::nullopt;
}

/// One of user and group: what the owner of its files says.
std::optional<bool> told_by(std::uint64_t owner, std::uint64_t effective, std::optional<std::uint64_t> root) {
  if (owner != effective)
    return false;
  // The files of one that is not dumpable belong to root, that of its own user namespace where that has one.
  if (effective == 0 || !root || *root == effective)
    return std::nullopt;
  return true;
}

std::optional<bool> is_dumpable(const ProcessDirectory &process, const ProcessStatus &status) {
  const auto attributes = process.attributes("status");
  if (!attributes)
    return std::nullopt;
  const auto by_user = told_by(attributes->st_uid, status.effective_user, root_of(process, "uid_map"));
  if (by_user)
    return by_user;
  return told_by(attributes->st_gid, status.effective_group, root_of(process, "gid_map"));
}

/// The text of a label file, which may end in a line end and a NUL.
std::string label_of(const ProcessDirectory &process) {
  std::string buffer;
  for (const char *name : {"attr/current", "attr/apparmor/current", "attr/smack/current"}) {
    const auto text = process.read(name, buffer); // EINVAL where no security module answers
    if (!text)
      continue;
    const std::string_view label = text->substr(0, text->find_first_of(std::string_view("\n\0", 2)));
    if (!label.empty())
      return std::string(label);
  }
  return {};
}

} // namespace

SecurityState read_security_state(const ProcessDirectory &process, const ProcessStatus &status) {
  SecurityState state;
  state.seccomp_mode = status.seccomp_mode;
  state.seccomp_filters = status.seccomp_filters;
  state.no_new_privileges = status.no_new_privileges;
  state.dumping_core = status.dumping_core;
  if (status.tracer != 0) {
    state.tracer = process_of_thread(status.tracer);
    if (const auto stat = read_process_stat(state.tracer))
      state.tracer_name = stat->name;
  }
  state.dumpable = is_dumpable(process, status);
  state.yama_scope = yama_ptrace_scope();
  state.label = label_of(process);
  return state;
}

} // namespace inspect
