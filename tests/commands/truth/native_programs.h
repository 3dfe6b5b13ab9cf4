// C and C++ programs made from a seed: types, variables of all storage, a chain of calls that ends in a wait, and what
// is to be asked in each of its frames. The same seed makes the same program everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace inspect::test {

struct NativeQuestion {
  std::string function; ///< the frame's
  std::string command;
  std::string number; ///< the expression where its value is a number, which the program itself can tell; else empty
};

struct NativeProgram {
  /// Prints "ready" and waits. Compiled with -DTELL, it says before that what the numbers are that are asked for, in
  /// each frame: "told QUESTION NUMBER", where it can compute them.
  std::string source;
  std::vector<NativeQuestion> questions;
};

enum class NativeLanguage : std::uint8_t { c, cpp };

NativeProgram native_program(NativeLanguage language, std::uint64_t seed);

} // namespace inspect::test
