// fuzz_LAYER: libFuzzer over the target that the environment variable INSPECT_FUZZ_TARGET names, with libFuzzer's own
// arguments (libFuzzer starts itself again for some of its work, and only the environment goes with it).
//
//     INSPECT_FUZZ_TARGET=lines fuzz_dwarf --seeds DIRECTORY     # writes them there
//     INSPECT_FUZZ_TARGET=lines fuzz_dwarf --limits              # libFuzzer's arguments for this target
//     INSPECT_FUZZ_TARGET=lines fuzz_dwarf -max_total_time=60 CORPUS
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/hex_text.h"

#include <cstdint>
#include <fstream>
#include <span>

namespace {

using namespace inspect::test;

const FuzzTarget *chosen = nullptr;

[[noreturn]] void write_seeds(const std::string &folder) {
  const auto seeds = chosen->seeds();
  if (seeds.empty())
    std::fprintf(stderr, "no seeds: %.*s\n", static_cast<int>(chosen->missing.size()), chosen->missing.data());
  for (std::size_t i = 0; i < seeds.size(); ++i)
    std::ofstream(folder + "/seed-" + std::to_string(i), std::ios::binary) << seeds[i];
  std::exit(seeds.empty() ? 1 : 0);
}

/// One input that is kept as hex: libFuzzer reads files as they are.
[[noreturn]] void run_hex(const std::string &path) {
  const auto input = read_fuzz_input(path);
  if (!input)
    std::fprintf(stderr, "%s cannot be read\n", path.c_str());
  else
    chosen->run(std::as_bytes(std::span(*input)));
  std::exit(input ? 0 : 2);
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int *count, char ***words) {
  const std::string_view first = *count > 1 ? (*words)[1] : "";
  const char *name = std::getenv("INSPECT_FUZZ_TARGET");
  chosen = find_fuzz_target(name != nullptr ? name : "");
  if (!chosen) {
    std::fprintf(stderr, "INSPECT_FUZZ_TARGET names no target of this program; ./dev fuzz lists them\n");
    std::exit(2);
  }
  if (first == "--seeds" && *count > 2)
    write_seeds((*words)[2]);
  if (first == "--limits") {
    std::printf("-max_len=%zu\n", chosen->max_size);
    std::exit(0);
  }
  if (*count == 2 && first.ends_with(".hex"))
    run_hex(std::string(first));
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
  chosen->run(std::as_bytes(std::span(bytes, size)));
  return 0;
}
