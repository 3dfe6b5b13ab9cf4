// The dynamic symbols of an image that has no section headers (sstrip, an image from memory): through PT_DYNAMIC, as
// the dynamic linker finds them. The number of symbols is written nowhere; it follows from the hash table.
//
// Sources: System V gABI chapter 5, "Dynamic Section" and "Hash Table"; DT_GNU_HASH as in binutils' bfd/elflink.c.
#pragma once

#include "dwarf/raw/elf/elf_image.h"

namespace inspect {

struct DynamicSymbols {
  std::span<const std::byte> symbols; ///< Elf64_Sym
  std::span<const std::byte> names;
};

/// `bias`: in memory the dynamic linker has replaced the table's link-time addresses by run-time ones.
std::optional<DynamicSymbols> find_dynamic_symbols(const ElfImage &image, LoadBias bias);

} // namespace inspect
