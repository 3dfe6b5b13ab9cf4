// The unit that a DIE belongs to: its language, its file, and whether two DIEs are of the same one, as the file-scope
// names of C and C++ are each their unit's own.
//
// Source: DWARF 5 section 3.1.1.
#pragma once

#include <cstdint>
#include <elfutils/libdw.h>
#include <optional>
#include <string>

namespace inspect {

/// DW_LANG_…; 0 where it is not said.
std::uint64_t unit_language(Dwarf_Die die);
/// The source file that was compiled, as the compiler was told; empty where it is not said.
std::string unit_file(Dwarf_Die die);
/// The DIE around this one: of an enumerator its enumeration. Nothing for a unit's own DIE.
std::optional<Dwarf_Die> enclosing_die(Dwarf_Die die);
bool in_same_unit(Dwarf_Die left, Dwarf_Die right);

} // namespace inspect
