#include "inspector/process/open_sockets.h"

#include "attach/files/unix_peers.h"

#include <algorithm>
#include <tuple>
#include <unistd.h>
#include <unordered_map>

namespace inspect {
namespace {

SocketRole role_of(const SocketEntry &entry, const SocketSelection &selection) {
  if (entry.state == "listening")
    return SocketRole::listening;
  if (entry.is_internet()) {
    if (entry.remote.unspecified)
      return entry.protocol != "tcp" && !entry.local.unspecified ? SocketRole::listening : SocketRole::other;
    const bool accepted = entry.protocol == "tcp" && selection.listening_ports.contains(entry.local.port);
    return accepted ? SocketRole::accepted : SocketRole::connected;
  }
  if (entry.family != SocketFamily::unix_domain)
    return SocketRole::other;
  if (entry.state == "connected" || entry.state == "closing")
    return entry.path.empty() ? SocketRole::connected : SocketRole::accepted; // an accepted one has its listener's path
  return entry.type == "datagram" && !entry.path.empty() ? SocketRole::listening : SocketRole::other;
}

std::string local_text(const OpenSocket &socket) {
  if (!socket.entry.is_internet())
    return socket.entry.path;
  // Where we connect from is the kernel's choice and differs from socket to socket.
  return socket.role == SocketRole::connected ? std::string() : endpoint_text(socket.entry.family, socket.entry.local);
}

std::string remote_text(const OpenSocket &socket) {
  const SocketEntry &entry = socket.entry;
  if (entry.family == SocketFamily::unix_domain)
    return socket.role == SocketRole::connected ? socket.peer : std::string();
  if (!entry.is_internet() || entry.remote.unspecified)
    return {};
  return socket.role == SocketRole::accepted ? entry.remote.host : endpoint_text(entry.family, entry.remote);
}

/// Names the peers of connected unix sockets that have no name themselves.
void add_unix_peers(const ProcessDirectory &process, std::vector<OpenSocket> &sockets) {
  const auto is_asked = [](const OpenSocket &socket) {
    return socket.entry.family == SocketFamily::unix_domain && socket.role == SocketRole::connected;
  };
  if (std::ranges::none_of(sockets, is_asked))
    return;
  const auto self = ProcessDirectory::open(::getpid());
  const auto own = self ? self->link("ns/net") : std::unexpected(self.error());
  const auto theirs = process.link("ns/net");
  if (!own || !theirs || *own != *theirs)
    return; // numbers of another namespace's sockets would be looked up among ours
  const auto peers = read_unix_peers();
  if (!peers)
    return; // a kernel without the diagnosis: they stay without a name
  for (OpenSocket &socket : sockets)
    if (is_asked(socket))
      if (const auto found = peers->find(socket.inode); found != peers->end())
        socket.peer = found->second;
}

} // namespace

OpenSockets read_open_sockets(const ProcessDirectory &process, const std::vector<OpenDescriptor> &descriptors) {
  std::unordered_map<std::uint64_t, std::vector<int>> wanted;
  SocketSelection selection;
  for (const OpenDescriptor &descriptor : descriptors) {
    if (descriptor.kind != DescriptorKind::socket || descriptor.inode == 0)
      continue;
    wanted[descriptor.inode].push_back(descriptor.number);
    selection.inodes.insert(descriptor.inode);
  }
  OpenSockets open;
  if (wanted.empty())
    return open;
  SocketTable table = read_socket_table(process, &selection);
  open.sockets.reserve(table.size());
  for (auto &[inode, numbers] : wanted) {
    const auto found = table.find(inode);
    if (found == table.end()) {
      open.not_in_tables += numbers.size();
      continue;
    }
    OpenSocket socket;
    socket.role = role_of(found->second, selection);
    socket.entry = std::move(found->second);
    socket.inode = inode;
    socket.descriptors = std::move(numbers);
    open.sockets.push_back(std::move(socket));
  }
  add_unix_peers(process, open.sockets);
  std::ranges::sort(open.sockets, {}, [](const OpenSocket &socket) {
    return std::tie(socket.role, socket.entry.protocol, socket.descriptors.front());
  });
  return open;
}

std::vector<SocketGroup> group_sockets(const std::vector<OpenSocket> &sockets) {
  constexpr std::size_t max_examples = 4;
  using Key = std::tuple<SocketRole, std::string, std::string, std::string, std::string_view>;
  std::map<Key, SocketGroup> groups;
  for (const OpenSocket &socket : sockets) {
    Key key{socket.role, socket.entry.protocol, local_text(socket), remote_text(socket), socket.entry.type};
    SocketGroup &group = groups[key];
    if (group.count++ == 0) {
      std::tie(group.role, group.protocol, group.local, group.remote, group.type) = std::move(key);
    }
    ++group.states[socket.entry.state];
    for (const int number : socket.descriptors)
      if (group.descriptors.size() < max_examples)
        group.descriptors.push_back(number);
  }
  std::vector<SocketGroup> sorted;
  sorted.reserve(groups.size());
  for (auto &[key, group] : groups)
    sorted.push_back(std::move(group));
  std::ranges::stable_sort(sorted, [](const SocketGroup &one, const SocketGroup &other) {
    if (one.role != other.role || one.role == SocketRole::listening)
      return one.role < other.role;
    return one.count > other.count;
  });
  return sorted;
}

} // namespace inspect
