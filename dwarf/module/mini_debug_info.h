// The small symbol table that some distributions leave in stripped programs: an xz-compressed ELF file in the section
// .gnu_debugdata with the symbols that .dynsym lacks.
//
// Source: gdb manual, "MiniDebugInfo".
#pragma once

#include "dwarf/raw/elf/elf_image.h"

namespace inspect {

/// not_found where the image has no such section (then with an empty message); corrupt where it cannot be unpacked.
Result<ElfImage> read_mini_debug_info(const ElfImage &image, const std::string &path);

} // namespace inspect
