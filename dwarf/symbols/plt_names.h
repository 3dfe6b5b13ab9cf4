// Which function each entry of the procedure linkage table calls. Linkers lay these tables out in many ways; all of
// them jump through a word of the GOT (`jmp *slot(%rip)`), and a relocation says whose address goes into that word.
// Entries that only push a number for the lazy binder are named by that number.
//
// Sources: System V psABI for x86-64, section 5.2 "Procedure Linkage Table" and 13 "Intel CET extension".
#pragma once

#include "dwarf/raw/elf/elf_image.h"

#include <string_view>

namespace inspect {

struct PltEntry {
  LinkAddress address;
  std::uint32_t size = 0;
  std::uint32_t name = 0; ///< offset in `PltNames::names`
  LinkAddress target;     ///< of an entry without a name (IRELATIVE): the resolver; 0 otherwise
};

struct PltNames {
  std::span<const std::byte> names; ///< the dynamic symbols' string table
  std::vector<PltEntry> entries;
};

PltNames read_plt_names(const ElfImage &image);

} // namespace inspect
