// An ELF file opened by libdwarf, and the few differences between the libdwarf of Debian 12 (20210528) and the 0.x
// releases after it. No file that includes this one may be linked into `inspect`.
//
// libdwarf answers DW_DLV_OK, DW_DLV_NO_ENTRY (there is none) or DW_DLV_ERROR with an error to be freed; `checked`
// turns that into a Result<bool>.
//
// Source: "A Consumer Library Interface to DWARF", the manual of libdwarf.
#pragma once

#include "machine/error.h"

#if __has_include(<libdwarf/libdwarf.h>)
#include <libdwarf/dwarf.h>
#include <libdwarf/libdwarf.h>
#elif __has_include(<libdwarf-0/libdwarf.h>)
#include <libdwarf-0/dwarf.h>
#include <libdwarf-0/libdwarf.h>
#else
#include <dwarf.h>
#include <libdwarf.h>
#endif
#include <libelf.h>
#include <optional>
#include <string_view>
#include <utility>

namespace inspect {

class LibdwarfFile {
public:
  /// The descriptor must stay open as long as this object lives. not_found: the file has no DWARF.
  static Result<LibdwarfFile> open(int descriptor);
  LibdwarfFile(LibdwarfFile &&other) noexcept;
  LibdwarfFile(const LibdwarfFile &) = delete;
  LibdwarfFile &operator=(const LibdwarfFile &) = delete;
  LibdwarfFile &operator=(LibdwarfFile &&) = delete;
  ~LibdwarfFile();

  Dwarf_Debug debug() const { return debug_; }
  Elf *elf() const { return elf_; }
  /// True: there is one; false: there is none.
  Result<bool> checked(int libdwarf_status, Dwarf_Error &error, std::string_view what_was_tried) const;

private:
  LibdwarfFile(Elf *elf, Dwarf_Debug debug) : elf_(elf), debug_(debug) {}
  Elf *elf_ = nullptr;
  Dwarf_Debug debug_ = nullptr;
};

/// Frees a DIE when its owner ends.
class LibdwarfDie {
public:
  LibdwarfDie(Dwarf_Debug debug, Dwarf_Die die) : debug_(debug), die_(die) {}
  LibdwarfDie(LibdwarfDie &&other) noexcept : debug_(other.debug_), die_(std::exchange(other.die_, nullptr)) {}
  LibdwarfDie &operator=(LibdwarfDie &&other) noexcept {
    std::swap(debug_, other.debug_);
    std::swap(die_, other.die_);
    return *this;
  }
  LibdwarfDie(const LibdwarfDie &) = delete;
  LibdwarfDie &operator=(const LibdwarfDie &) = delete;
  ~LibdwarfDie() {
    if (die_ != nullptr)
      dwarf_dealloc(debug_, die_, DW_DLA_DIE);
  }
  Dwarf_Die get() const { return die_; }

private:
  Dwarf_Debug debug_;
  Dwarf_Die die_;
};

/// A unit's header as far as we use it, and its root DIE.
struct LibdwarfUnit {
  Dwarf_Half version = 0;
  Dwarf_Half type = 0; ///< DW_UT_compile and so on, for DWARF 2–4 too
  Dwarf_Half address_size = 0;
  Dwarf_Unsigned header_offset = 0;
  Dwarf_Unsigned end_offset = 0; ///< where the next unit begins
  LibdwarfDie root;              ///< null where the unit is empty
};

/// Walks the units of .debug_info, in their order.
class LibdwarfUnits {
public:
  explicit LibdwarfUnits(const LibdwarfFile &file) : file_(file) {}
  /// Nothing after the last unit.
  Result<std::optional<LibdwarfUnit>> next();

private:
  const LibdwarfFile &file_;
  Dwarf_Unsigned offset_ = 0;
};

} // namespace inspect
