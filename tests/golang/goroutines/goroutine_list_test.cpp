#include "golang/goroutines/goroutine_list.h"

#include "golang/runtime/goroutine_decoder.h"
#include "golang/runtime/m_list.h"
#include "tests/golang/runtime/goroutine_memory.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <mutex>

namespace inspect {
namespace {

using test::GoroutineMemory;

constexpr RunAddress header{0x1000};
constexpr RunAddress heap{0xc000000000};

/// All that one pass visits, by slot.
std::map<std::size_t, std::vector<Goroutine>> read_all(GoroutineList &list) {
  std::map<std::size_t, std::vector<Goroutine>> by_slot;
  std::mutex mutex;
  list.read([&](std::size_t worker, std::size_t slot, const Goroutine &goroutine) {
    const std::scoped_lock lock(mutex);
    if (worker >= list.workers())
      throw std::logic_error("there is no such worker");
    by_slot[slot].push_back(goroutine);
  });
  return by_slot;
}

/// Goroutine i + 1 lies at the place that a scattered order gives it, 20 of them in each span of 8 KiB.
std::vector<std::uint64_t> scattered(std::size_t count) {
  std::vector<std::uint64_t> slots;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t place = i * 7919 % count;
    slots.push_back(heap.value + place / 20 * 16384 + place % 20 * 448);
  }
  return slots;
}

TEST_CASE("every goroutine is read once, whatever the order in memory") {
  for (const std::size_t count : {0U, 1U, 2U, 5000U}) {
    GoroutineMemory target(GoVersion{1, 22});
    const auto slots = scattered(count);
    for (std::size_t i = 0; i < count; ++i)
      target.add_goroutine({slots[i]}, i + 1, heap + (1 << 30) + i * 2048);
    target.add_list(header, slots);
    const auto memory = target.memory();
    GoroutineList list(target.layout, *memory);
    REQUIRE(list.find(header).has_value());
    const auto found = read_all(list);
    CHECK(found.size() == count);
    CHECK(list.unreadable() == 0);
    for (const auto &[slot, goroutines] : found) {
      REQUIRE(goroutines.size() == 1);
      REQUIRE(goroutines[0].id == slot + 1);
      REQUIRE(goroutines[0].address.value == slots[slot]);
    }
  }
}

TEST_CASE("a list that has grown is read to its new end, one that is another is read anew") {
  GoroutineMemory target(GoVersion{1, 19});
  const auto slots = scattered(300);
  for (std::size_t i = 0; i < slots.size(); ++i)
    target.add_goroutine({slots[i]}, i + 1, heap + (1 << 30) + i * 2048);
  target.add_list(header, {slots.begin(), slots.begin() + 200});
  target.add_list({0x100000}, slots);
  target.add_list({0x200000}, {slots.rbegin(), slots.rend()});
  const auto memory = target.memory();
  GoroutineList list(target.layout, *memory);
  for (const RunAddress one : {header, RunAddress{0x100000}, RunAddress{0x200000}}) {
    REQUIRE(list.find(one).has_value());
    const bool reversed = one.value == 0x200000;
    const std::size_t expected = one == header ? 200 : 300;
    const auto found = read_all(list);
    REQUIRE(found.size() == expected);
    for (const auto &[slot, goroutines] : found) {
      REQUIRE(goroutines.size() == 1);
      REQUIRE(goroutines[0].id == (reversed ? 300 - slot : slot + 1));
    }
  }
}

TEST_CASE("what leads nowhere is counted, and idle") {
  GoroutineMemory target(GoVersion{1, 22});
  target.add_goroutine(heap, 1, heap + (1 << 30));
  target.add_goroutine(heap + 1024, 2, heap + (1 << 30) + 2048);
  target.add_list(header, {heap.value, 0, 7, heap.value + 448, ~0ULL, 1ULL << 63, heap.value + 1024, heap.value});
  const auto memory = target.memory();
  GoroutineList list(target.layout, *memory);
  REQUIRE(list.find(header).has_value());
  const auto found = read_all(list);
  CHECK(found.size() == 8);
  CHECK(list.unreadable() == 5);
  for (const std::size_t slot : {1, 2, 3, 4, 5})
    CHECK(found.at(slot)[0].status == GoroutineStatus::idle);
  CHECK(found.at(6)[0].id == 2);
  CHECK(found.at(7)[0].id == 1);
}

TEST_CASE("a header that cannot be true is an error, not a crash") {
  GoroutineMemory target(GoVersion{1, 22});
  target.add_structure(header, 24);
  target.put<std::uint64_t>(header, 0, 0x1000);
  target.put<std::uint64_t>(header, 8, ~0ULL);
  target.put<std::uint64_t>(header, 16, ~0ULL);
  const auto memory = target.memory();
  GoroutineList list(target.layout, *memory);
  const auto found = list.find(header);
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().message().find("0x1000") != std::string::npos);
  CHECK(list.cut_from() == ~0ULL);
  CHECK_FALSE(list.find({0x5000}).has_value());
  CHECK(read_all(list).empty());
}

