// The list of all goroutines, read fast: what does not change while the process runs is read and ordered beforehand.
//
// runtime.allgs only ever grows, its g structures are never freed, and they lie in spans of some 8 KiB
// (runtime/proc.go, allgs; Go 1.16 to 1.27). So the order of the structures in memory is worked out while the process
// runs. Later one pass reads neighbours together, in chunks that stay in the processor's cache, on several threads at
// once.
//
//     GoroutineList list(layout, memory);
//     if (auto found = list.find(runtime.goroutine_list()…); !found) …
//     list.read(visit);     // as often as wanted; visit(worker, slot, goroutine) is called on several threads
#pragma once

#include "golang/runtime/goroutine.h"
#include "golang/runtime/runtime_layout.h"
#include "machine/memory_view.h"

#include <functional>
#include <vector>

namespace inspect {

class GoroutineList {
public:
  /// More goroutines than this are not read: their records alone would take gigabytes.
  static constexpr std::size_t max_goroutines = 1 << 24;

  GoroutineList(const RuntimeLayout &layout, const MemoryView &memory);

  /// Reads the slots of the list whose slice header lies at `header`. Called again it takes in what is new, and begins
  /// anew only where an old slot has changed.
  Result<void> find(RunAddress header);

  /// `slot` is the goroutine's place in the runtime's list; `worker` is below workers().
  using Visit = std::function<void(std::size_t worker, std::size_t slot, const Goroutine &goroutine)>;
  /// Every slot once, whatever the goroutine's status; one that cannot be read is idle.
  void read(const Visit &visit);

  std::size_t slots() const { return slots_.size(); }
  std::size_t workers() const { return buffers_.size(); }
  /// Slots that hold no address of a g, and structures which could not be read in the last pass.
  std::size_t unreadable() const { return bad_slots_.size() + unread_; }
  /// The length of the list, when it is longer than what is read; else 0.
  std::uint64_t cut_from() const { return cut_from_; }

private:
  /// Neighbours in memory: order_[first] to order_[last - 1].
  struct Chunk {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
  };

  void plan_from(std::size_t first_slot);
  std::size_t read_chunk(std::size_t worker, Chunk chunk, const Visit &visit);
  std::uint64_t structure_bytes() const { return static_cast<std::uint64_t>(layout_.g.size); }

  const RuntimeLayout &layout_;
  const MemoryView &memory_;
  std::vector<std::uint64_t> slots_; ///< addresses of g structures
  std::vector<std::uint64_t> again_; ///< the slots' second reading
  std::vector<std::uint32_t> order_; ///< slots by address
  std::vector<Chunk> chunks_;
  std::vector<std::vector<std::byte>> buffers_; ///< one for each worker
  std::vector<std::uint32_t> bad_slots_;
  std::size_t unread_ = 0;
  std::uint64_t cut_from_ = 0;
};

} // namespace inspect
