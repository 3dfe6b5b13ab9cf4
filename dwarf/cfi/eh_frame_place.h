// Where a file's .eh_frame is, and which of its FDEs libdw takes for a pc: the same sections or program header, and the
// same steps through the same search table (.eh_frame_hdr), as in libdw 0.188 (dwarf_getcfi_elf.c, fde.c). For those
// who have to look at an FDE before libdw does. Only the form in which linkers write that table is read.
//
// Sources: LSB core, ".eh_frame_hdr"; elfutils 0.188.
#pragma once

#include "machine/address.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <libelf.h>
#include <optional>
#include <span>
#include <string_view>

namespace inspect {

class ElfImage;

struct EhFrameSearchTable {
  std::span<const std::byte> entries; ///< of 8 bytes: where a function begins, where its FDE is
  std::uint64_t header_address = 0;   ///< what both are relative to
  std::uint64_t frame_address = 0;    ///< link-time address of .eh_frame

  /// The FDE's offset in .eh_frame, which may be anything. Nothing: the pc lies before all functions.
  std::optional<std::uint64_t> find(LinkAddress pc) const;
};

struct EhFramePlace {
  Elf_Data data{}; ///< type, buffer and size only; the bytes are the image's
  /// None: entries are searched one by one.
  std::optional<EhFrameSearchTable> table;
};

enum class EhFrameBy { sections, program_header };

/// How libdw gets to a search table: by sections, as it does where there are any, or only where it sees none of them,
/// since the table's stands behind .eh_frame (dwarf/cfi/sectionless_elf.h).
EhFrameBy way_to_eh_frame(const ElfImage &image);

/// Nothing: there is none. A clause: there is one that must not be read, for that reason. `program_header`: as if there
/// were no sections.
std::expected<std::optional<EhFramePlace>, std::string_view> find_eh_frame(const ElfImage &image, EhFrameBy by);

} // namespace inspect
