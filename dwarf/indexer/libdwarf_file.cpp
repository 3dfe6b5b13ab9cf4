#include "dwarf/indexer/libdwarf_file.h"

#include <fmt/format.h>
#include <utility>

namespace inspect {
namespace {

#ifdef DW_LIBDWARF_VERSION
int start_reading(int descriptor, Elf *, Dwarf_Debug &debug, Dwarf_Error &error) {
  return dwarf_init_b(descriptor, DW_GROUPNUMBER_ANY, nullptr, nullptr, &debug, &error);
}
void stop_reading(Dwarf_Debug debug) {
  dwarf_finish(debug);
}
#else
// Given libelf's handle, this old version reads the mapped file in place; given a descriptor it would copy each
// section.
int start_reading(int, Elf *elf, Dwarf_Debug &debug, Dwarf_Error &error) {
  return dwarf_elf_init_b(elf, DW_DLC_READ, DW_GROUPNUMBER_ANY, nullptr, nullptr, &debug, &error);
}
void stop_reading(Dwarf_Debug debug) {
  Dwarf_Error error = nullptr;
  dwarf_finish(debug, &error);
}
#endif

Error error_from(Dwarf_Debug debug, Dwarf_Error &error, std::string_view what_was_tried) {
  Error result(ErrorKind::corrupt, fmt::format("{}: {}", what_was_tried,
                                               error != nullptr ? dwarf_errmsg(error) : "libdwarf gives no reason"));
  if (error != nullptr && debug != nullptr)
    dwarf_dealloc(debug, error, DW_DLA_ERROR);
  error = nullptr;
  return result;
}

} // namespace

Result<LibdwarfFile> LibdwarfFile::open(int descriptor) {
  elf_version(EV_CURRENT);
  Elf *elf = elf_begin(descriptor, ELF_C_READ_MMAP, nullptr);
  if (elf == nullptr || elf_kind(elf) != ELF_K_ELF) {
    elf_end(elf);
    return std::unexpected(Error(ErrorKind::unsupported, "the file is not an ELF file"));
  }
  Dwarf_Debug debug = nullptr;
  Dwarf_Error error = nullptr;
  const int status = start_reading(descriptor, elf, debug, error);
  if (status == DW_DLV_OK)
    return LibdwarfFile(elf, debug);
  Error reason = status == DW_DLV_NO_ENTRY ? Error(ErrorKind::not_found, "the file has no DWARF")
                                           : error_from(debug, error, "opening the file's DWARF");
  elf_end(elf);
  return std::unexpected(std::move(reason));
}

LibdwarfFile::LibdwarfFile(LibdwarfFile &&other) noexcept
    : elf_(std::exchange(other.elf_, nullptr)), debug_(std::exchange(other.debug_, nullptr)) {}

LibdwarfFile::~LibdwarfFile() {
  if (debug_ != nullptr)
    stop_reading(debug_);
  elf_end(elf_);
}

Result<bool> LibdwarfFile::checked(int libdwarf_status, Dwarf_Error &error, std::string_view what_was_tried) const {
  if (libdwarf_status == DW_DLV_ERROR)
    return std::unexpected(error_from(debug_, error, what_was_tried));
  return libdwarf_status == DW_DLV_OK;
}

Result<std::optional<LibdwarfUnit>> LibdwarfUnits::next() {
  Dwarf_Unsigned length = 0, abbreviations = 0, type_offset = 0, next_offset = 0;
  Dwarf_Half version = 0, address_size = 0, offset_size = 0, extension_size = 0, type = 0;
  Dwarf_Sig8 signature{};
  Dwarf_Error error = nullptr;
  const int status =
      dwarf_next_cu_header_d(file_.debug(), true, &length, &version, &abbreviations, &address_size, &offset_size,
                             &extension_size, &signature, &type_offset, &next_offset, &type, &error);
  const std::string where = fmt::format("reading the unit at {:#x} of .debug_info", offset_);
  auto more = file_.checked(status, error, where);
  if (!more)
    return std::unexpected(more.error());
  if (!*more)
    return std::nullopt;
  Dwarf_Die die = nullptr;
  auto found = file_.checked(dwarf_siblingof_b(file_.debug(), nullptr, true, &die, &error), error, where);
  if (!found)
    return std::unexpected(found.error());
  LibdwarfUnit unit{version, type, address_size, offset_, next_offset, LibdwarfDie(file_.debug(), die)};
  if (next_offset <= offset_)
    return std::unexpected(Error(ErrorKind::corrupt, where + ": its length leads backwards"));
  offset_ = next_offset;
  return unit;
}

} // namespace inspect
