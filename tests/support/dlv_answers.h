// What dlv answers to commands in frames of the main goroutine of a live Go process.
//
// It is the program that INSPECT_DLV names, or else `dlv` on PATH. Each release of dlv reads programs of some versions
// of Go and refuses others.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace inspect::test {

struct DlvQuestion {
  std::string function; ///< the frame's, the innermost of the name: "main.f", "main.f[...]"
  std::string command;
};

struct DlvAnswer {
  bool is_error = false;
  std::string text;
};

struct DlvAnswers {
  std::string refusal; ///< why there are none: dlv's own words
  std::vector<DlvAnswer> answers;
};

/// Empty: there is none here.
std::string dlv_program();

/// What dlv prints in answer to a script, errors included.
std::string dlv_output(pid_t process, const std::string &commands);

/// An answer to each, with values followed `recursion` levels deep; of a function that has no frame "no such frame".
DlvAnswers dlv_answers(pid_t process, const std::vector<DlvQuestion> &questions, int recursion);

} // namespace inspect::test
