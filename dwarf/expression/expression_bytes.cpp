#include "dwarf/expression/expression_bytes.h"

#include <cstdint>
#include <dwarf.h>
#include <string_view>

namespace inspect {
namespace {

/// The operands of an operator, a letter each: 1, 2, 4, 8 bytes, r: a reference to a DIE, l: a LEB128 number, b: a
/// block with its length as LEB128 in front, c: one with its length in a byte. Null: not known.
const char *operands(unsigned atom) { // NOLINT(readability-function-size): a table
  if ((atom >= DW_OP_dup && atom <= DW_OP_over) || (atom >= DW_OP_swap && atom <= DW_OP_plus) ||
      (atom >= DW_OP_shl && atom <= DW_OP_xor) || (atom >= DW_OP_eq && atom <= DW_OP_ne) ||
      (atom >= DW_OP_lit0 && atom <= DW_OP_reg31))
    return "";
  if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31)
    return "l";
  switch (atom) {
  case DW_OP_deref:
  case DW_OP_nop:
  case DW_OP_push_object_address:
  case DW_OP_form_tls_address:
  case DW_OP_call_frame_cfa:
  case DW_OP_stack_value:
  case DW_OP_GNU_push_tls_address:
    return "";
  case DW_OP_const1u:
  case DW_OP_const1s:
  case DW_OP_pick:
  case DW_OP_deref_size:
  case DW_OP_xderef_size:
    return "1";
  case DW_OP_const2u:
  case DW_OP_const2s:
  case DW_OP_bra:
  case DW_OP_skip:
  case DW_OP_call2:
    return "2";
  case DW_OP_const4u:
  case DW_OP_const4s:
  case DW_OP_call4:
  case DW_OP_GNU_parameter_ref:
    return "4";
  case DW_OP_addr:
  case DW_OP_const8u:
  case DW_OP_const8s:
    return "8";
  case DW_OP_call_ref:
  case DW_OP_GNU_variable_value:
    return "r";
  case DW_OP_constu:
  case DW_OP_consts:
  case DW_OP_plus_uconst:
  case DW_OP_regx:
  case DW_OP_fbreg:
  case DW_OP_piece:
  case DW_OP_addrx:
  case DW_OP_constx:
  case DW_OP_GNU_addr_index:
  case DW_OP_GNU_const_index:
  case DW_OP_convert:
  case DW_OP_reinterpret:
  case DW_OP_GNU_convert:
  case DW_OP_GNU_reinterpret:
    return "l";
  case DW_OP_bregx:
  case DW_OP_bit_piece:
  case DW_OP_regval_type:
  case DW_OP_GNU_regval_type:
    return "ll";
  case DW_OP_deref_type:
  case DW_OP_xderef_type:
  case DW_OP_GNU_deref_type:
    return "1l";
  case DW_OP_implicit_pointer:
  case DW_OP_GNU_implicit_pointer:
    return "rl";
  case DW_OP_implicit_value:
  case DW_OP_entry_value:
  case DW_OP_GNU_entry_value:
    return "b";
  case DW_OP_const_type:
  case DW_OP_GNU_const_type:
    return "lc";
  default:
    return nullptr;
  }
}

class ByteCursor {
public:
  ByteCursor(std::span<const std::byte> bytes, unsigned offset_size) : left_(bytes), offset_size_(offset_size) {}

  bool empty() const { return left_.empty(); }
  unsigned next() {
    const auto value = std::to_integer<unsigned>(left_.front());
    left_ = left_.subspan(1);
    return value;
  }
  bool skip(std::uint64_t count) {
    if (count > left_.size())
      return false;
    left_ = left_.subspan(count);
    return true;
  }
  bool skip_number(std::uint64_t &value) {
    value = 0;
    for (unsigned shift = 0; !left_.empty(); shift += 7) {
      const unsigned byte = next();
      if (shift < 64)
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0)
        return true;
    }
    return false;
  }
  bool skip_operand(char kind) {
    std::uint64_t value = 0;
    switch (kind) {
    case 'l':
      return skip_number(value);
    case 'b':
      return skip_number(value) && skip(value);
    case 'c':
      return !empty() && skip(next());
    case 'r':
      return skip(offset_size_);
    default:
      return skip(static_cast<std::uint64_t>(kind - '0'));
    }
  }

private:
  std::span<const std::byte> left_;
  unsigned offset_size_;
};

} // namespace

bool is_whole_expression(std::span<const std::byte> bytes, unsigned offset_size) {
  ByteCursor rest(bytes, offset_size);
  while (!rest.empty()) {
    const char *kinds = operands(rest.next());
    if (kinds == nullptr)
      return true;
    for (const char kind : std::string_view(kinds))
      if (!rest.skip_operand(kind))
        return false;
  }
  return true;
}

bool holds_whole_expression(Dwarf_Attribute &attribute) {
  Dwarf_Block block;
  const unsigned form = dwarf_whatform(&attribute);
  const bool is_block = form == DW_FORM_exprloc || form == DW_FORM_block || form == DW_FORM_block1 ||
                        form == DW_FORM_block2 || form == DW_FORM_block4;
  if (!is_block || dwarf_formblock(&attribute, &block) != 0)
    return true; // libdw will say so
  Dwarf_Die unit;
  std::uint8_t offset_size = 4;
  if (dwarf_cu_die(attribute.cu, &unit, nullptr, nullptr, nullptr, &offset_size, nullptr, nullptr) == nullptr)
    return true;
  return is_whole_expression(std::as_bytes(std::span(block.data, block.length)), offset_size);
}

} // namespace inspect
