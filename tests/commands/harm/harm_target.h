// A target that counts what happens to it (fixtures/commands/harm_target.cpp), and what may be done to inspect while it
// looks at one.
//
//     HarmTarget target({"harm_target", "signals"});
//     disturb(target, random);                 // a look at it that is disturbed in one of the ways
//     target.check_goes_on();
//     target.check_right();                    // its own counters, at its end
#pragma once

#include "tests/support/child_process.h"

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace inspect::test {

/// The built program.
inline const std::string inspect_program = INSPECT_BINARY_DIRECTORY "/inspect";

class HarmTarget {
public:
  /// The fixture and its arguments; throws when it does not come up. A fixture that this machine cannot have says why.
  explicit HarmTarget(std::vector<std::string> command);

  /// Empty, or why it cannot be had here.
  const std::string &unable() const { return unable_; }
  pid_t process() const { return child_.pid(); }
  std::string pid() const { return std::to_string(child_.pid()); }
  ChildProcess &child() { return child_; }
  /// Nobody traces it, nothing is stopped, and it makes progress.
  void check_goes_on();
  /// Ends its input: it must find that all was right.
  void check_right();

private:
  unsigned long progress();

  std::string unable_;
  ChildProcess child_;
};

/// Looks at the target with one of inspect's commands, one of the disturbances beside it: signals to inspect, a closed
/// pipe, a full disk, limits on its resources, another inspect. Returns which.
std::string disturb(const HarmTarget &target, std::mt19937 &random);

/// How many rounds each harm test makes: `usual`, or what ./dev harm asks for.
int harm_rounds(int usual);

/// What happened how often, on one line for the figures of docs/harmless.md.
void print_figures(const std::string &name, int rounds, const std::map<std::string, int> &counts);

} // namespace inspect::test
