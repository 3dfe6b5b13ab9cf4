// The Go version that built an image, from memory: works where read_go_build_info, which reads files, cannot (deleted
// executables, and position-independent ones before Go 1.18, whose strings are found through relocated pointers).
//
// Source: package debug/buildinfo's description of the format; runtime.buildVersion.
#pragma once

#include "dwarf/symbolize/module_map.h"
#include "machine/memory_view.h"

#include <optional>
#include <string>

namespace inspect {

/// "go1.22.1"; nothing where the image does not say (a plugin), or it is not Go.
std::optional<std::string> go_version_text(const Module &module, const MemoryView &memory);
/// The same by the symbol runtime.buildVersion.
std::optional<std::string> go_version_by_symbol(Module &module, ModuleMap &modules, const MemoryView &memory);

} // namespace inspect
