// A real server from the distribution's packages, started with a data folder and a loopback socket of its own, and
// stopped with all its processes at the end of the scope.
#pragma once

#include "tests/support/child_process.h"

#include <filesystem>
#include <optional>
#include <sys/types.h>
#include <vector>

namespace inspect::test {

class PrivateServer {
public:
  /// Nothing where the server is not installed.
  static std::optional<PrivateServer> redis();
  static std::optional<PrivateServer> nginx();
  /// It refuses to run as root: started as the user `postgres`.
  static std::optional<PrivateServer> postgresql();

  PrivateServer(PrivateServer &&other) noexcept;
  PrivateServer &operator=(PrivateServer &&) = delete;
  ~PrivateServer();

  /// The process started and its children.
  std::vector<pid_t> processes() const;

private:
  PrivateServer(std::filesystem::path folder, const std::vector<std::string> &command);
  std::filesystem::path folder_;
  std::optional<ChildProcess> main_;
};

} // namespace inspect::test
