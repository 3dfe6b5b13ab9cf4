// What a Go runtime knows of its own memory: runtime.MemStats under its own names, and which address ranges it uses for
// what. Read from the runtime's variables, so that a stripped binary without any endpoint tells it, too.
//
// The figures are those that runtime.ReadMemStats would give at this instant. It stops the world to add up what the
// threads' caches hold (mcache, per-P counters); the same is done here from a copy of these structures. Two things that
// it changes by being called are left as they are: it gives back the free stacks that the Ps hold (StackInuse may then
// be less, and HeapIdle more by as much), and it sweeps what a P still has from before the last collection.
//
//     auto reader = GoMemoryReader::open(runtime, memory);    // finds the variables; the target runs
//     Result<void> copied = (*reader)->copy();               // inside the stop: few large reads, nothing else
//     auto statistics = (*reader)->statistics();             // the target runs again
//
// Sources: runtime/mstats.go (ReadMemStats, readGCStats, consistentHeapStats), runtime/mheap.go, mcache.go,
// mgcpacer.go, proc.go (gcount), of Go 1.16 to 1.27; layouts from tools/generate_go_layouts.go.
#pragma once

#include "golang/runtime/go_runtime.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace inspect {

/// In bytes unless said otherwise; the names are those of runtime.MemStats in this project's spelling. A figure that
/// could not be read is absent.
struct GoMemoryStatistics {
  using Figure = std::optional<std::uint64_t>;
  Figure alloc, total_alloc, sys, lookups, mallocs, frees;                         ///< lookups, mallocs, frees: counts
  Figure heap_alloc, heap_sys, heap_idle, heap_inuse, heap_released, heap_objects; ///< heap_objects: a count
  Figure stack_inuse, stack_sys, mspan_inuse, mspan_sys, mcache_inuse, mcache_sys, buck_hash_sys, gc_sys, other_sys;
  Figure next_gc;
  Figure last_gc;                              ///< nanoseconds since the epoch; 0: there was none
  Figure pause_total_ns;                       ///< nanoseconds
  std::vector<std::uint64_t> recent_pauses_ns; ///< latest first, at most 256
  Figure num_gc, num_forced_gc;                ///< counts
  std::optional<double> gc_cpu_fraction;
  std::optional<std::int64_t> gogc;         ///< per cent; -1: off
  std::optional<std::int64_t> memory_limit; ///< GOMEMLIMIT; its largest value means none; absent before Go 1.19
  Figure gomaxprocs;
  Figure goroutines; ///< runtime.NumGoroutine: without the runtime's own
};

enum class GoRangeUse { heap_arena, stack, metadata };

struct GoMemoryRange {
  RunRange range;
  GoRangeUse use;
};

class GoMemoryReader {
public:
  /// Finds the variables (runtime.memstats, mheap_, gcController, allp, sched, …): by symbol, else by their content.
  /// unsupported: the version is not known and no layout holds; not_found: they were not found, with what was tried.
  /// Both arguments must outlive the object.
  static Result<std::unique_ptr<GoMemoryReader>> open(GoRuntime &runtime, const MemoryView &memory);
  ~GoMemoryReader();
  GoMemoryReader(const GoMemoryReader &) = delete;
  GoMemoryReader &operator=(const GoMemoryReader &) = delete;

  /// Copies the structures; call it while the target is stopped for figures that belong together.
  Result<void> copy();
  /// Of the last copy. Figures that contradict each other by more than a thread may have been in the middle of are an
  /// error (corrupt) that says by how much; of less there is a warning. not_found: there was no copy.
  Result<GoMemoryStatistics> statistics() const;
  /// Heap arenas; inside of them the spans that are for goroutine stacks now (their sum is StackInuse, free ones that
  /// the runtime keeps included); and the runtime's own tables outside: all that it has mapped, but now and then for a
  /// few pages that no list leads to. Those of one use do not overlap each other. Reads the span tables live: no stop
  /// is needed.
  Result<std::vector<GoMemoryRange>> ranges() const;
  /// Sentences: what could not be read, and why; each once.
  std::vector<std::string> take_warnings();

private:
  struct State;
  explicit GoMemoryReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

} // namespace inspect
