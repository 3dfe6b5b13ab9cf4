#include "attach/socket_table.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace inspect {
namespace {

/// What is left of a line; fields are separated by runs of blanks.
std::string_view next_field(std::string_view &line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view field = line.substr(0, line.find(' '));
  line.remove_prefix(field.size());
  return field;
}

std::string_view skip_fields(std::string_view &line, int count) {
  std::string_view field;
  for (int i = 0; i < count; ++i)
    field = next_field(line);
  return field;
}

template <typename T> std::optional<T> number(std::string_view text, int base) {
  T value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

/// Calls `each` with every line but the first, which holds the headings.
void for_each_row(std::string_view text, const std::function<void(std::string_view)> &each) {
  bool heading = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (!std::exchange(heading, false))
      each(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

struct Endpoint {
  std::string text;
  bool unspecified = true; ///< any address, port 0
};

/// "0100007F:0016": the address as 32-bit words in the byte order of the machine, printed in hex; then the port.
std::optional<Endpoint> endpoint(std::string_view field) {
  const std::size_t colon = field.find(':');
  const std::string_view digits = field.substr(0, colon);
  if (colon == std::string_view::npos || (digits.size() != 8 && digits.size() != 32))
    return std::nullopt;
  const auto port = number<std::uint16_t>(field.substr(colon + 1), 16);
  std::array<std::uint32_t, 4> words{};
  for (std::size_t i = 0; i < digits.size() / 8; ++i) {
    const auto word = number<std::uint32_t>(digits.substr(8 * i, 8), 16);
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
  return Endpoint{six ? fmt::format("[{}]:{}", text.data(), *port) : fmt::format("{}:{}", text.data(), *port),
                  *port == 0 && std::ranges::all_of(words, [](std::uint32_t word) { return word == 0; })};
}

/// The kernel's numbers (include/net/tcp_states.h); what is not worth a word is empty.
std::string_view tcp_state(std::uint32_t state) {
  constexpr std::array<std::string_view, 13> names = {
      "", "",           "connecting", "syn received", "fin wait 1", "fin wait 2",  "time wait",
      "", "close wait", "last ack",   "listening",    "closing",    "syn received"};
  return state < names.size() ? names[state] : std::string_view();
}

constexpr std::uint32_t listening = 10;

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

void parse_internet_sockets(std::string_view protocol, std::string_view text, SocketTable &into) {
  // sl local_address rem_address st tx:rx tr:tm->when retrnsmt uid timeout inode
  for_each_row(text, [&](std::string_view line) {
    skip_fields(line, 1);
    const auto local = endpoint(next_field(line));
    const auto remote = endpoint(next_field(line));
    const auto state = number<std::uint32_t>(next_field(line), 16);
    const auto inode = number<std::uint64_t>(skip_fields(line, 6), 10);
    if (!local || !remote || !state || !inode || *inode == 0)
      return;
    std::string words = fmt::format("{} {}", protocol, local->text);
    const bool is_tcp = protocol.starts_with("tcp");
    if (!remote->unspecified)
      words += " -> " + remote->text;
    if (is_tcp && !tcp_state(*state).empty() && (remote->unspecified || *state != listening))
      words += fmt::format(" ({})", tcp_state(*state));
    into.insert_or_assign(*inode, std::move(words));
  });
}

void parse_unix_sockets(std::string_view text, SocketTable &into) {
  // Num RefCount Protocol Flags Type St Inode Path
  constexpr std::uint32_t accepts = 0x10000; // __SO_ACCEPTCON, include/uapi/linux/net.h
  for_each_row(text, [&](std::string_view line) {
    const auto flags = number<std::uint32_t>(skip_fields(line, 4), 16);
    const auto inode = number<std::uint64_t>(skip_fields(line, 3), 10);
    if (!flags || !inode || *inode == 0)
      return;
    // The path is the rest of the line, blanks and all.
    const std::string_view path = line.starts_with(' ') ? line.substr(1) : line;
    std::string words = path.empty() ? fmt::format("unix socket:[{}]", *inode) : fmt::format("unix {}", path);
    if ((*flags & accepts) != 0)
      words += " (listening)";
    into.insert_or_assign(*inode, std::move(words));
  });
}

void parse_netlink_sockets(std::string_view text, SocketTable &into) {
  // sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
  for_each_row(text, [&](std::string_view line) {
    const auto protocol = number<std::uint32_t>(skip_fields(line, 2), 10);
    const auto inode = number<std::uint64_t>(skip_fields(line, 8), 10);
    if (protocol && inode && *inode != 0)
      into.insert_or_assign(*inode, fmt::format("netlink {}", netlink_protocol(*protocol)));
  });
}

void parse_packet_sockets(std::string_view text, SocketTable &into) {
  // sk RefCnt Type Proto Iface R Rmem User Inode
  for_each_row(text, [&](std::string_view line) {
    const std::string_view protocol = skip_fields(line, 4);
    const auto inode = number<std::uint64_t>(skip_fields(line, 5), 10);
    if (inode && *inode != 0)
      into.insert_or_assign(*inode, fmt::format("packet protocol 0x{}", protocol));
  });
}

SocketTable read_socket_table(const ProcessDirectory &process) {
  SocketTable table;
  std::string buffer;
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
    parse_internet_sockets(protocol, text_of(file), table);
  parse_unix_sockets(text_of("net/unix"), table);
  parse_netlink_sockets(text_of("net/netlink"), table);
  parse_packet_sockets(text_of("net/packet"), table);
  return table;
}

} // namespace inspect
