#include "attach/procfs/capabilities.h"

#include "attach/procfs/proc_file.h"
#include "attach/procfs/proc_text.h"

#include <array>
#include <fmt/format.h>
#include <unistd.h>

namespace inspect {

std::uint64_t known_capabilities() {
  constexpr unsigned highest = 63;
  unsigned last = highest;
  if (const auto text = read_proc_file(::getpid(), "/proc/sys/kernel/cap_last_cap"))
    last = whole_number<unsigned>(trimmed(*text)).value_or(highest);
  return last >= highest ? ~std::uint64_t{0} : (std::uint64_t{1} << (last + 1)) - 1;
}

std::vector<std::string> capability_names(std::uint64_t set) {
  constexpr auto known = std::to_array<std::string_view>({"chown",
                                                          "dac_override",
                                                          "dac_read_search",
                                                          "fowner",
                                                          "fsetid",
                                                          "kill",
                                                          "setgid",
                                                          "setuid",
                                                          "setpcap",
                                                          "linux_immutable",
                                                          "net_bind_service",
                                                          "net_broadcast",
                                                          "net_admin",
                                                          "net_raw",
                                                          "ipc_lock",
                                                          "ipc_owner",
                                                          "sys_module",
                                                          "sys_rawio",
                                                          "sys_chroot",
                                                          "sys_ptrace",
                                                          "sys_pacct",
                                                          "sys_admin",
                                                          "sys_boot",
                                                          "sys_nice",
                                                          "sys_resource",
                                                          "sys_time",
                                                          "sys_tty_config",
                                                          "mknod",
                                                          "lease",
                                                          "audit_write",
                                                          "audit_control",
                                                          "setfcap",
                                                          "mac_override",
                                                          "mac_admin",
                                                          "syslog",
                                                          "wake_alarm",
                                                          "block_suspend",
                                                          "audit_read",
                                                          "perfmon",
                                                          "bpf",
                                                          "checkpoint_restore"});
  std::vector<std::string> names;
  for (unsigned number = 0; number < 64; ++number)
    if ((set >> number & 1U) != 0)
      names.push_back(number < known.size() ? fmt::format("cap_{}", known[number]) : fmt::format("cap_{}", number));
  return names;
}

} // namespace inspect
