// Plain HTTP to a server of a test's own on this machine.
//
//     const int port = free_port();
//     … start a server on it …
//     const std::optional<std::string> page = http_get(port, "/metrics");
#pragma once

#include <optional>
#include <string>

namespace inspect::test {

/// A TCP port of 127.0.0.1 that nobody listens on. It may be taken by the time it is used: then the server does not
/// come up, and the test fails.
int free_port();

/// The body of the answer with status 200; nothing where there is none.
std::optional<std::string> http_get(int port, const std::string &path);
/// The same, for a request with a body.
std::optional<std::string> http_post(int port, const std::string &path, const std::string &body);

} // namespace inspect::test
