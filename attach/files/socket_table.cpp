#include "attach/files/socket_table.h"

#include "attach/procfs/proc_text.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <utility>

namespace inspect {
namespace {

std::string_view skip_fields(std::string_view &line, int count) {
  std::string_view field;
  for (int i = 0; i < count; ++i)
    field = take_word(line);
  return field;
}

/// Calls `each` with every line but the first, which holds the headings.
template <typename Each> void for_each_row(std::string_view text, const Each &each) {
  bool heading = true;
  while (!text.empty()) {
    const std::string_view line = take_until(text, '\n');
    if (!std::exchange(heading, false))
      each(line);
  }
}

/// The port of "0100007F:0016".
void note_port(std::string_view field, std::unordered_set<std::uint16_t> &ports) {
  const std::size_t colon = field.find(':');
  if (const auto port =
          colon == std::string_view::npos ? std::nullopt : whole_number<std::uint16_t>(field.substr(colon + 1), 16))
    ports.insert(*port);
}

bool is_wanted(std::optional<std::uint64_t> inode, SocketSelection *wanted) {
  // Inode 0 stands in the lines of sockets that no process has any more.
  return inode && *inode != 0 && (wanted == nullptr || wanted->inodes.contains(*inode));
}

/// "0100007F:0016": the address as 32-bit words in the byte order of the machine, printed in hex; then the port.
std::optional<SocketEndpoint> endpoint(std::string_view field) {
  const std::size_t colon = field.find(':');
  const std::string_view digits = field.substr(0, colon);
  if (colon == std::string_view::npos || (digits.size() != 8 && digits.size() != 32))
    return std::nullopt;
  const auto port = whole_number<std::uint16_t>(field.substr(colon + 1), 16);
  std::array<std::uint32_t, 4> words{};
  for (std::size_t i = 0; i < digits.size() / 8; ++i) {
    const auto word = whole_number<std::uint32_t>(digits.substr(8 * i, 8), 16);
    if (!word)
      return std::nullopt;
    words[i] = *word;
  }
  if (!port)
    return std::nullopt;
  const bool six = digits.size() == 32;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_ntop(six ? AF_INET6 : AF_INET, words.data(), text.data(), text.size()) == nullptr)
    return std::nullopt;
  const bool unspecified = *port == 0 && std::ranges::all_of(words, [](std::uint32_t word) { return word == 0; });
  return SocketEndpoint{text.data(), *port, unspecified};
}

constexpr std::string_view listening = "listening";
constexpr std::string_view established = "established";
constexpr std::string_view closed = "closed";
constexpr std::string_view connected = "connected";
constexpr std::string_view unconnected = "unconnected";

/// The kernel's numbers: include/net/tcp_states.h, which it uses for all internet sockets.
std::string_view internet_state(std::string_view protocol, std::uint32_t state) {
  constexpr std::array<std::string_view, 13> names = {
      "",     established,  "connecting", "syn received", "fin wait 1", "fin wait 2",  "time wait",
      closed, "close wait", "last ack",   listening,      "closing",    "syn received"};
  if (!protocol.starts_with("tcp"))
    return state == 1 ? connected : unconnected;
  return state < names.size() ? names[state] : std::string_view();
}

/// Socket types by number: man page socket(2), linux/net.h.
std::string_view unix_type(std::uint32_t number) {
  switch (number) {
  case 1:
    return "stream";
  case 2:
    return "datagram";
  case 5:
    return "seqpacket";
  default:
    return {};
  }
}

/// SS_UNCONNECTED 1, SS_CONNECTING 2, SS_CONNECTED 3, SS_DISCONNECTING 4: linux/net.h, enum socket_state.
std::string_view unix_state(bool accepts, std::uint32_t state) {
  if (accepts)
    return listening;
  constexpr std::array<std::string_view, 5> names = {"", unconnected, "connecting", connected, "closing"};
  return state < names.size() ? names[state] : std::string_view();
}

/// Netlink protocols by number: linux/netlink.h.
std::string netlink_protocol(std::uint32_t number) {
  constexpr std::array<std::string_view, 23> names = {
      "route",   "",      "usersock",      "",          "sock_diag", "nflog",  "xfrm",    "selinux",
      "iscsi",   "audit", "fib_lookup",    "connector", "netfilter", "",       "dnrtmsg", "kobject_uevent",
      "generic", "",      "scsitransport", "ecryptfs",  "rdma",      "crypto", "smc"};
  if (number < names.size() && !names[number].empty())
    return std::string(names[number]);
  return fmt::format("protocol {}", number);
}

} // namespace

void parse_internet_sockets(std::string_view protocol, std::string_view text, SocketTable &into,
                            SocketSelection *wanted) {
  // sl local_address rem_address st tx:rx tr:tm->when retrnsmt uid timeout inode
  const bool is_tcp = protocol == "tcp";
  for_each_row(text, [&](std::string_view line) {
    skip_fields(line, 1);
    const std::string_view local_field = take_word(line);
    const std::string_view remote_field = take_word(line);
    const std::string_view state_field = take_word(line);
    const auto inode = whole_number<std::uint64_t>(skip_fields(line, 6), 10);
    if (wanted != nullptr && is_tcp && state_field == "0A")
      note_port(local_field, wanted->listening_ports);
    if (!is_wanted(inode, wanted))
      return;
    auto local = endpoint(local_field);
    auto remote = endpoint(remote_field);
    const auto state = whole_number<std::uint32_t>(state_field, 16);
    if (!local || !remote || !state)
      return;
    SocketEntry entry;
    entry.family = local_field.size() > 16 ? SocketFamily::ipv6 : SocketFamily::ipv4;
    entry.protocol = protocol;
    entry.state = internet_state(protocol, *state);
    entry.local = std::move(*local);
    entry.remote = std::move(*remote);
    into.insert_or_assign(*inode, std::move(entry));
  });
}

