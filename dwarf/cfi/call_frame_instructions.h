// What the call frame instructions of one CIE or FDE would make an interpreter allocate. libdw 0.188 keeps a rule of 8
// bytes for every register up to the highest that is named, and a copy of all of them for each DW_CFA_remember_state:
// fifteen bytes of instructions can ask for gigabytes (libdw/cfi.c, enough_registers and duplicate_frame_state). So
// they are looked through before libdw runs them.
//
//     if (const std::string_view fault = instructions_fault(bytes, 8); !fault.empty())
//       return refused(fault);
//
// Sources: DWARF 5 sections 6.4.2, "Call Frame Instructions", and 7.24; LSB core, "DWARF Extensions".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace inspect {

/// DWARF numbers of the rules' registers. x86-64 has none above 145 (psABI figure 3.36, with the registers of APX).
inline constexpr std::uint64_t max_rule_register = 1023;
/// That are remembered at one time; compilers nest one or two.
inline constexpr std::size_t max_remembered_states = 1024;

/// Why nobody is to run them, one clause; empty: they may be run. An instruction that is not known or not whole is a
/// fault, too: behind it libdw could find others than were looked at here. `address_size`: bytes of DW_CFA_set_loc's
/// operand, as the CIE says.
std::string_view instructions_fault(std::span<const std::byte> instructions, std::size_t address_size);

} // namespace inspect
