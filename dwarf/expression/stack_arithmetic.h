// What the two evaluators of DWARF expressions share (dwarf/expression/cfi_expression.h for call frame information,
// dwarf/location/location_machine.h for variables): arithmetic on DWARF's generic type, which is 64 bits that wrap, and
// where a branch goes.
//
// Sources: DWARF 5 sections 2.5.1.4 (arithmetic) and 2.5.1.5 (control flow).
#pragma once

#include "machine/error.h"

#include <cstddef>
#include <cstdint>
#include <elfutils/libdw.h>
#include <optional>
#include <span>

namespace inspect {

/// None where `atom` is not an operator on two values. The caller has excluded a division by 0.
std::optional<std::uint64_t> combine_generic(unsigned atom, std::uint64_t left, std::uint64_t right);

/// The index of the operator that a DW_OP_skip or DW_OP_bra goes to; the number of operators where that is the end of
/// the expression. corrupt: where no operator starts.
Result<std::size_t> branch_target(std::span<const Dwarf_Op> expression, const Dwarf_Op &branch);

/// "a DWARF expression …"
Error corrupt_expression(std::string_view what);

} // namespace inspect
