#include "dwarf/cfi/call_frame_instructions.h"

#include "tests/support/catch.h"
#include "tests/support/elf_writer.h"

#include <dwarf.h>

namespace inspect::test {
namespace {

constexpr std::string_view register_fault = "the unwind table names a register that no machine has";

std::string_view fault_of(const ByteWriter &instructions, std::size_t address_size = 8) {
  return instructions_fault(std::as_bytes(std::span(instructions.text())), address_size);
}

TEST_CASE("a register's number is looked at in every instruction that has one") {
  const std::string behind = ByteWriter().leb(1).u8(0).text(); // an offset or a block, and a rest
  for (const int instruction :
       {DW_CFA_offset_extended, DW_CFA_restore_extended, DW_CFA_undefined, DW_CFA_same_value, DW_CFA_register,
        DW_CFA_def_cfa, DW_CFA_def_cfa_register, DW_CFA_expression, DW_CFA_offset_extended_sf, DW_CFA_def_cfa_sf,
        DW_CFA_val_offset, DW_CFA_val_offset_sf, DW_CFA_val_expression, DW_CFA_GNU_negative_offset_extended}) {
    INFO("instruction " << instruction);
    const auto with = [&](std::uint64_t number) {
      return ByteWriter().u8(static_cast<std::uint64_t>(instruction)).leb(number).raw(behind);
    };
    // Those of one operand only see the rest as DW_CFA_set_loc with an address of one byte.
    CHECK(fault_of(with(max_rule_register), 1).empty());
    CHECK(fault_of(with(max_rule_register + 1), 1) == register_fault);
    CHECK(fault_of(with(~std::uint64_t{0}), 1) == register_fault);
  }
  CHECK(fault_of(ByteWriter().u8(DW_CFA_register).leb(3).leb(max_rule_register + 1)) == register_fault);
}

TEST_CASE("operands that are not registers may be large, and are stepped over as libdw does") {
  ByteWriter bad;
  bad.u8(DW_CFA_undefined).leb(1 << 20);
  const std::uint64_t large = std::uint64_t{1} << 40;
  ByteWriter sound;
  sound.u8(DW_CFA_advance_loc + 1).u8(DW_CFA_advance_loc1).u8(7).u8(DW_CFA_advance_loc2).u16(7);
  sound.u8(DW_CFA_advance_loc4).u32(7).u8(DW_CFA_MIPS_advance_loc8).u64(7).u8(DW_CFA_nop);
  sound.u8(DW_CFA_offset + 6).leb(large).u8(DW_CFA_restore + 6).u8(DW_CFA_GNU_window_save);
  sound.u8(DW_CFA_def_cfa_offset).leb(large).u8(DW_CFA_def_cfa_offset_sf).signed_leb(-7);
  sound.u8(DW_CFA_GNU_args_size).leb(large).u8(DW_CFA_def_cfa).leb(7).leb(large);
  sound.u8(DW_CFA_def_cfa_expression).leb(bad.size()).raw(bad.text()); // its bytes are none of ours
  sound.u8(DW_CFA_expression).leb(6).leb(bad.size()).raw(bad.text());
  CHECK(fault_of(sound).empty());
  ByteWriter whole = sound;
  CHECK(fault_of(whole.raw(bad.text())) == register_fault);
  for (const std::size_t size : {2, 4, 8}) {
    ByteWriter moved;
    moved.u8(DW_CFA_set_loc).number(0, size).raw(bad.text());
    CHECK(fault_of(moved, size) == register_fault);
  }
}

TEST_CASE("states may be remembered many times, one within the other only so deep") {
  ByteWriter in_turn;
  ByteWriter nested;
  for (std::size_t i = 0; i < 3 * max_remembered_states; ++i)
    in_turn.u8(DW_CFA_remember_state).u8(DW_CFA_restore_state);
  for (std::size_t i = 0; i < max_remembered_states; ++i)
    nested.u8(DW_CFA_remember_state);
  CHECK(fault_of(in_turn).empty());
  CHECK(fault_of(nested).empty());
  CHECK(fault_of(nested.u8(DW_CFA_remember_state)) == "the unwind table remembers more states than any function has");
}

TEST_CASE("instructions behind which nobody knows where the next one begins are not run") {
  CHECK(fault_of(ByteWriter().u8(DW_CFA_low_user)) == "the unwind table holds an instruction that is not known");
  CHECK(fault_of(ByteWriter().u8(DW_CFA_def_cfa).leb(7)) == "the unwind table holds instructions that are cut off");
  CHECK(fault_of(ByteWriter().u8(DW_CFA_advance_loc4).u16(7)) ==
        "the unwind table holds instructions that are cut off");
  CHECK(fault_of(ByteWriter().u8(DW_CFA_def_cfa_expression).leb(2).u8(0)) ==
        "the unwind table holds instructions that are cut off");
  // Of eleven bytes libdw takes ten, and goes on with the last.
  const std::string padded(10, '\x80');
  CHECK(fault_of(ByteWriter().u8(DW_CFA_def_cfa_offset).raw(padded.substr(1)).u8(0)).empty());
  CHECK(fault_of(ByteWriter().u8(DW_CFA_def_cfa_offset).raw(padded).u8(0)) ==
        "the unwind table holds a number that is too long");
}

} // namespace
} // namespace inspect::test
