// The Go runtime's lists of goroutines and Ms, stacks, labels and deferred calls in recorded memory.
// Words of it are not what the runtime wrote.
#include "golang/goroutines/deferred_calls.h"
#include "golang/goroutines/goroutine_copy.h"
#include "golang/goroutines/goroutine_labels.h"
#include "golang/runtime/go_runtime.h"
#include "golang/runtime/goroutine_decoder.h"
#include "golang/runtime/m_list.h"
#include "golang/unwind/go_stack_walk.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/golang/recorded_go.h"
#include "tests/golang/changed_memory.h"

namespace inspect::test {
namespace {

/// What an input refers to by number. It is read in several threads at once, so that its words are changed by place.
struct GoStructures {
  std::unique_ptr<RecordedGo> recorded;
  std::unique_ptr<GoRuntime> runtime;
  std::vector<Goroutine> goroutines;
  std::vector<GoM> runtime_ms;
  RunAddress list, m_list;

  RunAddress place(std::uint64_t kind, std::uint64_t index, std::uint64_t offset) const {
    const Goroutine &one = goroutines[index % goroutines.size()];
    const GoM &runtime_m = runtime_ms[index % runtime_ms.size()];
    switch (kind % 7) {
    case 0:
      return one.address + offset % 512;
    case 1:
      return runtime_m.address + offset % 1024;
    case 2:
      return runtime_m.g0 + offset % 512;
    case 3:
      return list + offset % 24;
    case 4:
      return m_list;
    case 5:
      return one.sp + offset % 1024;
    default:
      return RunAddress{read_word(*recorded->memory, list).value_or(0)} + offset;
    }
  }
};

const GoStructures *structures() {
  static const auto made = []() -> std::unique_ptr<GoStructures> {
    auto all = std::make_unique<GoStructures>();
    all->recorded = record_go("goroutine_zoo");
    if (!all->recorded)
      return nullptr;
    auto runtime = GoRuntime::open(all->recorded->process->modules(), *all->recorded->memory);
    fuzz_check(runtime.has_value(), "the recorded program has a runtime");
    all->runtime = std::move(*runtime);
    GoroutineCopy copy(*all->runtime, *all->recorded->memory);
    copy.copy({});
    all->goroutines = copy.goroutines();
    all->runtime_ms = copy.runtime_ms();
    fuzz_check(!all->goroutines.empty() && !all->runtime_ms.empty(), "the recorded program has goroutines");
    all->list = all->runtime->goroutine_list().value();
    all->m_list = all->runtime->m_list();
    return all;
  }();
  return made.get();
}

void change(ChangedMemory &memory, const GoStructures &all, FuzzInput &input) {
  for (int count = 0; !input.empty() && count < 64; ++count) {
    const std::uint64_t kind = input.number(1);
    const std::uint64_t index = input.number(2);
    const RunAddress place = all.place(kind, index, input.number(2));
    const std::uint64_t what = input.number(1);
    const std::uint64_t value = input.number(8);
    if (what % 4 == 0)
      memory.write_word(place, value);
    else if (what % 4 == 1)
      memory.write(place, static_cast<int>(value & 0xff));
    else if (what % 4 == 2)
      memory.write_word(place, read_word(*all.recorded->memory, place).value_or(0) + value % 0x10000 - 0x8000);
    else
      memory.write_word(place, all.place(value, value >> 8, value >> 24).value);
  }
}

bool run_goroutines(std::span<const std::byte> bytes) {
  const GoStructures *all = structures();
  if (all == nullptr)
    return false;
  FuzzInput input(bytes);
  const std::uint64_t flags = input.number(1);
  ChangedMemory memory(*all->recorded->memory);
  change(memory, *all, input);
  std::unique_ptr<GoRuntime> reopened;
  GoRuntime *runtime = all->runtime.get();
  if (flags % 64 == 63) { // slow: the lists are searched for
    auto opened = GoRuntime::open(all->recorded->process->modules(), memory);
    if (!opened)
      return false;
    reopened = std::move(*opened);
    runtime = reopened.get();
    if (const auto list = runtime->goroutine_list(); !list)
      return false;
  }
  GoroutineCopy copy(*runtime, memory);
  if (const auto prepared = copy.prepare(); !prepared && flags % 2 == 0)
    fuzz_check(!prepared.error().message().empty(), "a copy that fails has a reason");
  const std::array<RunAddress, 2> stack_pointers{all->goroutines.front().sp, all->runtime_ms.front().g0_sp};
  RunAddress last;
  for (const RunRange &range : copy.copy(stack_pointers)) {
    fuzz_check(range.begin >= last && range.begin < range.end, "the stacks to copy are in order");
    last = range.end;
  }
  std::size_t live = 0;
  for (const Goroutine &one : copy.goroutines()) {
    fuzz_check(is_live(one.status), "only goroutines that live are listed");
    if (++live > 40)
      continue;
    if (one.labels.value != 0)
      static_cast<void>(read_goroutine_labels(memory, one.labels, runtime->version()));
    std::vector<std::string> warnings;
    const std::array<GoPhysicalFrame, 1> frames{GoPhysicalFrame{one.pc, one.sp + 64}};
    static_cast<void>(deferred_calls(*runtime, memory, one.first_defer, frames, warnings));
  }
  static_cast<void>(copy.take_warnings());
  return live > 0;
}

std::vector<std::string> goroutines_seeds() {
  if (structures() == nullptr)
    return {};
  FuzzSeed changed;
  changed.number(1, 1);
  for (std::uint64_t kind = 0; kind < 7; ++kind)
    changed.number(kind, 1).number(kind * 3, 2).number(kind * 8, 2).number(2, 1).number(0x8000, 8);
  return {FuzzSeed().number(0, 1).text(), FuzzSeed().number(63, 1).text(), changed.text()};
}

const RegisteredFuzzTarget goroutines_target{{.name = "goroutines",
                                              .run = run_goroutines,
                                              .seeds = goroutines_seeds,
                                              .rounds = 60,
                                              .max_size = 512,
                                              .missing = no_go_toolchain}};

} // namespace
} // namespace inspect::test
