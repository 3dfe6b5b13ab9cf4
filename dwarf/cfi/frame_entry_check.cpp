#include "dwarf/cfi/frame_entry_check.h"

#include "dwarf/cfi/call_frame_instructions.h"
#include "dwarf/raw/elf/byte_reader.h"
#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/raw/elf/section_limits.h"

#include <dwarf.h>
#include <span>

namespace inspect {
namespace {

constexpr std::string_view unknown_augmentation = "the unwind table has an augmentation that is not read";
constexpr std::string_view damaged_entry = "the unwind table holds an entry that is damaged";

/// Bytes of a pointer, whatever it is relative to; 0 for encodings that no compiler for x86-64 writes here: LEB128, and
/// DW_EH_PE_aligned, whose size depends on its place.
std::size_t encoded_size(std::uint8_t encoding) {
  constexpr std::uint8_t format = 0x0f;
  constexpr std::uint8_t application = 0x70;
  if ((encoding & application) > DW_EH_PE_funcrel)
    return 0;
  switch (encoding & format) {
  case DW_EH_PE_udata2:
  case DW_EH_PE_sdata2:
    return 2;
  case DW_EH_PE_udata4:
  case DW_EH_PE_sdata4:
    return 4;
  case DW_EH_PE_absptr:
  case DW_EH_PE_udata8:
  case DW_EH_PE_sdata8:
    return 8;
  default:
    return 0;
  }
}

std::span<const std::byte> bytes_between(const std::uint8_t *begin, const std::uint8_t *end) {
  if (begin >= end)
    return {};
  return std::as_bytes(std::span(begin, end));
}

/// Of an augmentation that begins with 'z': the size of addresses in FDEs, 0 where it cannot be told.
std::size_t address_size_of(const Dwarf_CIE &cie) {
  ByteReader reader(bytes_between(cie.augmentation_data, cie.augmentation_data + cie.augmentation_data_size));
  std::size_t size = encoded_size(DW_EH_PE_absptr);
  for (const char letter : std::string_view(cie.augmentation)) {
    if (letter == 'L') {
      reader.skip(1);
    } else if (letter == 'R') {
      size = encoded_size(reader.byte());
    } else if (letter == 'P') {
      const std::uint8_t encoding = reader.byte();
      const std::size_t pointer = encoding != DW_EH_PE_omit ? encoded_size(encoding) : 0;
      if (encoding != DW_EH_PE_omit && pointer == 0)
        return 0;
      reader.skip(pointer);
    } // libdw steps over all others, of which it knows 'z' and 'S'
  }
  return reader.ok() ? size : 0;
}

} // namespace

std::expected<std::optional<FrameEntryCheck>, std::string_view> FrameEntryCheck::of_eh_frame(const ElfImage &image,
                                                                                             EhFrameBy by) {
  auto place = find_eh_frame(image, by);
  if (!place)
    return std::unexpected(place.error());
  if (!*place)
    return std::nullopt;
  FrameEntryCheck check(image.elf(), true);
  check.sections_.push_back((*place)->data);
  check.table_ = (*place)->table;
  return check;
}

FrameEntryCheck FrameEntryCheck::of_debug_frame(Elf *elf) {
  FrameEntryCheck check(elf, false);
  // By all its names, of which libdw takes the first that is there: ".zdebug_frame" is the compressed one of old.
  for (const ImageSection &section : sections_of(elf))
    if (section.name.find("debug_frame") != std::string_view::npos && section.header.sh_type != SHT_NOBITS)
      if (const Elf_Data *data = elf_rawdata(section.section, nullptr); data != nullptr && data->d_buf != nullptr)
        check.sections_.push_back(*data);
  return check;
}

std::string_view FrameEntryCheck::fault_at(LinkAddress pc) {
  if (table_) {
    const auto offset = table_->find(pc);
    // Without one libdw has only FDEs to offer that it took in for another pc, and those were looked at.
    return offset ? fde_fault(sections_.front(), *offset) : std::string_view();
  }
  if (!scanned_) {
    scanned_ = std::string_view();
    for (Elf_Data &data : sections_)
      if (scanned_->empty())
        scanned_ = scan(data);
    cies_.clear();
  }
  return *scanned_;
}

std::string_view FrameEntryCheck::scan(Elf_Data &data) {
  const auto *identity = reinterpret_cast<const unsigned char *>(elf_getident(elf_, nullptr));
  cies_.clear();
  budget_ = data.d_size;
  // libdw stops where these do; what it makes of an entry that it does not take does not matter.
  for (Dwarf_Off offset = 0, next = 0;; offset = next) {
    Dwarf_CFI_Entry entry;
    const int result = dwarf_next_cfi(identity, &data, eh_frame_, offset, &next, &entry);
    if (result > 0 || (result < 0 && next == offset))
      return {};
    if (next > max_unwind_table_size)
      return "the unwind table is larger than any is";
    if (result < 0 || dwarf_cfi_cie_p(&entry))
      continue; // no CIE's instructions run but for an FDE
    if (const std::string_view fault = fde_fault(data, entry.fde); !fault.empty())
      return fault;
  }
}

std::string_view FrameEntryCheck::fde_fault(Elf_Data &data, std::uint64_t offset) {
  if (offset >= data.d_size)
    return "the search table leads out of the unwind table";
  const auto *identity = reinterpret_cast<const unsigned char *>(elf_getident(elf_, nullptr));
  Dwarf_CFI_Entry entry;
  Dwarf_Off next = 0;
  if (dwarf_next_cfi(identity, &data, eh_frame_, offset, &next, &entry) != 0 || dwarf_cfi_cie_p(&entry))
    return damaged_entry;
  return fde_fault(data, entry.fde);
}

std::string_view FrameEntryCheck::fde_fault(Elf_Data &data, const Dwarf_FDE &fde) {
  const Cie &cie = cie_at(data, fde.CIE_pointer);
  if (!cie.usable)
    return {};
  if (!cie.fault.empty())
    return cie.fault;
  const auto bytes = bytes_between(fde.start, fde.end);
  ByteReader reader(bytes);
  reader.skip(2 * cie.address_size);
  if (cie.sized) {
    constexpr std::size_t longest_number = 10; // libdw reads no more
    const std::size_t begin = reader.position();
    const std::uint64_t size = reader.unsigned_leb();
    if (reader.position() - begin > longest_number)
      return damaged_entry;
    reader.skip(size);
  }
  if (!reader.ok())
    return damaged_entry;
  return program_fault(fde.start + reader.position(), fde.end, cie.address_size);
}

const FrameEntryCheck::Cie &FrameEntryCheck::cie_at(Elf_Data &data, std::uint64_t offset) {
  const auto [known, is_new] = cies_.try_emplace(offset);
  if (!is_new)
    return known->second;
  if (offset >= data.d_size) {
    // libdw says no to that, too, but adds 4 first: the last offsets of all would wrap around.
    constexpr std::uint64_t length_size = 4;
    known->second.usable = offset + length_size < offset;
    known->second.fault = damaged_entry;
    return known->second;
  }
  const auto *identity = reinterpret_cast<const unsigned char *>(elf_getident(elf_, nullptr));
  Dwarf_CFI_Entry entry;
  Dwarf_Off next = 0;
  if (dwarf_next_cfi(identity, &data, eh_frame_, offset, &next, &entry) == 0 && dwarf_cfi_cie_p(&entry))
    known->second = read_cie(entry.cie);
  return known->second;
}

FrameEntryCheck::Cie FrameEntryCheck::read_cie(const Dwarf_CIE &cie) {
  Cie read{.usable = true, .fault = {}, .address_size = encoded_size(DW_EH_PE_absptr), .sized = false};
  const std::string_view augmentation(cie.augmentation);
  if (augmentation.starts_with('z')) {
    read.sized = true;
    read.address_size = address_size_of(cie);
  } else if (!augmentation.empty() && !augmentation.starts_with("eh")) {
    read.address_size = 0;
  }
  if (read.address_size == 0)
    read.fault = unknown_augmentation;
  else
    read.fault = program_fault(cie.initial_instructions, cie.initial_instructions_end, read.address_size);
  return read;
}

std::string_view FrameEntryCheck::program_fault(const std::uint8_t *begin, const std::uint8_t *end,
                                                std::size_t address_size) {
  const auto program = bytes_between(begin, end);
  if (budget_) {
    if (program.size() > *budget_)
      return "the unwind table holds entries that overlap";
    *budget_ -= program.size();
  }
  return instructions_fault(program, address_size);
}

} // namespace inspect
