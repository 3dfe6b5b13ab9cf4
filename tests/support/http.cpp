#include "tests/support/http.h"

#include <array>
#include <cstring>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace inspect::test {
namespace {

class Socket {
public:
  Socket() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{20, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  Socket(const Socket &) = delete;
  Socket &operator=(const Socket &) = delete;
  ~Socket() { ::close(descriptor_); }
  int get() const { return descriptor_; }

private:
  int descriptor_;
};

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool send_all(int descriptor, const std::string &text) {
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t count = ::send(descriptor, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count <= 0)
      return false;
    sent += static_cast<std::size_t>(count);
  }
  return true;
}

/// HTTP/1.0: the answer ends with the connection, in one piece.
std::optional<std::string> response_to(int port, const std::string &request) {
  const Socket socket;
  const sockaddr_in address = loopback(port);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0)
    return std::nullopt;
  if (!send_all(socket.get(), request))
    return std::nullopt;
  std::string answer;
  std::array<char, 65536> buffer{};
  ssize_t count = 0;
  while ((count = ::recv(socket.get(), buffer.data(), buffer.size(), 0)) > 0)
    answer.append(buffer.data(), static_cast<std::size_t>(count));
  const std::size_t body = answer.find("\r\n\r\n");
  if (count < 0 || body == std::string::npos || answer.substr(0, answer.find('\r')).find(" 200") == std::string::npos)
    return std::nullopt;
  return answer.substr(body + 4);
}

} // namespace

int free_port() {
  const Socket socket;
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(socket.get(), reinterpret_cast<const sockaddr *>(&address), size) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr *>(&address), &size) != 0)
    return 0;
  return ntohs(address.sin_port);
}

std::optional<std::string> http_get(int port, const std::string &path) {
  return response_to(port, fmt::format("GET {} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\n\r\n", path, port));
}

std::optional<std::string> http_post(int port, const std::string &path, const std::string &body) {
  return response_to(port, fmt::format("POST {} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n"
                                       "Content-Length: {}\r\n\r\n{}",
                                       path, port, body.size(), body));
}

} // namespace inspect::test
