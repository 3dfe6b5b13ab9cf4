// Go programs made from a seed, and questions about them whose answers they know: a chain of functions with parameters
// and locals of many types, at whose inner end the program sleeps.
//
//     const GoTruthProgram program = go_truth_program(seed);
//     program.source  // says "ready" and sleeps
//     program.teller  // the same values; prints "PLACE<tab>COMMAND<tab>VALUE" for each question and ends
//
// The teller is a program of its own, so that what it does to tell the values (closures that capture the variables) is
// not in the program that is looked at. It writes values as dlv does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace inspect::test {

struct GoQuestion {
  std::string place;   ///< the function whose frame it is asked in, as the runtime names it: "main.f3", "main.g2[...]"
  std::string command; ///< "print x.y[2] + 3"
  bool hides = false;  ///< a variable in it hides another of its name
};

struct GoTruthProgram {
  std::string source;
  std::string teller;
  std::vector<std::string> places; ///< innermost first
  std::vector<GoQuestion> questions;
};

/// For Go 1.18 and later.
GoTruthProgram go_truth_program(std::uint64_t seed);

} // namespace inspect::test
