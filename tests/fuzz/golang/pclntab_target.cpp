// Module data and pclntab of a Go program, some bytes of which are not what the linker wrote.
#include "golang/image/build_info.h"
#include "golang/pclntab/pclntab.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/golang/recorded_go.h"

#include <array>

namespace inspect::test {
namespace {

const RecordedGo *places() {
  static const std::unique_ptr<RecordedGo> recorded = record_go("goroutine_leak");
  return recorded.get();
}

std::size_t use_table(const Pclntab &table, RunRange pcs, FuzzInput &choices) {
  std::size_t functions = 0;
  for (int i = 0; i < 16; ++i) {
    const RunAddress pc = pcs.begin + choices.number(3) % (pcs.size() + 1);
    const auto function =
        i % 2 != 0 ? table.find(pc) : table.function(choices.number(2) % (table.function_count() + 1));
    if (!function)
      continue;
    ++functions;
    const RunAddress at = i % 4 < 2 ? pc : function->entry + choices.number(1);
    const auto frames = table.frames(*function, at);
    fuzz_check(!frames.empty() && frames.size() <= 1001, "inlined calls are bounded");
    fuzz_check(!frames.back().inlined, "the last frame is the physical function");
    if (const auto delta = table.stack_delta(*function, at))
      fuzz_check(*delta >= 0, "a frame has a size");
    for (std::uint32_t index = 0; index < 8; ++index) {
      static_cast<void>(table.pc_data(*function, static_cast<GoPcData>(index), at));
      static_cast<void>(table.function_data(*function, static_cast<GoFunctionData>(index)));
    }
  }
  return functions;
}

bool run_pclntab(std::span<const std::byte> bytes) {
  const RecordedGo *go = places();
  if (go == nullptr)
    return false;
  FuzzInput input(bytes);
  const std::uint64_t flags = input.number(1);
  FuzzInput choices(input.part());
  const EditedMemory memory(*go->memory, input);
  const GoImage &image = go->process->image();
  const auto data = read_module_data(memory, image.data.address);
  if (!data) {
    fuzz_check(!data.error().message().empty(), "module data that is refused has a reason");
    return false;
  }
  const auto table = Pclntab::read(*data, (flags & 1) == 0 ? image.version : GoVersion{}, memory,
                                   (flags & 2) == 0 ? nullptr : image.module);
  if (!table) {
    fuzz_check(!table.error().message().empty(), "a table that is refused has a reason");
    return false;
  }
  const std::size_t functions = use_table(**table, image.data.pcs, choices);
  if ((flags & 4) != 0) {
    for (const GoFunction &one : (*table)->find_all("main.main"))
      fuzz_check(one.name == "main.main", "a function is found by its name");
    static_cast<void>((*table)->files());
  }
  return functions > 0;
}

std::vector<std::string> pclntab_seeds() {
  if (places() == nullptr)
    return {};
  std::vector<std::string> seeds;
  for (const std::uint64_t flags : {0, 1, 4}) {
    FuzzSeed choices;
    for (std::uint64_t i = 0; i < 40; ++i)
      choices.number(i * 40503, 3).number(i * 997, 2).number(i * 7, 1);
    const FuzzSeed front = FuzzSeed().number(flags, 1).part(choices.text());
    seeds.push_back(front.text());
    // The module data is read first, which has 41 words; then the tables.
    seeds.push_back(FuzzSeed(front)
                        .number(100'000, 3)
                        .number(0, 1)
                        .number(0x42, 8)
                        .number(5000, 3)
                        .number(1, 1)
                        .number(1, 1)
                        .text());
  }
  return seeds;
}

const RegisteredFuzzTarget pclntab_target{{.name = "pclntab",
                                           .run = run_pclntab,
                                           .seeds = pclntab_seeds,
                                           .rounds = 20,
                                           .max_size = 1024,
                                           .missing = no_go_toolchain}};

} // namespace
} // namespace inspect::test
