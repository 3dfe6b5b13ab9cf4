// Every frame of every thread with its arguments and locals, as gdb's `bt full` and a session of inspect print them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace inspect::test {

struct FullVariable {
  std::string name;
  std::string value;
  bool at_entry = false; ///< `name@entry`: what the caller passed
  bool guessed = false;  ///< gdb: it follows from what an inner function left in a register that calls may change

  friend bool operator==(const FullVariable &, const FullVariable &) = default;
};

struct FullFrame {
  std::uint64_t pc = 0;
  std::string function; ///< empty: unknown
  std::string file;     ///< without folders; empty: unknown
  int line = 0;
  bool inlined = false;
  bool tail_call = false;
  bool signal = false;
  std::vector<FullVariable> arguments;
  std::vector<FullVariable> locals; ///< inner blocks first
};

using FullBacktrace = std::map<pid_t, std::vector<FullFrame>>; ///< by thread, innermost frame first

/// The name of a path, without its folders.
std::string file_name_of(const std::string &path);

} // namespace inspect::test
