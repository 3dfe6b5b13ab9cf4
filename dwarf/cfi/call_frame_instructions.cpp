#include "dwarf/cfi/call_frame_instructions.h"

#include "dwarf/raw/elf/byte_reader.h"

#include <dwarf.h>

namespace inspect {
namespace {

/// The three instructions whose first operand is in their low six bits.
constexpr std::uint8_t primary_mask = 0xc0;

class InstructionWalk {
public:
  InstructionWalk(std::span<const std::byte> instructions, std::size_t address_size)
      : reader_(instructions), address_size_(address_size) {}

  std::string_view fault() {
    while (fault_.empty() && !reader_.at_end()) {
      one(reader_.byte());
      if (!reader_.ok())
        fault_ = "the unwind table holds instructions that are cut off";
    }
    return fault_;
  }

private:
  void one(std::uint8_t instruction) {
    switch (instruction & primary_mask) {
    case DW_CFA_advance_loc:
    case DW_CFA_restore:
      return;
    case DW_CFA_offset:
      number();
      return;
    default:
      extended(instruction);
    }
  }

  void extended(std::uint8_t instruction) {
    switch (instruction) {
    case DW_CFA_nop:
    case DW_CFA_GNU_window_save:
      return;
    case DW_CFA_advance_loc1:
      return reader_.skip(1);
    case DW_CFA_advance_loc2:
      return reader_.skip(2);
    case DW_CFA_advance_loc4:
      return reader_.skip(4);
    case DW_CFA_MIPS_advance_loc8:
      return reader_.skip(8);
    case DW_CFA_set_loc:
      return reader_.skip(address_size_);
    case DW_CFA_def_cfa_offset:
    case DW_CFA_def_cfa_offset_sf:
    case DW_CFA_GNU_args_size:
      number();
      return;
    case DW_CFA_def_cfa_expression:
      return block();
    case DW_CFA_undefined:
    case DW_CFA_same_value:
    case DW_CFA_restore_extended:
    case DW_CFA_def_cfa_register:
      return register_number();
    case DW_CFA_offset_extended:
    case DW_CFA_offset_extended_sf:
    case DW_CFA_GNU_negative_offset_extended:
    case DW_CFA_val_offset:
    case DW_CFA_val_offset_sf:
    case DW_CFA_def_cfa:
    case DW_CFA_def_cfa_sf:
      register_number();
      number();
      return;
    case DW_CFA_register:
      register_number();
      return register_number();
    case DW_CFA_expression:
    case DW_CFA_val_expression:
      register_number();
      return block();
    case DW_CFA_remember_state:
      if (++remembered_ > max_remembered_states)
        fault_ = "the unwind table remembers more states than any function has";
      return;
    case DW_CFA_restore_state:
      remembered_ -= remembered_ > 0 ? 1 : 0;
      return;
    default:
      fault_ = "the unwind table holds an instruction that is not known";
    }
  }

  /// Either LEB128: signed ones are as long. libdw stops behind the tenth byte, whatever it says.
  std::uint64_t number() {
    constexpr std::size_t longest = 10;
    const std::size_t begin = reader_.position();
    const std::uint64_t value = reader_.unsigned_leb();
    if (reader_.position() - begin > longest)
      fault_ = "the unwind table holds a number that is too long";
    return value;
  }

  void register_number() {
    if (number() > max_rule_register && fault_.empty())
      fault_ = "the unwind table names a register that no machine has";
  }

  void block() { reader_.skip(number()); }

  ByteReader reader_;
  std::size_t address_size_;
  std::size_t remembered_ = 0;
  std::string_view fault_;
};

} // namespace

std::string_view instructions_fault(std::span<const std::byte> instructions, std::size_t address_size) {
  return InstructionWalk(instructions, address_size).fault();
}

} // namespace inspect
