// A value on the stack of a DWARF expression: an address-sized integer of the generic type, or, since DWARF 5, one of
// a base type, floating point included.
//
//     auto sum = combine(DW_OP_plus, StackValue::generic(1), StackValue::generic(2));   // generic 3
//
// Sources: DWARF 5 sections 2.5.1 (typed stack), 2.5.1.4 (operators: both operands have one type), 2.5.1.6 (convert and
// reinterpret), 5.1 (base types).
#pragma once

#include "machine/error.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <elfutils/libdw.h>
#include <span>

namespace inspect {

struct StackType {
  enum class Kind : std::uint8_t {
    generic, ///< 64 bits whose sign the operator decides
    signed_integer,
    unsigned_integer,
    floating, ///< of 4, 8, or, of x87's, 10 to 16 bytes
    opaque,   ///< bytes that can be moved and reinterpreted, not computed with
  };
  Kind kind = Kind::generic;
  unsigned size = 8; ///< bytes, at most 16

  friend bool operator==(const StackType &, const StackType &) = default;
};

/// Of a DW_TAG_base_type; corrupt where it is none or impossibly large.
Result<StackType> stack_type(Dwarf_Die type);

struct StackValue {
  StackType type;
  std::array<std::byte, 16> bytes{}; ///< little endian; those behind the type's size are 0

  static StackValue generic(std::uint64_t value);
  /// At most 16 bytes; those that the type has more are 0.
  static StackValue from_bytes(StackType type, std::span<const std::byte> bytes);
  std::span<const std::byte> content() const { return std::span(bytes).first(type.size); }
  bool is_integer() const { return type.kind != StackType::Kind::floating && type.kind != StackType::Kind::opaque; }
  /// As an address or a count: zero-extended. corrupt unless it is an integer.
  Result<std::uint64_t> address() const;
};

/// DW_OP_plus, DW_OP_lt and the other operators on two values. corrupt: different types, a division by 0, or an
/// operator that the type has not; unsupported: no operator on two values.
Result<StackValue> combine(unsigned atom, const StackValue &left, const StackValue &right);
/// DW_OP_abs, DW_OP_neg, DW_OP_not, DW_OP_plus_uconst.
Result<StackValue> apply_unary(unsigned atom, const StackValue &value, std::uint64_t operand);
/// DW_OP_convert: the same number in another type. corrupt where a floating number does not fit.
Result<StackValue> convert(const StackValue &value, StackType type);
/// DW_OP_reinterpret: the same bits.
Result<StackValue> reinterpret(const StackValue &value, StackType type);

} // namespace inspect
