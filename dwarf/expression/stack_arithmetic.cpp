#include "dwarf/expression/stack_arithmetic.h"

#include <dwarf.h>
#include <fmt/format.h>

namespace inspect {
namespace {

std::int64_t as_signed(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

std::uint64_t shift_right_signed(std::uint64_t value, std::uint64_t count) {
  return static_cast<std::uint64_t>(as_signed(value) >> (count < 64 ? count : 63));
}

std::uint64_t divide_signed(std::uint64_t left, std::uint64_t right) {
  // INT64_MIN / -1 does not fit; negation wraps to the value the machine's own 64 bits hold.
  return right == ~std::uint64_t{0} ? 0 - left : static_cast<std::uint64_t>(as_signed(left) / as_signed(right));
}

} // namespace

std::optional<std::uint64_t> combine_generic(unsigned atom, std::uint64_t left, std::uint64_t right) {
  switch (atom) {
  case DW_OP_and:
    return left & right;
  case DW_OP_or:
    return left | right;
  case DW_OP_xor:
    return left ^ right;
  case DW_OP_plus:
    return left + right;
  case DW_OP_minus:
    return left - right;
  case DW_OP_mul:
    return left * right;
  case DW_OP_div:
    return divide_signed(left, right);
  case DW_OP_mod:
    return left % right;
  case DW_OP_shl:
    return right < 64 ? left << right : 0;
  case DW_OP_shr:
    return right < 64 ? left >> right : 0;
  case DW_OP_shra:
    return shift_right_signed(left, right);
  case DW_OP_eq:
    return left == right;
  case DW_OP_ne:
    return left != right;
  case DW_OP_lt:
    return as_signed(left) < as_signed(right);
  case DW_OP_le:
    return as_signed(left) <= as_signed(right);
  case DW_OP_gt:
    return as_signed(left) > as_signed(right);
  case DW_OP_ge:
    return as_signed(left) >= as_signed(right);
  default:
    return std::nullopt;
  }
}

Result<std::size_t> branch_target(std::span<const Dwarf_Op> expression, const Dwarf_Op &branch) {
  // Branches count bytes of the encoded expression from the end of the branch, which is three bytes long.
  const std::uint64_t target = branch.offset + 3 + branch.number;
  // From the back: libdw gives the call_frame_cfa it puts in front of a register's expression no offset of its own.
  for (std::size_t i = expression.size(); i-- > 0;)
    if (expression[i].offset == target)
      return i;
  if (as_signed(target) <= as_signed(expression.back().offset))
    return std::unexpected(corrupt_expression("jumps to where no operator starts"));
  return expression.size();
}

Error corrupt_expression(std::string_view what) {
  return Error(ErrorKind::corrupt, fmt::format("a DWARF expression {}", what));
}

} // namespace inspect
