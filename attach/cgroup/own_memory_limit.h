// Keeps this program from taking memory that its control group does not have: in a container it would be the target, as
// likely the largest process there, that the kernel ends then.
//
// Where a group has a limit, what is left of it becomes a limit on our own data (RLIMIT_DATA), so that too much ends in
// std::bad_alloc and a sentence (machine/thrown_error.h). Should memory run out all the same, we are the first to go.
//
// Sources: man pages getrlimit(2), proc(5) "/proc/pid/oom_score_adj", pthread_setattr_default_np(3); the kernel's
// mm/mmap.c may_expand_vm.
#pragma once

#include "attach/cgroup/cgroup_memory.h"

#include <cstdint>
#include <optional>

namespace inspect {

/// What is left until the nearest limit that can be seen, in bytes, with the page cache that the kernel drops first;
/// nothing: there is no limit.
std::optional<std::uint64_t> memory_left(const ControlGroupMemory &group);

/// To be called once, before any thread is begun. Children inherit both. Where /proc does not let us, nothing is done:
/// then it is as for every other program.
void keep_within_control_group();

} // namespace inspect
