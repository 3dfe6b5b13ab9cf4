#include "attach/files/unix_peers.h"

#include "machine/file_descriptor.h"

#include <cerrno>
#include <cstring>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <memory>
#include <span>
#include <sys/socket.h>

namespace inspect {
namespace {

struct Request {
  nlmsghdr header;
  unix_diag_req body;
};

template <typename T> T load(std::span<const char> bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return value;
}

/// What the messages say, put together when all have been read: a peer may come after the socket it belongs to.
struct Seen {
  std::unordered_map<std::uint64_t, std::uint64_t> peers;
  std::unordered_map<std::uint64_t, std::string> names;
};

void read_attributes(std::span<const char> bytes, std::uint64_t inode, Seen &seen) {
  while (bytes.size() >= sizeof(rtattr)) {
    const auto attribute = load<rtattr>(bytes);
    if (attribute.rta_len < sizeof(rtattr) || attribute.rta_len > bytes.size())
      return;
    const auto content = bytes.subspan(sizeof(rtattr), attribute.rta_len - sizeof(rtattr));
    if (attribute.rta_type == UNIX_DIAG_PEER && content.size() >= sizeof(std::uint32_t)) {
      seen.peers[inode] = load<std::uint32_t>(content);
    } else if (attribute.rta_type == UNIX_DIAG_NAME && !content.empty()) {
      std::string name(content.data(), content.size());
      if (name.front() == '\0')
        name.front() = '@';
      else
        name.resize(::strnlen(name.data(), name.size()));
      seen.names[inode] = std::move(name);
    }
    bytes = bytes.subspan(std::min<std::size_t>(RTA_ALIGN(attribute.rta_len), bytes.size()));
  }
}

enum class Progress { more, done, refused };

Progress read_messages(std::span<const char> bytes, Seen &seen) {
  while (bytes.size() >= sizeof(nlmsghdr)) {
    const auto header = load<nlmsghdr>(bytes);
    if (header.nlmsg_type == NLMSG_DONE)
      return Progress::done;
    if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_len < sizeof header || header.nlmsg_len > bytes.size())
      return Progress::refused;
    const auto body = bytes.subspan(sizeof header, header.nlmsg_len - sizeof header);
    if (header.nlmsg_type == SOCK_DIAG_BY_FAMILY && body.size() >= sizeof(unix_diag_msg))
      read_attributes(body.subspan(NLMSG_ALIGN(sizeof(unix_diag_msg))), load<unix_diag_msg>(body).udiag_ino, seen);
    bytes = bytes.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), bytes.size()));
  }
  return Progress::more;
}

} // namespace

Result<UnixPeers> read_unix_peers() {
  const auto failure = [] { return std::unexpected(Error::from_errno(errno, "asking for the unix sockets")); };
  const FileDescriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket)
    return failure();
  Request request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.sdiag_family = AF_UNIX;
  request.body.udiag_states = ~0U;
  request.body.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER;
  if (::send(socket.get(), &request, sizeof request, 0) < 0)
    return failure();
  constexpr std::size_t buffer_size = 64 << 10;
  const auto buffer = std::make_unique<char[]>(buffer_size);
  Seen seen;
  for (;;) {
    const ssize_t count = ::recv(socket.get(), buffer.get(), buffer_size, 0);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return failure();
    const Progress progress = read_messages({buffer.get(), static_cast<std::size_t>(count)}, seen);
    if (progress == Progress::refused)
      return std::unexpected(Error(ErrorKind::unsupported, "the kernel does not tell of unix sockets"));
    if (progress == Progress::done)
      break;
  }
  UnixPeers peers;
  for (const auto &[inode, peer] : seen.peers)
    if (const auto name = seen.names.find(peer); name != seen.names.end())
      peers.emplace(inode, name->second);
  return peers;
}

} // namespace inspect