void parse_unix_sockets(std::string_view text, SocketTable &into, SocketSelection *wanted) {
  // Num RefCount Protocol Flags Type St Inode Path
  constexpr std::uint32_t accepts = 0x10000; // __SO_ACCEPTCON, include/uapi/linux/net.h
  for_each_row(text, [&](std::string_view line) {
    const auto flags = whole_number<std::uint32_t>(skip_fields(line, 4), 16);
    const auto type = whole_number<std::uint32_t>(take_word(line), 16);
    const auto state = whole_number<std::uint32_t>(take_word(line), 16);
    const auto inode = whole_number<std::uint64_t>(take_word(line), 10);
    if (!flags || !type || !state || !is_wanted(inode, wanted))
      return;
    SocketEntry entry;
    entry.protocol = "unix";
    entry.type = unix_type(*type);
    entry.state = unix_state((*flags & accepts) != 0, *state);
    // The path is the rest of the line, blanks and all.
    entry.path = line.starts_with(' ') ? line.substr(1) : line;
    const auto [place, is_new] = into.try_emplace(*inode, entry);
    if (is_new || place->second.family != SocketFamily::unix_domain)
      return;
    if (place->second.path != entry.path || place->second.state != entry.state) {
      place->second.path.clear();
      place->second.state = {};
    }
  });
}

void parse_netlink_sockets(std::string_view text, SocketTable &into, SocketSelection *wanted) {
  // sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
  for_each_row(text, [&](std::string_view line) {
    const auto protocol = whole_number<std::uint32_t>(skip_fields(line, 2), 10);
    const auto inode = whole_number<std::uint64_t>(skip_fields(line, 8), 10);
    if (!protocol || !is_wanted(inode, wanted))
      return;
    SocketEntry entry;
    entry.family = SocketFamily::netlink;
    entry.protocol = "netlink";
    entry.path = netlink_protocol(*protocol);
    into.insert_or_assign(*inode, std::move(entry));
  });
}

void parse_packet_sockets(std::string_view text, SocketTable &into, SocketSelection *wanted) {
  // sk RefCnt Type Proto Iface R Rmem User Inode
  for_each_row(text, [&](std::string_view line) {
    const std::string_view protocol = skip_fields(line, 4);
    const auto inode = whole_number<std::uint64_t>(skip_fields(line, 5), 10);
    if (!is_wanted(inode, wanted))
      return;
    SocketEntry entry;
    entry.family = SocketFamily::packet;
    entry.protocol = "packet";
    entry.path = fmt::format("protocol 0x{}", protocol);
    into.insert_or_assign(*inode, std::move(entry));
  });
}

std::string endpoint_text(SocketFamily family, const SocketEndpoint &endpoint) {
  return family == SocketFamily::ipv6 ? fmt::format("[{}]:{}", endpoint.host, endpoint.port)
                                      : fmt::format("{}:{}", endpoint.host, endpoint.port);
}

std::string socket_text(const SocketEntry &socket, std::uint64_t inode) {
  std::string words = socket.protocol + " ";
  if (socket.is_internet()) {
    words += endpoint_text(socket.family, socket.local);
    if (!socket.remote.unspecified)
      words += " -> " + endpoint_text(socket.family, socket.remote);
  } else {
    words += socket.path.empty() ? fmt::format("socket:[{}]", inode) : socket.path;
  }
  const bool plain = socket.state.empty() || socket.state == established || socket.state == closed ||
                     socket.state == connected || socket.state == unconnected;
  return plain ? words : fmt::format("{} ({})", words, socket.state);
}

SocketTable read_socket_table(const ProcessDirectory &process, SocketSelection *wanted) {
  SocketTable table;
  std::string buffer;
  const auto complete = [&] { return wanted != nullptr && table.size() >= wanted->inodes.size(); };
  const auto text_of = [&](const char *file) {
    const auto text = process.read(file, buffer);
    return text ? *text : std::string_view();
  };
  constexpr std::array<std::pair<const char *, std::string_view>, 10> internet = {{{"net/tcp", "tcp"},
                                                                                   {"net/tcp6", "tcp"},
                                                                                   {"net/udp", "udp"},
                                                                                   {"net/udp6", "udp"},
                                                                                   {"net/udplite", "udplite"},
                                                                                   {"net/udplite6", "udplite"},
                                                                                   {"net/raw", "raw"},
                                                                                   {"net/raw6", "raw"},
                                                                                   {"net/icmp", "icmp"},
                                                                                   {"net/icmp6", "icmp"}}};
  for (const auto &[file, protocol] : internet)
    if (!complete())
      parse_internet_sockets(protocol, text_of(file), table, wanted);
  if (!complete())
    parse_netlink_sockets(text_of("net/netlink"), table, wanted);
  if (!complete())
    parse_packet_sockets(text_of("net/packet"), table, wanted);
  // Last, for a path in it can feign lines: what the other tables say of an inode stands.
  if (!complete())
    parse_unix_sockets(text_of("net/unix"), table, wanted);
  return table;
}

} // namespace inspect
