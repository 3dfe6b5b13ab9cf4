// Whether bytes may be overwritten without changing what nobody named: read-only pages hold the literals and constants
// that all of the program shares, and shared pages are other processes' too. Writing through ptrace, as `set` does,
// would reach them without a fault.
#pragma once

#include "inspector/target/target.h"
#include "values/assign/assignment_plan.h"

#include <span>

namespace inspect {

/// usage, with the mapping and what to do instead, where one of the writes is not to be made unless it is forced. The
/// mappings are read now. What is not mapped at all is left to the write, which says so.
Result<void> check_owned(const Target &target, std::span<const MemoryWrite> writes);

} // namespace inspect
