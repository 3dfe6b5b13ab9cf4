// A make-believe process' memory with g and m structures, for tests of what reads them.
//
//     GoroutineMemory target(GoVersion{1, 22});
//     target.add_goroutine(heap, 1, stack);
//     target.add_list(header, {heap.value});
//     auto memory = target.memory();
#pragma once

#include "golang/runtime/goroutine.h"
#include "golang/runtime/runtime_layout.h"
#include "machine/memory_view.h"

#include <cstring>
#include <map>
#include <vector>

namespace inspect::test {

/// Structures of which only what a test sets differs from zero.
class GoroutineMemory {
public:
  explicit GoroutineMemory(GoVersion version) : layout(*runtime_layout(version).layout) {}

  template <typename T> void put(RunAddress structure, FieldOffset offset, T value) {
    std::vector<std::byte> &bytes = structures_.at(structure.value);
    std::memcpy(bytes.data() + offset, &value, sizeof value);
  }
  void add_structure(RunAddress address, std::size_t size) {
    structures_.emplace(address.value, std::vector<std::byte>(size));
  }
  /// A parked goroutine with a stack of 2 KiB, of which the last `live` bytes are in use.
  void add_goroutine(RunAddress address, std::uint64_t id, RunAddress stack, std::uint64_t live = 512) {
    add_structure(address, static_cast<std::size_t>(layout.g.size));
    put(address, layout.g.id, id);
    put(address, layout.g.status, static_cast<std::uint32_t>(GoroutineStatus::waiting));
    put(address, layout.g.stack_lo, stack.value);
    put(address, layout.g.stack_hi, stack.value + 2048);
    put(address, layout.g.sched_sp, stack.value + 2048 - live);
  }
  /// A slice header at `address`, and the slots behind it.
  void add_list(RunAddress address, const std::vector<std::uint64_t> &slots) {
    add_structure(address, 24 + slots.size() * sizeof(std::uint64_t));
    put(address, 0, address.value + 24);
    put(address, 8, static_cast<std::uint64_t>(slots.size()));
    put(address, 16, static_cast<std::uint64_t>(slots.size()));
    if (!slots.empty())
      std::memcpy(structures_.at(address.value).data() + 24, slots.data(), slots.size() * sizeof(std::uint64_t));
  }
  void set_status(RunAddress address, GoroutineStatus status) {
    put(address, layout.g.status, static_cast<std::uint32_t>(status));
  }

  /// What was added so far, as memory.
  std::unique_ptr<BufferMemory> memory() const {
    auto all = std::make_unique<BufferMemory>();
    for (const auto &[address, bytes] : structures_)
      all->add({address}, bytes);
    return all;
  }

  const RuntimeLayout &layout;

private:
  std::map<std::uint64_t, std::vector<std::byte>> structures_;
};

} // namespace inspect::test
