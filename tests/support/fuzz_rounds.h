// How often a test that damages its input at random does so: as often as is quick, or as `./dev damage` asks for. The
// generators have fixed seeds, so the same number of rounds repeats a failure.
//
//     for (int round = 0; fuzz_goes_on(round, 300); ++round)
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace inspect::test {

inline int fuzz_rounds(int usual) {
  const char *wanted = std::getenv("INSPECT_FUZZ_ROUNDS");
  return wanted != nullptr ? std::max(usual, std::atoi(wanted)) : usual;
}

/// The condition of a loop from 0: `usual` rounds or as many as are asked for, or as long as `./dev damage --seconds`
/// says.
inline bool fuzz_goes_on(int round, int usual) {
  const char *seconds = std::getenv("INSPECT_FUZZ_SECONDS");
  if (seconds == nullptr)
    return round < fuzz_rounds(usual);
  static std::chrono::steady_clock::time_point begin;
  if (round == 0)
    begin = std::chrono::steady_clock::now();
  return std::chrono::steady_clock::now() - begin < std::chrono::seconds(std::atoi(seconds));
}

} // namespace inspect::test