TEST_CASE("fields are decoded by the layout of the version") {
  for (const int minor : {16, 17, 21, 23, 25, 26}) {
    GoroutineMemory target(GoVersion{1, minor});
    const RuntimeLayout::G &g = target.layout.g;
    target.add_goroutine(heap, 42, heap + 4096);
    target.put(heap, g.status, std::uint32_t{0x1004});
    target.put(heap, g.wait_reason, std::uint8_t{14});
    target.put(heap, g.created_pc, std::uint64_t{0x451234});
    target.put(heap, g.sched_pc, std::uint64_t{0x451235});
    if (g.syscall_bp >= 0)
      target.put(heap, g.syscall_bp, std::uint64_t{0x77});
    if (g.parent_id >= 0)
      target.put(heap, g.parent_id, std::uint64_t{41});
    std::vector<std::byte> bytes(static_cast<std::size_t>(g.size));
    REQUIRE(target.memory()->read(heap, bytes).has_value());
    const Goroutine goroutine = decode_goroutine(target.layout, heap, bytes);
    CHECK(goroutine.id == 42);
    CHECK(goroutine.status == GoroutineStatus::waiting);
    CHECK(goroutine.being_scanned);
    CHECK(goroutine.wait_reason == 14);
    CHECK(goroutine.created_pc.value == 0x451234);
    CHECK(goroutine.pc.value == 0x451235);
    CHECK(goroutine.syscall_bp.value == (minor >= 23 ? 0x77U : 0U));
    CHECK(goroutine.parent_id == (minor >= 21 ? 41U : 0U));
    CHECK(goroutine.stack == RunRange{heap + 4096, heap + 4096 + 2048});
    target.put(heap, g.status, std::uint32_t{0x12345});
    REQUIRE(target.memory()->read(heap, bytes).has_value());
    CHECK_FALSE(is_known_status(decode_goroutine(target.layout, heap, bytes).status));
  }
}

/// Three Ms, the newest first in the list; `head` holds the address of the first.
struct ThreeMs {
  static constexpr RunAddress head{0x500};
  static constexpr std::array<RunAddress, 3> addresses{RunAddress{0x10000}, RunAddress{0x20000}, RunAddress{0x30000}};
  ThreeMs() {
    const RuntimeLayout::M &m = target.layout.m;
    target.add_structure(head, 8);
    target.put(head, 0, addresses[0]);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      const RunAddress g0 = addresses[i] + 0x4000;
      const RunAddress gsignal = addresses[i] + 0x6000;
      target.add_structure(addresses[i], static_cast<std::size_t>(m.size));
      target.add_goroutine(g0, 0, heap + i * 0x10000, 100);
      target.add_goroutine(gsignal, 0, heap + i * 0x10000 + 0x8000);
      target.put(addresses[i], m.g0, g0);
      target.put(addresses[i], m.gsignal, gsignal);
      target.put(addresses[i], m.id, static_cast<std::uint64_t>(2 - i));
      target.put(addresses[i], m.process_id, std::uint64_t{1000 + i});
      target.put(addresses[i], m.all_link, i + 1 < addresses.size() ? addresses[i + 1] : RunAddress{});
    }
  }
  GoroutineMemory target{GoVersion{1, 25}};
};

TEST_CASE("the Ms are read with their stacks, from the list's head or from those that goroutines point to") {
  ThreeMs three;
  const auto memory = three.target.memory();
  const MList all = read_ms(three.target.layout, *memory, ThreeMs::head, {});
  REQUIRE(all.runtime_ms.size() == 3);
  CHECK(all.runtime_ms[1].thread == 1001);
  CHECK(all.runtime_ms[1].id == 1);
  CHECK(all.runtime_ms[1].g0_stack == RunRange{heap + 0x10000, heap + 0x10800});
  CHECK(all.runtime_ms[1].g0_sp == heap + 0x10800 - 100);
  CHECK(all.runtime_ms[1].gsignal_stack.begin == heap + 0x18000);
  CHECK_FALSE(all.endless);
  const std::vector<RunAddress> known{ThreeMs::addresses[1], ThreeMs::addresses[2], RunAddress{0}};
  const MList some = read_ms(three.target.layout, *memory, RunAddress{0}, known);
  CHECK(some.runtime_ms.size() == 2);
  CHECK_FALSE(some.endless);
}

TEST_CASE("a list of Ms that is damaged ends") {
  ThreeMs three;
  const RuntimeLayout::M &m = three.target.layout.m;
  three.target.put(ThreeMs::addresses[2], m.all_link, ThreeMs::addresses[0]);
  const MList circle = read_ms(three.target.layout, *three.target.memory(), ThreeMs::head, {});
  CHECK(circle.runtime_ms.size() == 3);
  CHECK(circle.endless);
  three.target.put(ThreeMs::addresses[1], m.all_link, std::uint64_t{0xdead});
  three.target.put(ThreeMs::addresses[1], m.g0, std::uint64_t{0xdead});
  const MList broken = read_ms(three.target.layout, *three.target.memory(), ThreeMs::head, {});
  CHECK(broken.runtime_ms.size() == 2);
  CHECK(broken.unreadable == 1);
  CHECK(broken.runtime_ms[1].g0_stack.size() == 0);
  CHECK(broken.runtime_ms[1].gsignal_stack.size() == 2048);
}

} // namespace
} // namespace inspect
