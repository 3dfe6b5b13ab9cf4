// Puts an ELF image together from a target's memory, for modules that have no (believable) file: deleted, memfd, the
// vDSO. The bytes are laid out by file offset, as in the file, so that everything that reads files reads this too; what
// is not loaded (most sections, and nearly always the section headers) is not there.
//
// Sources: System V gABI chapter 5, "Program Header" and "Base Address"; vdso(7).
#pragma once

#include "dwarf/module/module.h"
#include "dwarf/raw/elf/elf_image.h"

namespace inspect {

struct MemoryImage {
  ElfImage image;
  LoadBias bias;
};

/// `segments` are the mappings of the module. not_found: none of them holds an ELF header.
Result<MemoryImage> read_memory_image(const std::string &path, const std::vector<MappedSegment> &segments,
                                      const MemoryView &memory);

} // namespace inspect
