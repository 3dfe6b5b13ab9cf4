// A program on a terminal of its own, driven as a person would: type, and wait for what appears.
//
//     Terminal session({binary, "attach", pid});
//     session.wait_for("running) ");
//     session.type("bt\r");
//
// SessionTerminal is one with `inspect attach` on it, which is at its first prompt when the constructor returns.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace inspect::test {

class Terminal {
public:
  explicit Terminal(const std::vector<std::string> &command);
  Terminal(const Terminal &) = delete;
  Terminal &operator=(const Terminal &) = delete;
  ~Terminal(); ///< kills and reaps the program

  void type(std::string_view text);
  /// Waits until the text appears in what came since the last call, and forgets everything up to its end. False, with
  /// everything that came in unseen(), when the deadline passes or the program ends first.
  bool wait_for(std::string_view text, std::chrono::seconds deadline = std::chrono::seconds(30));
  const std::string &unseen() const { return unseen_; }
  /// Reads until the program ends; its exit status, 128 + signal when one killed it.
  int wait_for_end(std::chrono::seconds deadline = std::chrono::seconds(30));
  pid_t pid() const { return pid_; }

private:
  bool read_some(std::chrono::steady_clock::time_point deadline);

  pid_t pid_ = -1;
  int master_ = -1;
  bool reaped_ = false;
  std::string unseen_;
};

class SessionTerminal : public Terminal {
public:
  /// `inspect` is the program's path; its history is kept in `home`. Throws where the prompt with this state does not
  /// appear.
  SessionTerminal(const std::string &inspect, pid_t target, const std::string &home,
                  const std::vector<std::string> &options = {}, std::string_view state = "running");

  /// Waits for the prompt: the target is "running", "held" or "ended".
  bool wait_for_prompt(std::string_view state = "running", std::chrono::seconds deadline = std::chrono::seconds(30));
  /// Types a line and waits for `expected` in what it prints, then for the prompt.
  bool run(std::string_view line, std::string_view expected = {}, std::string_view state = "running");

private:
  pid_t target_;
};

} // namespace inspect::test
