// The sockets of a process, each with the descriptors that lead to it, and their summary: which ones listen, and who is
// connected to whom how often.
#pragma once

#include "attach/files/descriptor_list.h"
#include "attach/files/socket_table.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

enum class SocketRole {
  listening, ///< accepts connections, or takes datagrams from anybody
  accepted,  ///< connected to a port that a process of its namespace listens on
  connected, ///< connected, and not accepted as far as can be told
  other      ///< neither: fresh, closed, netlink, packet
};

struct OpenSocket {
  SocketEntry entry;
  SocketRole role = SocketRole::other;
  std::uint64_t inode = 0;
  std::vector<int> descriptors;
  std::string peer; ///< unix: the peer's name, where it has one and our network namespace is the process'
};

struct OpenSockets {
  std::vector<OpenSocket> sockets; ///< by protocol, then as their descriptors come
  /// Descriptors of sockets that are not in the tables of the process' network namespace: they came from another one,
  /// are of a family that has no table, or are not bound yet.
  std::size_t not_in_tables = 0;
};

/// The sockets among these descriptors, looked up in the process' own network namespace.
OpenSockets read_open_sockets(const ProcessDirectory &process, const std::vector<OpenDescriptor> &descriptors);

/// Sockets that differ in nothing but the peer's port, or in nothing at all.
struct SocketGroup {
  SocketRole role = SocketRole::other;
  std::string protocol;
  std::string_view type; ///< of unix sockets
  std::string local;     ///< "127.0.0.1:80"; of unix sockets the path
  std::string remote;    ///< accepted: the host alone; connected: "10.0.0.5:5432", or a unix peer's name; empty: none
  std::map<std::string_view, std::size_t> states;
  std::size_t count = 0;
  std::vector<int> descriptors; ///< the first few
};

/// Listening sockets first, then accepted, connected and other ones; larger groups first, listening ones by address.
std::vector<SocketGroup> group_sockets(const std::vector<OpenSocket> &sockets);

} // namespace inspect
