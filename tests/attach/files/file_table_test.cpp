#include "attach/files/file_table.h"

#include "attach/files/socket_table.h"
#include "machine/file_descriptor.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"

#include <arpa/inet.h>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <linux/netlink.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace inspect {
namespace {

std::string described(const FileDescriptor &descriptor) {
  FileTable files(::getpid());
  const auto text = files.describe(descriptor.get());
  REQUIRE(text.has_value());
  return *text;
}

TEST_CASE("files, pipes and anonymous inodes are described") {
  std::string path = (std::filesystem::temp_directory_path() / "inspect-files-XXXXXX").string();
  const FileDescriptor file(::mkstemp(path.data()));
  CHECK(described(file) == path);
  ::unlink(path.c_str());
  CHECK(described(file) == path + " (deleted)");
  CHECK(described(FileDescriptor(::epoll_create1(EPOLL_CLOEXEC))) == "eventpoll");
  CHECK(described(FileDescriptor(::eventfd(0, EFD_CLOEXEC))) == "eventfd");
  CHECK(described(FileDescriptor(::memfd_create("a name", MFD_CLOEXEC))) == "memfd:a name");
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const FileDescriptor reader(ends[0]);
  const FileDescriptor writer(ends[1]);
  CHECK(described(reader).starts_with("pipe:["));
  CHECK(described(reader) == described(writer));
}

TEST_CASE("a descriptor that is not open, and a process that is none, are told apart") {
  FileTable files(::getpid());
  CHECK(files.describe(99'999).error().kind() == ErrorKind::not_found);
  CHECK(files.describe(-1).error().kind() == ErrorKind::not_found);
  auto child = test::ChildProcess::forked([] { return 0; });
  const pid_t gone = child.pid();
  child.wait();
  CHECK(FileTable(gone).describe(0).error().kind() == ErrorKind::no_such_process);
}

template <typename Address> FileDescriptor bound(int family, int type, const Address &address, socklen_t length) {
  FileDescriptor socket(::socket(family, type | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr *>(&address), length) == 0);
  return socket;
}

template <typename Address> Address name_of(const FileDescriptor &socket) {
  Address address{};
  socklen_t length = sizeof address;
  REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr *>(&address), &length) == 0);
  return address;
}

TEST_CASE("TCP sockets are described with both ends and their state") {
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const FileDescriptor server = bound(AF_INET, SOCK_STREAM, any, sizeof any);
  REQUIRE(::listen(server.get(), 1) == 0);
  const auto address = name_of<sockaddr_in>(server);
  const int port = ntohs(address.sin_port);
  CHECK(described(server) == fmt::format("tcp 127.0.0.1:{} (listening)", port));
  const FileDescriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0);
  const int client_port = ntohs(name_of<sockaddr_in>(client).sin_port);
  CHECK(described(client) == fmt::format("tcp 127.0.0.1:{} -> 127.0.0.1:{}", client_port, port));
  FileDescriptor accepted(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
  CHECK(described(accepted) == fmt::format("tcp 127.0.0.1:{} -> 127.0.0.1:{}", port, client_port));
  ::shutdown(accepted.get(), SHUT_RDWR);
  CHECK(described(client) == fmt::format("tcp 127.0.0.1:{} -> 127.0.0.1:{} (close wait)", client_port, port));
}

TEST_CASE("UDP, unix and netlink sockets are described") {
  sockaddr_in any{};
  any.sin_family = AF_INET;
  const FileDescriptor udp = bound(AF_INET, SOCK_DGRAM, any, sizeof any);
  CHECK(described(udp) == fmt::format("udp 0.0.0.0:{}", ntohs(name_of<sockaddr_in>(udp).sin_port)));

  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  const std::string path =
      (std::filesystem::temp_directory_path() / fmt::format("inspect socket {}", ::getpid())).string();
  std::memcpy(local.sun_path, path.c_str(), path.size());
  const FileDescriptor named = bound(AF_UNIX, SOCK_STREAM, local, sizeof local);
  REQUIRE(::listen(named.get(), 1) == 0);
  CHECK(described(named) == fmt::format("unix {} (listening)", path));
  ::unlink(path.c_str());

  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  const FileDescriptor one(pair[0]);
  const FileDescriptor two(pair[1]);
  CHECK(described(one).starts_with("unix socket:["));
  CHECK(described(one) != described(two));

  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  FileDescriptor netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  REQUIRE(::bind(netlink.get(), reinterpret_cast<const sockaddr *>(&kernel), sizeof kernel) == 0);
  CHECK(described(netlink) == "netlink route");
}

TEST_CASE("IPv6 addresses are written as people write them") {
  SocketTable table;
  parse_internet_sockets("tcp",
                         "  sl  local_address                         remote_address                        st ...\n"
                         "   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A "
                         "00000000:00000000 00:00000000 00000000     0        0 4242 1 0000000000000000 100 0 0 10 0\n"
                         "   1: B80D0120000000000000000001000000:1F90 B80D0120000000000000000002000000:C350 01 "
                         "00000000:00000000 00:00000000 00000000     0        0 4243 1 0000000000000000 100 0 0 10 0\n",
                         table);
  CHECK(socket_text(table[4242], 4242) == "tcp [::1]:8080 (listening)");
  CHECK(socket_text(table[4243], 4243) == "tcp [2001:db8::1]:8080 -> [2001:db8::2]:50000");
}

TEST_CASE("lines that are cut short or nonsense are left out of the socket tables") {
  SocketTable table;
  parse_internet_sockets(
      "tcp", "heading\n 0: 0100007F:1F90\n 1: zz:zz 0:0 01\n\n   \n 2: 0100007F:1F90 0100007F:1F9G 01", table);
  parse_unix_sockets("heading\n0: 00000002\nx\n", table);
  parse_netlink_sockets("heading\n0 1\n", table);
  parse_packet_sockets("heading\n0 1 2 3\n", table);
  parse_packet_sockets("", table);
  CHECK(table.empty());
}

TEST_CASE("only the wanted sockets are kept, and ports that are listened on are noted") {
  const std::string rest = " 00000000:00000000 00:00000000 00000000     0        0 ";
  const std::string text = "heading\n 0: 0100007F:1F90 00000000:0000 0A" + rest + "11 1\n" +
                           " 1: 0100007F:1F90 0100007F:C350 01" + rest + "12 1\n" +
                           " 2: 0100007F:1F91 0100007F:C351 08" + rest + "13 1\n";
  SocketSelection wanted;
  wanted.inodes = {12, 13};
  SocketTable table;
  parse_internet_sockets("tcp", text, table, &wanted);
  CHECK(table.size() == 2);
  CHECK(wanted.listening_ports == std::unordered_set<std::uint16_t>{8080});
  CHECK(table[12].state == "established");
  CHECK(table[13].state == "close wait");
  CHECK(table[13].remote.host == "127.0.0.1");
  CHECK(table[13].remote.port == 50001);
}

TEST_CASE("a unix path that feigns a line of the table does not lend its words to another socket") {
  const std::string feigned = "f: 2 0 00010000 0001 01 4242 /run/trusted.sock\n";
  const std::string own = "f: 2 0 00000000 0002 01 4242 /run/own.sock\n";
  for (const std::string &text : {feigned + own, own + feigned}) {
    SocketTable table;
    parse_unix_sockets("heading\n" + text, table);
    CHECK(table.size() == 1);
    CHECK(table[4242].path.empty());
    CHECK(table[4242].state.empty());
  }
  // What another table says of the inode stands.
  SocketTable table;
  table[4242].family = SocketFamily::ipv4;
  parse_unix_sockets("heading\n" + feigned, table);
  CHECK(table[4242].path.empty());
  CHECK(table[4242].family == SocketFamily::ipv4);
}

} // namespace
} // namespace inspect
