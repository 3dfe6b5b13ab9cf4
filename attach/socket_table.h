// The sockets of a network namespace in words, by inode: "tcp 127.0.0.1:6379 (listening)", "unix /run/x.sock", …
//
// Read from the tables below /proc/PID/net, which show the namespace of that process: tcp, tcp6, udp, udp6, udplite,
// raw, icmp, unix, netlink, packet. A table this kernel does not have is left out.
// Sources: man page proc(5); the kernel's Documentation/networking/proc_net_tcp.rst.
#pragma once

#include "attach/process_directory.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace inspect {

using SocketTable = std::unordered_map<std::uint64_t, std::string>;

SocketTable read_socket_table(const ProcessDirectory &process);

/// One table's text, for read_socket_table and the tests. `protocol` is "tcp", "udp", …, as it shall be shown.
void parse_internet_sockets(std::string_view protocol, std::string_view text, SocketTable &into);
void parse_unix_sockets(std::string_view text, SocketTable &into);
void parse_netlink_sockets(std::string_view text, SocketTable &into);
void parse_packet_sockets(std::string_view text, SocketTable &into);

} // namespace inspect
