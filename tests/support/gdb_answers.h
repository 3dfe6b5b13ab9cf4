// What gdb answers to commands in frames of a live process: the ground truth for those of a session.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace inspect::test {

struct GdbQuestion {
  std::string function; ///< the frame's, the innermost of the name
  std::string command;
};

bool has_gdb();

/// Each command's answer, without "$1 = " and "type = "; of one that fails "ERROR". Throws std::runtime_error where gdb
/// did not answer all of them.
std::vector<std::string> gdb_answers(pid_t process, const std::vector<GdbQuestion> &questions);

} // namespace inspect::test
