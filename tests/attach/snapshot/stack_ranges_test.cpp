#include "attach/snapshot/stack_ranges.h"

#include "attach/snapshot/signal_frame_search.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cstring>
#include <ucontext.h>

namespace inspect {
namespace {

constexpr std::uint64_t no_limit = ~0ULL;

Mapping mapping(std::uint64_t begin, std::uint64_t end, std::string path = {}, bool readable = true) {
  Mapping one;
  one.range = {{begin}, {end}};
  one.readable = readable;
  one.path = std::move(path);
  return one;
}

RunRange range(std::uint64_t begin, std::uint64_t end) {
  return {{begin}, {end}};
}

TEST_CASE("a stack reaches from the red zone to the end of its mapping") {
  const std::vector<Mapping> maps{mapping(0x1000, 0x3000), mapping(0x3000, 0x4000, {}, false),
                                  mapping(0x10000, 0x10000 + (128ULL << 20)),
                                  mapping(0x7000000000, 0x7000000000 + (128ULL << 20), "[stack]")};
  CHECK(stack_range(maps, RunAddress{0x2000}, no_limit)->range == range(0x2000 - 128, 0x3000));
  CHECK(stack_range(maps, RunAddress{0x1010}, no_limit)->range == range(0x1000, 0x3000));
  CHECK(stack_range(maps, RunAddress{0x3000}, no_limit)->range == range(0x3000 - 128, 0x3000));
  CHECK_FALSE(stack_range(maps, RunAddress{0x3800}, no_limit).has_value());
  CHECK_FALSE(stack_range(maps, RunAddress{0x800}, no_limit).has_value());
  CHECK_FALSE(stack_range(maps, RunAddress{0}, no_limit).has_value());
  CHECK_FALSE(stack_range(maps, RunAddress{~0ULL}, no_limit).has_value());
  CHECK_FALSE(stack_range({}, RunAddress{0x2000}, no_limit).has_value());
  const auto cut = stack_range(maps, RunAddress{0x2000}, 256);
  CHECK(cut->range == range(0x2000 - 128, 0x2000 + 128));
  CHECK(cut->cut);
  const std::vector<Mapping> joined{mapping(0x1000000, 0x1000000 + (40ULL << 20))};
  const auto unknown = stack_range(joined, RunAddress{0x1800000}, 16ULL << 20);
  CHECK(unknown->range.size() == 16ULL << 20);
  CHECK_FALSE(unknown->cut);
  const auto cut_main = stack_range(maps, RunAddress{0x7000000080}, 256);
  CHECK(cut_main->range.size() == 256);
  CHECK(cut_main->cut);
  const auto coroutine = stack_range(maps, RunAddress{0x20000}, no_limit);
  CHECK(coroutine->range.size() == stack_in_heap_bytes);
  CHECK_FALSE(coroutine->cut);
  CHECK(stack_range(maps, RunAddress{0x7000000080}, no_limit)->range.size() == 128ULL << 20);
}

TEST_CASE("a total limit is shared fairly") {
  std::vector<StackRange> stacks{{range(0, 100)}, {range(1000, 11000)}, {range(20000, 20300)}, {range(30000, 50000)}};
  CHECK(limit_total(stacks, 1'000'000) == 0);
  CHECK(limit_total(stacks, 1400) == 2);
  CHECK(stacks[0].range == range(0, 100));
  CHECK(stacks[1].range == range(1000, 1500));
  CHECK(stacks[2].range == range(20000, 20300));
  CHECK(stacks[3].range == range(30000, 30500));
  CHECK(limit_total(stacks, 0) == 4);
  CHECK(std::ranges::all_of(stacks, [](const StackRange &one) { return one.range.size() == 0; }));
}

TEST_CASE("ranges are merged and subtracted") {
  const auto merged = merge_ranges({range(50, 60), range(10, 20), range(15, 30), range(30, 40), range(5, 5)});
  CHECK(merged == std::vector<RunRange>{range(10, 40), range(50, 60)});
  const std::vector<RunRange> wanted{range(0, 15), range(35, 55), range(100, 110)};
  CHECK(subtract_ranges(wanted, merged) == std::vector<RunRange>{range(0, 10), range(40, 50), range(100, 110)});
  CHECK(subtract_ranges(wanted, {}) == wanted);
  CHECK(subtract_ranges(merged, merged).empty());
}

TEST_CASE("a signal frame is found by its look") {
  constexpr std::uint64_t stack_begin = 0x7f0000000000;
  constexpr std::uint64_t stack_pointer = stack_begin + 0x1001; // not aligned
  constexpr std::size_t place = 0x207;                          // of the frame, which is
  ucontext_t context{};
  context.uc_flags = 7;
  context.uc_stack.ss_sp = reinterpret_cast<void *>(stack_begin);
  context.uc_stack.ss_size = 0x2000;
  context.uc_mcontext.gregs[REG_RSP] = 0x7ffc12345678;
  const auto search = [&] {
    std::vector<std::byte> bytes(0xfff, std::byte{0x7f});
    std::memcpy(bytes.data() + place, &context, 400);
    return find_interrupted_stacks(RunAddress{stack_pointer}, bytes);
  };
  CHECK(search() == std::vector<RunAddress>{{0x7ffc12345678}});
  CHECK(find_interrupted_stacks(RunAddress{stack_pointer}, {}).empty());
  const ucontext_t good = context;
  context.uc_stack.ss_size = 0x1000; // another alternate stack
  CHECK(search().empty());
  context = good;
  context.uc_mcontext.gregs[REG_RSP] = static_cast<greg_t>(stack_begin + 0x1ff0); // the same stack was interrupted
  CHECK(search().empty());
  context = good;
  context.uc_link = &context; // the kernel leaves it null
  CHECK(search().empty());
  context = good;
  context.uc_flags = 1U << 20U;
  CHECK(search().empty());
}

} // namespace
} // namespace inspect
