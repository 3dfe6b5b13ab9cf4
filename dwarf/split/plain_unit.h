// Makes a plain unit of a split one. libdw finds split units only in .dwo files that it opens by itself, and joins them
// to their skeletons only then; parts of a .dwp package it cannot take at all. A unit that needs no skeleton any more
// it reads like any other: here an ELF image is put together in memory that has the unit, the type units that it refers
// to, and what of the sections of package and program they need, and in it the unit has the attributes that were in its
// skeleton. The bytes of its DIEs stay where they were, so that every offset in the unit still holds:
//
// - What is a number (DW_AT_addr_base and the like) goes into the abbreviation of its root DIE, as
//   DW_FORM_implicit_const, which takes no room among the DIEs.
// - DW_AT_low_pc has to be an address. In DWARF 5 the header of a plain unit is eight bytes shorter than that of a
// split
//   one: the root DIE begins so much earlier, with the index of the address, which is added to .debug_addr, and with
//   DW_AT_stmt_list. In DWARF 4 it takes the place of DW_AT_GNU_dwo_id, which has eight bytes.
//
// What is large (strings, addresses, ranges) is mapped from the files, not copied.
//
// Sources: DWARF 5 sections 3.1.2, 3.1.3, 7.3.2, 7.5.1, 7.5.3; gcc.gnu.org/wiki/DebugFission; System V gABI chapter 4.
#pragma once

#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/raw/units/package_index.h"

#include <cstdint>
#include <functional>
#include <libelf.h>
#include <memory>
#include <optional>

namespace inspect {

/// What a skeleton's root DIE says.
struct SkeletonFacts {
  std::uint64_t low_pc = 0;
  std::uint64_t address_base = 0; ///< into .debug_addr
  std::uint64_t ranges_base = 0;  ///< into .debug_ranges, before DWARF 5
};

/// Where the sections are from: mapped, or in memory where they were compressed.
struct PlainUnitSources {
  const ElfImage *program = nullptr;
  const ElfImage *package = nullptr;
  DebugSections program_sections; ///< `addresses` and `old_ranges`
  std::function<std::optional<DebugSections>(std::uint64_t signature)> type_unit;
};

class PlainUnit {
public:
  /// `parts` has the unit first in its .debug_info or, if it is an old type unit, .debug_types. corrupt: it makes no
  /// sense; system: memory.
  static Result<PlainUnit> make(const DebugSections &parts, const SkeletonFacts &skeleton,
                                const PlainUnitSources &sources);

  Elf *elf() const { return elf_.get(); }
  /// Of its root DIE, in .debug_info, or in .debug_types.
  std::uint64_t root_offset() const { return root_offset_; }
  bool in_types() const { return in_types_; }

private:
  struct EndElf {
    void operator()(Elf *elf) const { elf_end(elf); }
  };
  std::shared_ptr<void> memory_; // ends after `elf_`, which is in it
  std::unique_ptr<Elf, EndElf> elf_;
  std::uint64_t root_offset_ = 0;
  bool in_types_ = false;
};

} // namespace inspect
