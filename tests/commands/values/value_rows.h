// Many expressions evaluated in one session: each answer is found between marks that the session prints, too.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace inspect::test {

struct ValueRow {
  std::string function; ///< the frame's; "-": whatever is selected, for globals
  std::string command;  ///< "p count"
  std::string expected;
};

std::vector<std::string> lines_of(const std::string &text);

/// What each command prints, in the order of the rows; line ends within are kept, the last one is not. Commands that
/// fail print nothing; `errors` gets all that was said of them. Frames are those of the process' main thread.
std::vector<std::string> evaluate_rows(pid_t process, const std::vector<ValueRow> &rows, std::string &errors);

/// Holds all of them against what is expected.
void check_rows(pid_t process, const std::vector<ValueRow> &rows);

} // namespace inspect::test
