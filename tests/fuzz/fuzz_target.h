// What a fuzz target is: one reader of hostile input as a function of bytes, with sound inputs to begin from. Each file
// that ends in _target.cpp is one; it is run in two ways.
//
// - fuzz_LAYER, built by clang with libFuzzer, ASan and UBSan: `./dev fuzz TARGET --minutes N` looks for inputs that
//   reach new code, guided by coverage.
// - test_fuzz, built as all tests are: `./dev test` replays the seeds, what was found earlier
// (regressions/TARGET/*.hex)
//   and a fixed number of damaged seeds.
//
//     bool run_escaper(std::span<const std::byte> input) { … }
//     const RegisteredFuzzTarget escaper_target{{.name = "escaper", .run = run_escaper, .seeds = …}};
//
// It lies in the folder of the layer that it needs, so that `./dev fuzz` builds no more than that. It does not print;
// where an answer breaks a promise it calls fuzz_check().
//
// Source: llvm.org/docs/LibFuzzer.html.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect::test {

struct FuzzTarget {
  std::string_view name;
  /// Whether the input was understood: seeds have to be. It must not depend on an input before this one.
  bool (*run)(std::span<const std::byte> input);
  /// Sound inputs, the same ones each time; none: something is missing here, which `missing` says.
  std::vector<std::string> (*seeds)();
  /// How often each seed is damaged in a replay, which is to take a second or two.
  int rounds = 500;
  std::size_t max_size = 4096; ///< bytes of an input that libFuzzer tries
  /// Why there are no seeds, "no Go toolchain is installed".
  std::string_view missing = {};
};

/// Makes a target known to the program that it is linked into.
class RegisteredFuzzTarget {
public:
  explicit RegisteredFuzzTarget(const FuzzTarget &target);
};

/// All of this program's, by name.
std::vector<FuzzTarget> fuzz_targets();
/// Null: there is none of this name.
const FuzzTarget *find_fuzz_target(std::string_view name);

/// Ends the program where a promise is broken, in release builds as well.
inline void fuzz_check(bool holds, std::string_view promise) {
  if (holds)
    return;
  std::fprintf(stderr, "broken: %.*s\n", static_cast<int>(promise.size()), promise.data());
  std::abort();
}

} // namespace inspect::test
