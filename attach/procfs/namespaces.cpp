#include "attach/procfs/namespaces.h"

#include <array>
#include <charconv>
#include <unistd.h>

namespace inspect {
namespace {

/// "net:[4026531840]"
std::uint64_t inode_of(const std::string &link) {
  std::uint64_t inode = 0;
  const std::size_t open = link.find('[');
  if (open != std::string::npos)
    std::from_chars(link.data() + open + 1, link.data() + link.size(), inode);
  return inode;
}

} // namespace

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
      memberships.push_back({name, inode_of(*theirs), own && *own == *theirs});
  }
  return memberships;
}

} // namespace inspect
