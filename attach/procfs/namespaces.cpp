#include "attach/procfs/namespaces.h"

#include "attach/procfs/proc_text.h"

#include <array>
#include <unistd.h>

namespace inspect {
Result<std::vector<NamespaceMembership>> read_namespaces(const ProcessDirectory &process) {
  constexpr std::array<const char *, 8> names = {"mnt", "net", "pid", "user", "uts", "ipc", "cgroup", "time"};
  const auto self = ProcessDirectory::open(::getpid());
  if (!self)
    return std::unexpected(self.error());
  std::vector<NamespaceMembership> memberships;
  for (const char *name : names) {
    const std::string path = std::string("ns/") + name;
    const auto theirs = process.link(path.c_str());
    const auto own = self->link(path.c_str());
    if (!theirs && theirs.error().kind() != ErrorKind::not_found)
      return std::unexpected(theirs.error());
    if (theirs)
      memberships.push_back({name, inode_in_link(*theirs).value_or(0), own && *own == *theirs});
  }
  return memberships;
}

} // namespace inspect
