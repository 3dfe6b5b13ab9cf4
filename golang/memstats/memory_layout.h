// Where the fields lie that Go's runtime.MemStats is made of, on amd64, by Go version. Generated from real toolchains
// by tools/generate_go_layouts.go and generate_go_memory_layouts.go; what a version does not have is -1.
//
// Patch releases move fields here, too, but not the same ones as in golang/runtime/runtime_layout.h: the two tables
// have rows of their own.
#pragma once

#include "golang/go_version.h"

#include <cstdint>
#include <span>

namespace inspect {

inline constexpr std::uint64_t go_page_size = 8192;      // runtime/malloc.go, pageSize
inline constexpr std::uint64_t max_processors = 1 << 14; // GOMAXPROCS has no limit, machines do

struct MemoryLayout {
  using Offset = std::int32_t;

  GoVersion version;
  int first_patch = 0; ///< the first patch release that has it
  /// Bytes of an object of each size class (runtime/sizeclasses.go, class_to_size); class 0 is for large ones.
  std::span<const std::uint32_t> size_classes;

  struct Stats { // runtime/mstats.go, type mstats: the variable memstats; heap_* and next_gc moved away by 1.19
    Offset size, heap_stats, heap_sys, heap_inuse, heap_released, stacks_sys, mspan_sys, mcache_sys, buckhash_sys,
        gc_misc_sys, other_sys, next_gc, heap_marked, tiny_allocs, last_gc, pause_total, pauses, pause_count, gc_count,
        forced_gc_count, gc_cpu_fraction;
  } stats;
  struct Delta { // runtime/mstats.go, type heapStatsDelta, of which there are three in memstats.heapStats
    Offset size, committed, released, in_heap, in_stacks, in_work_buffers, in_pointer_bits, tiny_count, large_bytes,
        large_count, small_counts, large_freed_bytes, large_freed_count, small_freed_counts, size_classes;
  } delta;
  struct Controller { // runtime/mgcpacer.go, type gcControllerState: the variable gcController
    Offset size, gc_percent, memory_limit, heap_minimum, heap_goal, percent_goal, sweep_trigger, triggered, heap_live,
        heap_marked, heap_in_use, heap_released, heap_free, total_alloc, total_free, mapped_ready;
  } controller;
  struct Heap { // runtime/mheap.go, type mheap: the variable mheap_; span_ and cache_ are fields of two fixallocs
    Offset size, sweep_generation, all_spans, pages_in_use, arenas, arena_list, user_arena_list, summaries,
        summary_levels, chunks, chunk_count, scavenge_index, span_size, span_owner, span_inuse, span_counter,
        cache_size, cache_inuse, cache_counter;
  } heap;
  struct Span { // runtime/mheap.go, type mspan; elements_bytes is how wide nelems is
    Offset size, start, pages, elements, elements_bytes, allocated, allocated_before, span_class, state, element_size,
        mark_bits;
  } span;
  struct Cache { // runtime/mcache.go, type mcache
    Offset size, tiny_allocs, spans, span_count;
  } cache;
  struct Processor { // runtime/runtime2.go, type p
    Offset size, id, status, cache, free_goroutines;
  } processor;
  struct Scheduler { // runtime/runtime2.go, type schedt: the variable sched
    Offset size, last_goroutine, next_m, max_ms, freed_ms, system_goroutines, idle_list, idle_count, free_goroutines,
        free_without_stack;
  } scheduler;
  struct Arena { // runtime/mheap.go, type heapArena
    Offset size, spans, pages;
  } arena;
};

/// Of this release (`patch` as from go_patch_release()), else of the last known before it, else the oldest; of version
/// 0.0 the newest. Static.
const MemoryLayout &memory_layout(GoVersion version, int patch);
/// Ascending by version and first patch release.
std::span<const MemoryLayout> known_memory_layouts();

} // namespace inspect
