// A process for a test to look at: started from a program or forked from the test itself, killed and reaped at the end
// of its scope, and killed by the kernel should the test program die first.
//
//     ChildProcess server({fixture_path("many_threads"), "100", "20"});
//     server.wait_for_line("ready");
//     … inspect server.pid() …
//
// Failures of the helper itself throw std::runtime_error, which fails the test case.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace inspect::test {

/// Where a fixture (fixtures/*.cmake) was built.
std::string fixture_path(std::string_view name);

class ChildProcess {
public:
  /// Starts a program, found through PATH unless the name holds a slash; its stdin and stdout are ours.
  explicit ChildProcess(const std::vector<std::string> &command);
  /// Runs `body` in a forked copy of this process, which then exits with what it returns. The body talks to the test
  /// with say_line() and reads with plain read(2) from descriptor 0.
  static ChildProcess forked(const std::function<int()> &body);

  ChildProcess(ChildProcess &&other) noexcept;
  ChildProcess &operator=(ChildProcess &&) = delete;
  ChildProcess(const ChildProcess &) = delete;
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  /// The next line of its stdout, without the newline; throws when there is none within the deadline. After one that
  /// begins with "ready" it waits like wait_for_line.
  std::string read_line(std::chrono::seconds deadline = std::chrono::seconds(60));
  /// Skips lines until this one comes, and waits until the program has left the write(2) of it: what it goes on to wait
  /// in, or to compute, is what a test wants to see.
  void wait_for_line(std::string_view line = "ready");
  /// All that is left on its stdout until it closes it.
  std::string read_all();
  /// Writes to its stdin.
  void write(std::string_view text);
  void close_stdin();
  /// Sends a signal.
  void signal(int number) const;
  /// Waits for its end; the status is as waitpid(2) gives it.
  int wait();

private:
  ChildProcess() = default;
  void start(const std::function<void()> &in_child);
  void wait_for_rest() const;
  bool fill_buffer(std::chrono::steady_clock::time_point deadline);

  pid_t pid_ = -1;
  int stdin_ = -1;
  int stdout_ = -1;
  bool reaped_ = false;
  int status_ = 0;
  std::string buffer_;
};

/// Writes a line to descriptor 1 at once.
void say_line(std::string_view line);

/// Polls until the condition holds; false when the deadline passes first.
bool wait_until(const std::function<bool()> &condition, std::chrono::seconds deadline = std::chrono::seconds(60));

/// The processes that this one forked and that live; empty where the kernel does not tell.
std::vector<pid_t> children_of(pid_t process);

} // namespace inspect::test
