// Looks at call frame information before libdw does: no pc is looked up in a table where libdw would come upon
// instructions that call_frame_instructions.h refuses. With a search table only the FDE of that pc and its CIE are
// looked at; without one libdw reads entry by entry, so all of them are, once.
//
//     auto check = FrameEntryCheck::of_eh_frame(image, EhFrameBy::sections);
//     if (check && *check && (*check)->fault_at(pc).empty())
//       dwarf_cfi_addrframe(…);
//
// Sources: DWARF 5 section 6.4.1, "Structure of Call Frame Information"; LSB core, ".eh_frame"; elfutils 0.188,
// libdw/cie.c and fde.c.
#pragma once

#include "dwarf/cfi/eh_frame_place.h"
#include "machine/address.h"

#include <cstddef>
#include <cstdint>
#include <elfutils/libdw.h>
#include <expected>
#include <libelf.h>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace inspect {

class ElfImage;

class FrameEntryCheck {
public:
  /// Nothing: the image has none. A clause: it has one that must not be read. The image must outlive the check.
  static std::expected<std::optional<FrameEntryCheck>, std::string_view> of_eh_frame(const ElfImage &image,
                                                                                     EhFrameBy by);
  /// .debug_frame of an ELF whose sections libdw has unpacked. It must outlive the check.
  static FrameEntryCheck of_debug_frame(Elf *elf);

  /// Why libdw must not look the pc up there, one clause; empty: it may.
  std::string_view fault_at(LinkAddress pc);

private:
  /// What an FDE's reader needs of its CIE.
  struct Cie {
    bool usable = false; ///< libdw takes it for one
    std::string_view fault;
    std::size_t address_size = 0;
    bool sized = false; ///< FDEs say how long their augmentation data are
  };

  explicit FrameEntryCheck(Elf *elf, bool eh_frame) : elf_(elf), eh_frame_(eh_frame) {}
  std::string_view scan(Elf_Data &data);
  std::string_view fde_fault(Elf_Data &data, std::uint64_t offset);
  std::string_view fde_fault(Elf_Data &data, const Dwarf_FDE &fde);
  const Cie &cie_at(Elf_Data &data, std::uint64_t offset);
  Cie read_cie(const Dwarf_CIE &cie);
  std::string_view program_fault(const std::uint8_t *begin, const std::uint8_t *end, std::size_t address_size);

  Elf *elf_;
  bool eh_frame_;
  std::vector<Elf_Data> sections_;
  std::optional<EhFrameSearchTable> table_;
  std::optional<std::string_view> scanned_;     ///< what scan() found, over all sections
  std::unordered_map<std::uint64_t, Cie> cies_; ///< by offset
  /// Bytes that scan() may still look at, so that entries which overlap cost no more than others; none: no limit.
  std::optional<std::uint64_t> budget_;
};

} // namespace inspect
