#include "tests/support/terminal.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <pty.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace inspect::test {

Terminal::Terminal(const std::vector<std::string> &command) {
  std::vector<char *> arguments;
  for (const std::string &word : command)
    arguments.push_back(const_cast<char *>(word.c_str()));
  arguments.push_back(nullptr);
  winsize size{};
  size.ws_row = 50;
  size.ws_col = 200;
  pid_ = ::forkpty(&master_, nullptr, nullptr, &size);
  if (pid_ < 0)
    throw std::runtime_error("forkpty failed");
  if (pid_ == 0) {
    ::setenv("TERM", "xterm", 1);
    ::setenv("NO_COLOR", "1", 1);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
}

Terminal::~Terminal() {
  if (!reaped_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(master_);
}

void Terminal::type(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(master_, text.data(), text.size());
    if (count < 0 && errno != EINTR)
      throw std::runtime_error("writing to the terminal failed");
    if (count > 0)
      text.remove_prefix(static_cast<std::size_t>(count));
  }
}

bool Terminal::read_some(std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  pollfd ready{master_, POLLIN, 0};
  if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0)
    return false;
  std::array<char, 4096> buffer{};
  const ssize_t count = ::read(master_, buffer.data(), buffer.size());
  if (count <= 0) // EIO: the program has closed its end
    return false;
  unseen_.append(buffer.data(), static_cast<std::size_t>(count));
  return true;
}

bool Terminal::wait_for(std::string_view text, std::chrono::seconds deadline) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  while (true) {
    if (const std::size_t at = unseen_.find(text); at != std::string::npos) {
      unseen_.erase(0, at + text.size());
      return true;
    }
    if (!read_some(until))
      return false;
  }
}

int Terminal::wait_for_end(std::chrono::seconds deadline) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  while (read_some(until)) {
  }
  int status = 0;
  while (std::chrono::steady_clock::now() < until) {
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      reaped_ = true;
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    ::usleep(1000);
  }
  throw std::runtime_error("the program on the terminal did not end: " + unseen_);
}

namespace {

std::vector<std::string> session_command(const std::string &inspect, pid_t target, const std::string &home,
                                         const std::vector<std::string> &options) {
  std::vector<std::string> command{"/usr/bin/env", "XDG_STATE_HOME=" + home, "HOME=" + home, inspect,
                                   "attach",       std::to_string(target)};
  command.insert(command.end(), options.begin(), options.end());
  return command;
}

} // namespace

SessionTerminal::SessionTerminal(const std::string &inspect, pid_t target, const std::string &home,
                                 const std::vector<std::string> &options, std::string_view state)
    : Terminal(session_command(inspect, target, home, options)), target_(target) {
  if (!wait_for_prompt(state))
    throw std::runtime_error("the session shows no prompt: " + unseen());
}

bool SessionTerminal::wait_for_prompt(std::string_view state, std::chrono::seconds deadline) {
  return wait_for("(inspect " + std::to_string(target_) + " " + std::string(state) + ") ", deadline);
}

bool SessionTerminal::run(std::string_view line, std::string_view expected, std::string_view state) {
  type(std::string(line) + "\r");
  return wait_for(expected) && wait_for_prompt(state);
}

} // namespace inspect::test
