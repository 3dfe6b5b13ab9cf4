// The stacks of goroutines that do not run, copied while the process runs on, and of which of them the copy can be
// trusted.
//
// The runtime counts in g.trackingSeq how often a goroutine left the state running (runtime/proc.go, casgstatus, since
// Go 1.17). So a goroutine that is parked before and after its stack was copied, with the same id, stack, sched.sp,
// sched.pc and count, has not run in between, if two more things hold:
//
//  - it is on no thread (g.m is 0): a goroutine that is just being parked has its new status already and its count not
//    yet, but then it still has its m (park_m: casgstatus, and after it dropg);
//  - so little time passed that it could not be parked 256 times, because the count is one byte.
//
// Where one of them does not hold (also: a goroutine in a system call, whose m stays; a Go before 1.17) a second copy
// must be equal to the first in every byte. The structure, the stack and the structure again are read in one call, in
// this order; a few goroutines a call, so that the time between is a few microseconds.
//
//     UnstoppedStacks copied = copy_unstopped_stacks(request, goroutines, warnings);
#pragma once

#include "golang/runtime/goroutine.h"
#include "golang/runtime/runtime_layout.h"
#include "machine/memory_view.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

namespace inspect {

/// What was copied already of a thread that slept all the while.
struct HeldStack {
  RunRange range;
  bool slept_since_list = false; ///< so that what the list of goroutines said of this thread holds
};

struct UnstoppedStack {
  RunRange range;
  std::byte *bytes = nullptr; ///< in the memory that was given for it
};

/// Gives memory for so many bytes; null: there is none left.
using StackRoom = std::function<std::byte *(std::uint64_t)>;

struct UnstoppedStacksRequest {
  const RuntimeLayout &layout;
  const MemoryView &memory;        ///< read_many() reads in the order given
  std::span<const HeldStack> held; ///< ascending
  std::uint64_t limit_bytes = 0;   ///< of all stacks together
  const StackRoom &room;
};

struct UnstoppedStacks {
  std::vector<UnstoppedStack> stacks;     ///< ascending, without overlaps
  std::unordered_set<RunAddress> unknown; ///< the structures of goroutines that ran, again and again
};

/// `goroutines` are as a list has them that was read shortly before: records of those that have run since become newer,
/// some of ended ones. A goroutine that runs is left to its thread.
UnstoppedStacks copy_unstopped_stacks(const UnstoppedStacksRequest &request, std::span<Goroutine> goroutines,
                                      std::vector<std::string> &warnings);

} // namespace inspect
