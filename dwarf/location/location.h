// Where the value of a variable is at a pc: in memory, in a register, nowhere but computable, or in pieces of all of
// these. All operators of DWARF 2 to 5 and GNU's and LLVM's extensions are understood.
//
//     auto location = locate(variable.die, frame);
//     if (!location) … location.error() says why: "optimized out", "rbx is not recoverable in this frame" …
//     Value bytes = read_location(*location, size, frame);
//
// Sources: DWARF 5 sections 2.5 (expressions), 2.6 (locations, lists), 3.4 (call sites), 4.1 (variables), 7.7; the GNU
// extensions for DWARF 4 (DW_OP_GNU_entry_value, …): binutils include/dwarf2.def.
#pragma once

#include "dwarf/location/frame_context.h"
#include "machine/value_source.h"

#include <cstddef>
#include <cstdint>
#include <elfutils/libdw.h>
#include <optional>
#include <string>
#include <vector>

namespace inspect {

struct LocationPiece {
  enum class Kind : std::uint8_t {
    memory,
    in_register,
    implicit,         ///< its bytes are known, and it is nowhere
    implicit_pointer, ///< a pointer that was optimized away, to something that still is there
    missing,          ///< `reason` says why
  };
  Kind kind = Kind::missing;
  std::optional<std::uint64_t> bit_size; ///< none: all that is left of the value
  std::uint64_t bit_offset = 0;          ///< from the start of the storage
  RunAddress address;                    ///< of memory
  unsigned dwarf_register = 0;           ///< of in_register
  std::vector<std::byte> bytes;          ///< of implicit
  std::optional<Dwarf_Die> pointee;      ///< of implicit_pointer: the variable it points to
  std::int64_t pointee_offset = 0;       ///< bytes into it
  std::string reason;
};

struct Location {
  std::vector<LocationPiece> pieces;
  /// What the caller passed, recovered through its call site: the variable may have changed since.
  bool at_entry = false;
};

/// Whether the variable is somewhere else at each pc: in a location list. Else one expression holds everywhere.
bool has_location_list(Dwarf_Die variable);
/// Whether a location list has one and the same place in the frame for the variable wherever it has any.
bool has_one_frame_place(Dwarf_Die variable);
/// Whether a location list has the variable, or a part of it, in the frame at some pc.
bool is_ever_in_frame(Dwarf_Die variable);
/// Whether Go's compiler was told not to optimise (-N), by the flags that it notes of a unit.
bool is_of_unoptimised_unit(Dwarf_Die die);
/// Of a variable's or parameter's DIE: its DW_AT_location at the frame's pc, or DW_AT_const_value. not_found: optimized
/// out here, or a register that it needs is not recoverable; unreadable; corrupt; unsupported.
Result<Location> locate(Dwarf_Die variable, const FrameContext &frame);
/// The same for code whose functions keep no registers for their callers (Go's): what was in one up to a call is lost,
/// unless it was spilled, and then the list's entry from the return address on says where. Pieces that are not
/// recoverable inside of the call are taken from behind it where they are in memory there.
Result<Location> locate_across_call(Dwarf_Die variable, const FrameContext &frame);
/// What a parameter was when its function was called, where its location now is unknown: through the caller's
/// DW_TAG_call_site_parameter, as gdb's "x@entry".
Result<Location> locate_at_entry(Dwarf_Die parameter, const FrameContext &frame);
/// The frame's own DW_AT_frame_base.
Result<RunAddress> frame_base(Dwarf_Die function, const FrameContext &frame);

/// The bytes of a value of `size` bytes there: in memory where it is one piece of memory, else put together, with those
/// marked that are not known.
Result<ValueSource> read_location(const Location &location, std::uint64_t size, const FrameContext &frame);

} // namespace inspect
