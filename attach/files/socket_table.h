// The sockets of a network namespace, by inode: protocol, state and both ends.
//
//     SocketTable table = read_socket_table(directory);
//     if (auto found = table.find(4242); found != table.end()) … socket_text(found->second)
//
// Read from the tables below /proc/PID/net, which show the namespace of that process: tcp, tcp6, udp, udp6, udplite,
// raw, icmp, unix, netlink, packet. A table this kernel does not have is left out. They hold every socket of the
// namespace, a hundred thousands on a busy gateway: whoever wants those of one process says which.
// Sources: man page proc(5); the kernel's Documentation/networking/proc_net_tcp.rst.
#pragma once

#include "attach/procfs/process_directory.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace inspect {

enum class SocketFamily { ipv4, ipv6, unix_domain, netlink, packet };

/// One end of an internet socket.
struct SocketEndpoint {
  std::string host;        ///< as inet_ntop(3) writes it: "127.0.0.1", "2001:db8::1"
  std::uint16_t port = 0;  ///< of raw sockets the protocol's number
  bool unspecified = true; ///< any address and port 0: there is no such end
};

struct SocketEntry {
  bool is_internet() const { return family == SocketFamily::ipv4 || family == SocketFamily::ipv6; }

  SocketFamily family = SocketFamily::unix_domain;
  std::string protocol; ///< "tcp", "udp", "udplite", "raw", "icmp", "unix", "netlink", "packet"
  /// "listening", "established", "connecting", "syn received", "fin wait 1", "fin wait 2", "time wait", "closed",
  /// "close wait", "last ack", "closing", "unconnected", "connected"; empty where there is none (netlink, packet).
  std::string_view state;
  SocketEndpoint local;  ///< internet sockets only
  SocketEndpoint remote; ///< internet sockets only
  std::string path; ///< unix: '@' in front of an abstract one, empty without a name; netlink and packet: what it is
  std::string_view type; ///< unix: "stream", "datagram", "seqpacket"
};

using SocketTable = std::unordered_map<std::uint64_t, SocketEntry>;

/// Which sockets are wanted, and what comes along when they are looked for.
struct SocketSelection {
  std::unordered_set<std::uint64_t> inodes;
  /// Filled while reading: the TCP ports that some process of the namespace listens on, in the tables that were read.
  /// A connection to one of them was accepted, whoever holds the listening socket.
  std::unordered_set<std::uint16_t> listening_ports;
};

/// `wanted`: only these, and no table is read after the last of them was found; null: all.
SocketTable read_socket_table(const ProcessDirectory &process, SocketSelection *wanted = nullptr);

/// "127.0.0.1:80", "[::1]:80".
std::string endpoint_text(SocketFamily family, const SocketEndpoint &endpoint);
/// "tcp 127.0.0.1:6379 (listening)", "tcp 10.0.0.1:80 -> 10.0.0.2:5123", "unix /run/x.sock (listening)", "netlink
/// route"; the state of what is plainly connected is not said. `inode` names a unix socket that has no path.
std::string socket_text(const SocketEntry &socket, std::uint64_t inode);

/// One table's text, for read_socket_table and the tests. `protocol` is "tcp", "udp", …, as it shall be shown.
void parse_internet_sockets(std::string_view protocol, std::string_view text, SocketTable &into,
                            SocketSelection *wanted = nullptr);
/// The kernel writes paths as they are, line ends included, so that a path can feign a line: an inode that occurs twice
/// with different words is listed without a path and without a state.
void parse_unix_sockets(std::string_view text, SocketTable &into, SocketSelection *wanted = nullptr);
void parse_netlink_sockets(std::string_view text, SocketTable &into, SocketSelection *wanted = nullptr);
void parse_packet_sockets(std::string_view text, SocketTable &into, SocketSelection *wanted = nullptr);

} // namespace inspect
