// What the file descriptors of a process are: a path, a socket with its addresses, a pipe, an eventfd, …
// Sockets are resolved through the process' own network namespace (/proc/PID/net/tcp, tcp6, udp, udp6, unix).
#pragma once

#include "machine/error.h"

#include <memory>

#include <string>
#include <sys/types.h>

namespace inspect {

class FileTable {
public:
  explicit FileTable(pid_t process);
  ~FileTable();
  FileTable(const FileTable &) = delete;
  FileTable &operator=(const FileTable &) = delete;

  /// "/var/log/x", "tcp 127.0.0.1:6379 (listening)", "tcp 10.0.0.1:80 -> 10.0.0.2:5123", "unix /run/x.sock",
  /// "pipe:[123]", "eventpoll", …; an error where the descriptor is not open or not to be seen. Network tables are read
  /// once, when first needed.
  Result<std::string> describe(int descriptor);

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace inspect
