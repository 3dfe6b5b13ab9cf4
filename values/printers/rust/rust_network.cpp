// Addresses of the internet, as they are written.
//
// Sources: library/core/src/net of 1.95 and library/std/src/net of 1.63; RFC 4291 section 2.2 and RFC 5952 section 4
// for the text of IPv6 addresses.
#include "values/printers/rust/rust_types.h"

#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <span>

namespace inspect {
namespace {

/// The bytes as they are sent, whatever the versions call the member that has them.
template <std::size_t Size> std::optional<std::array<std::uint8_t, Size>> octets_of(const LibraryObject &address) {
  std::array<std::uint8_t, Size> octets = {};
  if (address.size() != Size || !address.source().read(0, std::as_writable_bytes(std::span(octets))))
    return std::nullopt;
  return octets;
}

std::optional<std::string> text_of_4(const LibraryObject &address) {
  const auto octets = octets_of<4>(address);
  if (!octets)
    return std::nullopt;
  return fmt::format("{}.{}.{}.{}", (*octets)[0], (*octets)[1], (*octets)[2], (*octets)[3]);
}

struct ZeroRun {
  std::size_t begin = 0;
  std::size_t length = 0;
};

/// The first of the longest runs of groups that are zero.
ZeroRun longest_zeros(std::span<const unsigned, 8> groups) {
  ZeroRun longest;
  ZeroRun current;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    current = groups[i] != 0 ? ZeroRun{i + 1, 0} : ZeroRun{current.begin, current.length + 1};
    if (current.length > longest.length)
      longest = current;
  }
  return longest;
}

std::optional<std::string> text_of_6(const LibraryObject &address) {
  const auto octets = octets_of<16>(address);
  if (!octets)
    return std::nullopt;
  std::array<unsigned, 8> groups = {};
  for (std::size_t i = 0; i < groups.size(); ++i)
    groups[i] = static_cast<unsigned>((*octets)[2 * i]) << 8 | (*octets)[2 * i + 1];
  const ZeroRun zeros = longest_zeros(groups);
  if (zeros.begin == 0 && zeros.length == 5 && groups[5] == 0xffff)
    return fmt::format("::ffff:{}.{}.{}.{}", (*octets)[12], (*octets)[13], (*octets)[14], (*octets)[15]);
  std::string text;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (zeros.length > 1 && i == zeros.begin) {
      text += "::";
      i += zeros.length - 1;
      continue;
    }
    if (!text.empty() && !text.ends_with(':'))
      text += ':';
    text += fmt::format("{:x}", groups[i]);
  }
  return text;
}

std::optional<LibraryView> labelled(std::optional<std::string> text) {
  return text ? std::optional(plain_view(std::move(*text))) : std::nullopt;
}

std::optional<LibraryView> address_4(const Value &value, ChildRange, ValueEnvironment &environment) {
  return labelled(text_of_4(LibraryObject(value, environment)));
}

std::optional<LibraryView> address_6(const Value &value, ChildRange, ValueEnvironment &environment) {
  return labelled(text_of_6(LibraryObject(value, environment)));
}

std::optional<LibraryView> socket_4(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject socket(value, environment);
  const auto ip = socket.member("ip");
  const auto port = socket.number("port");
  const auto text = ip ? text_of_4(*ip) : std::nullopt;
  if (!text || !port)
    return std::nullopt;
  return plain_view(fmt::format("{}:{}", *text, *port));
}

std::optional<LibraryView> socket_6(const Value &value, ChildRange, ValueEnvironment &environment) {
  const LibraryObject socket(value, environment);
  const auto ip = socket.member("ip");
  const auto port = socket.number("port");
  const auto scope = socket.number("scope_id");
  const auto text = ip ? text_of_6(*ip) : std::nullopt;
  if (!text || !port || !scope)
    return std::nullopt;
  return plain_view(fmt::format("[{}{}]:{}", *text, *scope == 0 ? "" : fmt::format("%{}", *scope), *port));
}

} // namespace

std::span<const LibraryType> rust_network_types() {
  static constexpr LibraryType types[] = {
      {"core::net::ip_addr::Ipv4Addr", address_4},
      {"core::net::ip_addr::Ipv6Addr", address_6},
      {"core::net::socket_addr::SocketAddrV4", socket_4},
      {"core::net::socket_addr::SocketAddrV6", socket_6},
      {"std::net::ip_addr::Ipv4Addr", address_4},
      {"std::net::ip_addr::Ipv6Addr", address_6},
      {"std::net::socket_addr::SocketAddrV4", socket_4},
      {"std::net::socket_addr::SocketAddrV6", socket_6},
      {"std::net::ip::Ipv4Addr", address_4},
      {"std::net::ip::Ipv6Addr", address_6},
      {"std::net::addr::SocketAddrV4", socket_4},
      {"std::net::addr::SocketAddrV6", socket_6},
  };
  return types;
}

} // namespace inspect
