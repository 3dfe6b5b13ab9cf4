// Keeps images of a Go version newer than all known ones readable: moduledata gets a new field now and then, and then
// the last one that is read here, gofunc, lies a word or two further on. Nothing but the inlined calls says whether it
// is right: with a wrong one they lead to no line.
#pragma once

#include "golang/pclntab/module_data.h"
#include "golang/pclntab/pclntab.h"

namespace inspect {

/// Whether the inlined calls of some of the table's functions are plausible; true where it has none.
bool inlined_calls_make_sense(const Pclntab &table);

/// Words of the moduledata that may be gofunc, besides the one that was taken for it.
std::vector<RunAddress> other_function_data(const ModuleData &data, const MemoryView &memory);

} // namespace inspect
