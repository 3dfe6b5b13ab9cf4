// Which bytes of memory hold the stacks, from the stack pointers and the mappings alone: no reading, no tracing.
//
// The System V psABI for x86-64, section 3.2.2, gives a function 128 bytes below the stack pointer, the red zone.
#pragma once

#include "attach/procfs/memory_map.h"

#include <optional>
#include <span>

namespace inspect {

constexpr std::uint64_t red_zone_bytes = 128;
/// A stack in a larger mapping than this, other than the main thread's, is taken for one of many in a heap (coroutines,
/// goroutines): the end of the mapping then says nothing of the end of the stack …
constexpr std::uint64_t max_stack_mapping_size = 64ULL << 20;
/// … and this much of it is copied.
constexpr std::uint64_t stack_in_heap_bytes = 1ULL << 20;

/// In a larger mapping than this, what lies above a stack need not belong to it, because the kernel joins neighbouring
/// mappings: twice the usual size of a thread's stack.
constexpr std::uint64_t max_mapping_of_one_stack = 16ULL << 20;

struct StackRange {
  RunRange range;
  /// By the limit given, and it is known that the stack goes on there.
  bool cut = false;
};

/// From the red zone below the stack pointer to the end of its mapping, at most `limit` bytes; nothing when no readable
/// mapping holds the stack pointer. A stack pointer at the very end of a mapping (an empty stack) belongs to it.
std::optional<StackRange> stack_range(const std::vector<Mapping> &maps, RunAddress stack_pointer, std::uint64_t limit);

/// Cuts the longest ranges at their high end until all together are at most `total` bytes: every range keeps an equal
/// share at least. How many were cut.
std::size_t limit_total(std::span<StackRange> ranges, std::uint64_t total);

/// Sorted, without overlaps; ranges that touch become one.
std::vector<RunRange> merge_ranges(std::vector<RunRange> ranges);
/// The parts of `ranges` that are in none of `held`; both sorted and without overlaps.
std::vector<RunRange> subtract_ranges(std::span<const RunRange> ranges, std::span<const RunRange> held);

} // namespace inspect
