#include "tests/support/child_process.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <optional>
#include <poll.h>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace inspect::test {
namespace {

[[noreturn]] void fail(const std::string &what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

void close_if_open(int &descriptor) {
  if (descriptor >= 0)
    ::close(std::exchange(descriptor, -1));
}

struct Activity {
  char state = '?';
  std::uint64_t ticks = 0; ///< of processor time, its children's left out
};

/// Of the main thread; nothing where the process is gone.
std::optional<Activity> activity_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/task/" + std::to_string(process) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos)
    return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  Activity activity;
  fields >> activity.state;
  std::string skipped;
  for (int field = 4; field < 14; ++field) // proc(5): utime is field 14, stime field 15
    fields >> skipped;
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  fields >> user >> system;
  activity.ticks = user + system;
  return activity;
}

} // namespace

std::string fixture_path(std::string_view name) {
  return std::string(INSPECT_FIXTURE_DIRECTORY) + "/" + std::string(name);
}

void say_line(std::string_view line) {
  std::string text(line);
  text += '\n';
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = ::write(1, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      fail("writing a line");
    written += static_cast<std::size_t>(count);
  }
}

bool wait_until(const std::function<bool()> &condition, std::chrono::seconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

ChildProcess::ChildProcess(const std::vector<std::string> &command) {
  std::vector<char *> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string &word : command)
    arguments.push_back(const_cast<char *>(word.c_str()));
  arguments.push_back(nullptr);
  start([&] {
    ::execvp(arguments[0], arguments.data());
    const std::string message = command[0] + ": " + std::strerror(errno) + "\n";
    [[maybe_unused]] const ssize_t ignored = ::write(2, message.data(), message.size());
    ::_exit(127);
  });
}

ChildProcess ChildProcess::forked(const std::function<int()> &body) {
  ChildProcess child;
  child.start([&] {
    int status = 99;
    try {
      status = body();
    } catch (const std::exception &error) {
      std::fprintf(stderr, "forked child: %s\n", error.what());
    }
    // No destructors and no exit handlers: they belong to the test program.
    ::_exit(status);
  });
  return child;
}

void ChildProcess::start(const std::function<void()> &in_child) {
  int to_child[2];
  int from_child[2];
  if (::pipe2(to_child, O_CLOEXEC) != 0 || ::pipe2(from_child, O_CLOEXEC) != 0)
    fail("pipe2");
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0)
    fail("fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // A parent that was killed before sends nothing any more, and ctest would wait for whoever holds the output open.
    if (const pid_t now = ::getppid(); now != parent && now != 0) // 0: it is in another pid namespace
      ::_exit(127);
    ::dup2(to_child[0], 0);
    ::dup2(from_child[1], 1);
    // A forked child that never calls execve would else keep its own stdin open.
    for (const int descriptor : {to_child[0], to_child[1], from_child[0], from_child[1]})
      ::close(descriptor);
    in_child();
    ::_exit(126);
  }
  ::close(to_child[0]);
  ::close(from_child[1]);
  stdin_ = to_child[1];
  stdout_ = from_child[0];
}

ChildProcess::ChildProcess(ChildProcess &&other) noexcept
    : pid_(std::exchange(other.pid_, -1)), stdin_(std::exchange(other.stdin_, -1)),
      stdout_(std::exchange(other.stdout_, -1)), reaped_(other.reaped_), status_(other.status_),
      buffer_(std::move(other.buffer_)) {}

ChildProcess::~ChildProcess() {
  if (pid_ > 0 && !reaped_) {
    ::kill(pid_, SIGKILL);
    wait();
  }
  close_if_open(stdin_);
  close_if_open(stdout_);
}

bool ChildProcess::fill_buffer(std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      throw std::runtime_error("the child said nothing more in time; so far: \"" + buffer_ + "\"");
    pollfd readable{stdout_, POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(left.count())) <= 0)
      continue;
    char chunk[4096];
    const ssize_t count = ::read(stdout_, chunk, sizeof chunk);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      fail("reading from the child");
    buffer_.append(chunk, static_cast<std::size_t>(count));
    return count > 0;
  }
}

std::string ChildProcess::read_line(std::chrono::seconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  std::size_t newline = buffer_.find('\n');
  while (newline == std::string::npos) {
    if (!fill_buffer(end))
      throw std::runtime_error("the child closed its stdout; its last words: \"" + buffer_ + "\"");
    newline = buffer_.find('\n');
  }
  std::string line = buffer_.substr(0, newline);
  buffer_.erase(0, newline + 1);
  if (line.starts_with("ready"))
    wait_for_rest();
  return line;
}

void ChildProcess::wait_for_line(std::string_view line) {
  while (read_line() != line) {
  }
  wait_for_rest();
}

void ChildProcess::wait_for_rest() const {
  constexpr std::uint64_t busy_ticks = 2; // of 10 ms: who has used so many has left write(2) long ago
  const std::optional<Activity> before = activity_of(pid_);
  wait_until(
      [&] {
        const std::optional<Activity> now = activity_of(pid_);
        return !now || !before || now->state != 'R' || now->ticks >= before->ticks + busy_ticks;
      },
      std::chrono::seconds(10));
}

std::string ChildProcess::read_all() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (fill_buffer(end)) {
  }
  return std::exchange(buffer_, {});
}

void ChildProcess::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(stdin_, text.data(), text.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      fail("writing to the child");
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void ChildProcess::close_stdin() {
  close_if_open(stdin_);
}

void ChildProcess::signal(int number) const {
  // A child that was moved from has pid -1, which kill(2) takes for every process there is.
  if (pid_ <= 0 || ::kill(pid_, number) != 0)
    fail("kill");
}

int ChildProcess::wait() {
  while (!reaped_) {
    const pid_t ended = ::waitpid(pid_, &status_, 0);
    if (ended == pid_)
      reaped_ = true;
    else if (errno != EINTR)
      fail("waitpid");
  }
  return status_;
}

std::vector<pid_t> children_of(pid_t process) {
  std::ifstream list(fmt::format("/proc/{0}/task/{0}/children", process));
  std::vector<pid_t> all;
  for (pid_t child = 0; list >> child;)
    all.push_back(child);
  return all;
}

} // namespace inspect::test
