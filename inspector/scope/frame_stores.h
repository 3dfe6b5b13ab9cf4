// What the code of a function stores in its frame before a pc is reached: whether an argument that came in a register
// has been written to its place there.
#pragma once

#include "machine/address.h"
#include "machine/memory_view.h"

#include <cstdint>
#include <vector>

namespace inspect {

/// The places that instructions from `code.begin` to `code.end` move a register to, told from the stack pointer, which
/// Go's functions do not change behind their prologue: `stack_pointer` is its value there. Instructions of the
/// prologue that stand before the last change of it count as if they stood behind. x86-64; empty where the code cannot
/// be read.
std::vector<RunAddress> frame_stores(RunRange code, RunAddress stack_pointer, const MemoryView &memory);

} // namespace inspect
