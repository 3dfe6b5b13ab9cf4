// How often a test that damages its input at random does so: as often as is quick, or as `./dev fuzz` asks for. The
// generators have fixed seeds, so the same number of rounds repeats a failure.
#pragma once

#include <algorithm>
#include <cstdlib>

namespace inspect::test {

inline int fuzz_rounds(int usual) {
  const char *wanted = std::getenv("INSPECT_FUZZ_ROUNDS");
  return wanted != nullptr ? std::max(usual, std::atoi(wanted)) : usual;
}

} // namespace inspect::test
