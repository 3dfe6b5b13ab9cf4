// Where a module lies: which of its PT_LOAD segments each mapping shows, and from that the load bias. No single mapping
// is trusted: linkers let two segments share a file page, mprotect splits mappings, and a file can be mapped with
// other offsets than the headers suggest; the bias that explains most mappings is taken.
//
// Sources: System V gABI chapter 5, "Program Loading" and "Base Address"; mmap(2).
#pragma once

#include "dwarf/module/module.h"
#include "dwarf/raw/elf/elf_image.h"

namespace inspect {

/// Nothing where no PT_LOAD explains any mapping: the file is not the one that was mapped.
std::optional<LoadBias> find_load_bias(const std::vector<Elf64_Phdr> &program_headers,
                                       const std::vector<MappedSegment> &mapped);

/// How many of the mappings the headers explain at this bias.
std::size_t count_explained(const std::vector<Elf64_Phdr> &program_headers, LoadBias bias,
                            const std::vector<MappedSegment> &mapped);

/// The pages that the PT_LOAD segments occupy at run time, ascending and merged; headers that cannot be are left out.
std::vector<RunRange> loaded_ranges(const std::vector<Elf64_Phdr> &program_headers, LoadBias bias);

} // namespace inspect
