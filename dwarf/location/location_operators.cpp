// The operators of LocationMachine that look outside its stack: at registers, memory, the unit's DIEs, the thread and
// the caller.
#include "dwarf/die/die.h"
#include "dwarf/expression/expression_bytes.h"
#include "dwarf/expression/stack_arithmetic.h"
#include "dwarf/location/location_machine.h"
#include "dwarf/location/passed_values.h"
#include "dwarf/types/type_reader.h"

#include <dwarf.h>
#include <fmt/format.h>

namespace inspect {
namespace {

/// An implicit value is that of one variable, written out.
constexpr std::uint64_t max_implicit_value = 1U << 20;

std::unexpected<Error> corrupt_operator(std::string_view what) {
  return std::unexpected(corrupt_expression(what));
}

std::unexpected<Error> unsupported(std::string what) {
  return std::unexpected(Error(ErrorKind::unsupported, std::move(what)));
}

const char *refused_name(unsigned atom) {
  switch (atom) {
  case DW_OP_xderef:
    return "DW_OP_xderef";
  case DW_OP_xderef_size:
    return "DW_OP_xderef_size";
  case DW_OP_xderef_type:
    return "DW_OP_xderef_type";
  case DW_OP_GNU_encoded_addr:
    return "DW_OP_GNU_encoded_addr";
  default:
    return nullptr;
  }
}

bool makes_thread_local(unsigned atom) {
  return atom == DW_OP_form_tls_address || atom == DW_OP_GNU_push_tls_address;
}

/// A run-time address from one that the debug information holds.
Result<std::uint64_t> relocated(std::uint64_t address, const FrameContext &frame) {
  if (frame.module == nullptr)
    return unsupported("a DWARF expression holds an address, and its module is not known");
  return frame.module->bias().to_run(LinkAddress{address - frame.module->debug_offset()}).value;
}

} // namespace

Result<void> LocationMachine::execute_context(const Dwarf_Op &op) {
  switch (op.atom) {
  case DW_OP_bregx:
    return push_register(op.number, op.number2);
  case DW_OP_addr: // clang before 3.9 writes an offset into the thread's block as an address
    if (position_ < operations_.size() && makes_thread_local(operations_[position_].atom))
      return push_generic(op.number);
    return push_generic(relocated(op.number, frame_));
  case DW_OP_addrx:
  case DW_OP_GNU_addr_index:
  case DW_OP_constx:
  case DW_OP_GNU_const_index:
    return push_indexed(op);
  case DW_OP_deref:
    return dereference(8, {});
  case DW_OP_deref_size:
    return dereference(op.number, {});
  case DW_OP_call_frame_cfa:
    if (!frame_.cfa)
      return std::unexpected(Error(ErrorKind::not_found, "the frame's canonical address is not known"));
    return push_generic(frame_.cfa->value);
  case DW_OP_fbreg: {
    const auto base = frame_base_of(frame_, budget_);
    return push_generic(base ? Result<std::uint64_t>(base->value + op.number) : std::unexpected(base.error()));
  }
  case DW_OP_push_object_address:
    if (!object_)
      return unsupported("a DWARF expression asks for the object that it is about, and there is none");
    return push_generic(object_->value);
  case DW_OP_form_tls_address:
  case DW_OP_GNU_push_tls_address:
    return push_thread_local();
  case DW_OP_entry_value:
  case DW_OP_GNU_entry_value:
    return push_entry_value(op);
  case DW_OP_GNU_parameter_ref:
    return push_parameter(op);
  case DW_OP_GNU_variable_value:
    return push_variable(op);
  default:
    return execute_typed(op);
  }
}

Result<void> LocationMachine::execute_typed(const Dwarf_Op &op) {
  switch (op.atom) {
  case DW_OP_const_type:
  case DW_OP_GNU_const_type:
    return push_typed_constant(op);
  case DW_OP_regval_type:
  case DW_OP_GNU_regval_type:
    return push_typed_register(op);
  case DW_OP_deref_type:
  case DW_OP_GNU_deref_type: {
    const auto type = type_operand(op, op.number2);
    return type ? dereference(op.number, *type) : std::unexpected(type.error());
  }
  case DW_OP_convert:
  case DW_OP_GNU_convert:
  case DW_OP_reinterpret:
  case DW_OP_GNU_reinterpret: {
    if (auto enough = need(1); !enough)
      return enough;
    const auto type = type_operand(op, op.number);
    if (!type)
      return std::unexpected(type.error());
    const bool converts = op.atom == DW_OP_convert || op.atom == DW_OP_GNU_convert;
    const auto value = converts ? convert(top(), *type) : reinterpret(top(), *type);
    if (!value)
      return std::unexpected(value.error());
    top() = *value;
    return {};
  }
  default:
    return describe(op);
  }
}

/// The operators that say where a value is; what is none of them either takes two values or is not known.
Result<void> LocationMachine::describe(const Dwarf_Op &op) {
  LocationPiece piece;
  if ((op.atom >= DW_OP_reg0 && op.atom <= DW_OP_reg31) || op.atom == DW_OP_regx) {
    piece.kind = LocationPiece::Kind::in_register;
    const std::uint64_t number = op.atom == DW_OP_regx ? op.number : op.atom - DW_OP_reg0;
    piece.dwarf_register = static_cast<unsigned>(std::min<std::uint64_t>(number, UINT32_MAX));
    described_ = std::move(piece);
    return {};
  }
  switch (op.atom) {
  case DW_OP_piece:
    if (op.number > UINT64_MAX / 8)
      return corrupt_operator("has a piece of an impossible size");
    return end_piece(8 * op.number, 0);
  case DW_OP_bit_piece:
    return end_piece(op.number, op.number2);
  case DW_OP_stack_value: {
    if (auto enough = need(1); !enough)
      return enough;
    piece.kind = LocationPiece::Kind::implicit;
    piece.bytes.assign(top().content().begin(), top().content().end());
    described_ = std::move(piece);
    return {};
  }
  case DW_OP_implicit_value:
    return implicit_value(op);
  case DW_OP_implicit_pointer:
  case DW_OP_GNU_implicit_pointer:
    return implicit_pointer(op);
  default:
    break;
  }
  if (const char *name = refused_name(op.atom))
    return unsupported(fmt::format("a DWARF expression uses {}, which means nothing on this machine", name));
  const auto combined = stack_.size() < 2 ? combine(op.atom, StackValue::generic(1), StackValue::generic(1))
                                          : combine(op.atom, top(1), top());
  if (!combined)
    return std::unexpected(combined.error());
  if (auto enough = need(2); !enough)
    return enough;
  stack_.pop_back();
  top() = *combined;
  return {};
}

Result<void> LocationMachine::push_register(std::uint64_t number, std::uint64_t offset) {
  const auto bytes = register_bytes(number, frame_);
  if (!bytes)
    return std::unexpected(bytes.error());
  std::uint64_t value = 0;
  std::memcpy(&value, bytes->data(), sizeof value);
  return push_generic(value + offset);
}

Result<void> LocationMachine::push_indexed(const Dwarf_Op &op) {
  Dwarf_Attribute held;
  Dwarf_Addr address = 0;
  Dwarf_Word number = 0;
  if (attribute_ == nullptr || dwarf_getlocation_attr(attribute_, &op, &held) != 0)
    return corrupt_operator("names an entry of an address table that has none");
  if (dwarf_formaddr(&held, &address) != 0) {
    if (dwarf_formudata(&held, &number) != 0)
      return corrupt_operator("names an entry of an address table that has none");
    address = number;
  }
  const bool is_address = op.atom == DW_OP_addrx || op.atom == DW_OP_GNU_addr_index;
  const bool is_offset = position_ < operations_.size() && makes_thread_local(operations_[position_].atom);
  return push_generic(is_address && !is_offset ? relocated(address, frame_) : Result<std::uint64_t>(address));
}

Result<void> LocationMachine::dereference(std::uint64_t size, StackType type) {
  if (auto enough = need(1); !enough)
    return enough;
  const auto address = top().address();
  if (!address)
    return std::unexpected(address.error());
  if (size < 1 || size > type.size)
    return corrupt_operator("reads a value of an impossible size");
  std::array<std::byte, sizeof(StackValue::bytes)> bytes{};
  const auto wanted = std::span(bytes).first(size);
  if (frame_.memory == nullptr)
    return unsupported("a DWARF expression reads memory, and there is none to read");
  if (auto done = frame_.memory->read(RunAddress{*address}, wanted); !done)
    return std::unexpected(done.error());
  top() = StackValue::from_bytes(type, wanted);
  return {};
}

Result<StackType> LocationMachine::type_operand(const Dwarf_Op &op, std::uint64_t offset) {
  const bool may_be_generic = op.atom == DW_OP_convert || op.atom == DW_OP_GNU_convert ||
                              op.atom == DW_OP_reinterpret || op.atom == DW_OP_GNU_reinterpret;
  if (may_be_generic && offset == 0)
    return StackType{};
  const auto die = die_operand(op);
  if (!die)
    return std::unexpected(die.error());
  return stack_type(*die);
}

Result<Dwarf_Die> LocationMachine::die_operand(const Dwarf_Op &op) {
  Dwarf_Die die;
  if (attribute_ == nullptr || dwarf_getlocation_die(attribute_, &op, &die) != 0 || dwarf_tag(&die) == DW_TAG_invalid)
    return corrupt_operator("refers to a DIE that is not there");
  return die;
}

Result<void> LocationMachine::push_typed_constant(const Dwarf_Op &op) {
  const auto type = type_operand(op, op.number);
  if (!type)
    return std::unexpected(type.error());
  Dwarf_Attribute held;
  Dwarf_Block block;
  if (dwarf_getlocation_attr(attribute_, &op, &held) != 0 || dwarf_formblock(&held, &block) != 0 ||
      block.length > type->size)
    return corrupt_operator("has a constant that does not fit its type");
  return push(StackValue::from_bytes(*type, std::as_bytes(std::span(block.data, block.length))));
}

Result<void> LocationMachine::push_typed_register(const Dwarf_Op &op) {
  const auto type = type_operand(op, op.number2);
  if (!type)
    return std::unexpected(type.error());
  const auto bytes = register_bytes(op.number, frame_);
  if (!bytes)
    return std::unexpected(bytes.error());
  if (type->size > bytes->size())
    return std::unexpected(Error(ErrorKind::not_found, "only a part of the register is known"));
  return push(StackValue::from_bytes(*type, *bytes));
}

Result<void> LocationMachine::push_thread_local() {
  if (auto enough = need(1); !enough)
    return enough;
  const auto offset = top().address();
  if (!offset)
    return std::unexpected(offset.error());
  if (!frame_.thread_local_address || frame_.module == nullptr)
    return unsupported("where the thread keeps its own variables is not known here");
  const auto address = frame_.thread_local_address(*frame_.module, *offset);
  if (!address)
    return std::unexpected(address.error());
  top() = StackValue::generic(address->value);
  return {};
}

Result<void> LocationMachine::push_entry_value(const Dwarf_Op &op) {
  Dwarf_Attribute held;
  Dwarf_Op *operations = nullptr;
  std::size_t count = 0;
  Dwarf_Block block;
  if (attribute_ == nullptr || dwarf_getlocation_attr(attribute_, &op, &held) != 0 ||
      dwarf_formblock(&held, &block) != 0 ||
      !is_whole_expression(std::as_bytes(std::span(block.data, block.length)), 4) ||
      dwarf_getlocation(&held, &operations, &count) != 0 || count == 0)
    return corrupt_operator("asks for an entry value in a way that cannot be decoded");
  const std::span<const Dwarf_Op> inner(operations, count);
  PassedPlace place;
  StackType type;
  const bool typed = inner[0].atom == DW_OP_regval_type || inner[0].atom == DW_OP_GNU_regval_type;
  if (inner[0].atom >= DW_OP_breg0 && inner[0].atom <= DW_OP_breg31 && inner[0].number == 0 && count == 2 &&
      (inner[1].atom == DW_OP_deref || inner[1].atom == DW_OP_deref_size)) {
    place.number = inner[0].atom - DW_OP_breg0;
    place.pointed_to = true;
  } else if (count == 1 && inner[0].atom >= DW_OP_reg0 && inner[0].atom <= DW_OP_reg31) {
    place.number = inner[0].atom - DW_OP_reg0;
  } else if (count == 1 && (inner[0].atom == DW_OP_regx || typed)) {
    place.number = inner[0].number;
  } else {
    return unsupported("a DWARF expression asks for the entry value of more than a register");
  }
  if (typed) { // the unit that the type is in is that of the outer expression
    const auto named = type_operand(inner[0], inner[0].number2);
    if (!named)
      return std::unexpected(named.error());
    type = *named;
  }
  const auto value = passed_value(place, frame_, budget_);
  if (!value)
    return std::unexpected(value.error());
  if (typed)
    return push(StackValue::from_bytes(type, value->content()));
  return push(*value);
}

Result<void> LocationMachine::push_parameter(const Dwarf_Op &op) {
  const auto die = die_operand(op);
  if (!die)
    return std::unexpected(die.error());
  PassedPlace place;
  place.kind = PassedPlace::Kind::parameter;
  place.parameter = *die;
  const auto value = passed_value(place, frame_, budget_);
  if (!value)
    return std::unexpected(value.error());
  return push(*value);
}

Result<void> LocationMachine::push_variable(const Dwarf_Op &op) {
  const auto die = die_operand(op);
  if (!die)
    return std::unexpected(die.error());
  const auto location = locate_within(*die, frame_, budget_);
  if (!location)
    return std::unexpected(location.error());
  TypeReader types;
  const std::uint64_t size = types.size_of(type_of(*die)).value_or(0);
  if (size == 0 || size > 8)
    return unsupported("a DWARF expression computes with a variable that is not a number");
  const auto source = read_location(*location, size, frame_);
  if (!source)
    return std::unexpected(source.error());
  const auto value = source->unsigned_at(0, size);
  if (!value)
    return std::unexpected(Error(ErrorKind::not_found, "a variable that this one depends on is optimized out"));
  return push_generic(*value);
}

Result<void> LocationMachine::call(const Dwarf_Op &op) {
  const auto die = die_operand(op);
  if (!die)
    return std::unexpected(die.error());
  Dwarf_Die called = *die;
  Dwarf_Attribute attribute;
  if (!dwarf_attr(&called, DW_AT_location, &attribute))
    return {}; // DWARF 5, 2.5.1.5: then the call has no effect
  const auto operations = operations_at(attribute, frame_);
  if (!operations)
    return std::unexpected(operations.error());
  return run(*operations, &attribute);
}

Result<void> LocationMachine::implicit_value(const Dwarf_Op &op) {
  Dwarf_Block block;
  if (attribute_ == nullptr || dwarf_getlocation_implicit_value(attribute_, &op, &block) != 0)
    return corrupt_operator("holds a value that cannot be decoded");
  // libdw takes a length that makes its pointer wrap around for one that fits.
  if (block.length > max_implicit_value)
    return corrupt_operator("holds a value that is longer than its expression");
  const auto bytes = std::as_bytes(std::span(block.data, block.length));
  LocationPiece piece;
  piece.kind = LocationPiece::Kind::implicit;
  piece.bytes.assign(bytes.begin(), bytes.end());
  described_ = std::move(piece);
  stack_.clear();
  return {};
}

/// libdw 0.188 decodes the last operand, a signed LEB128, as an unsigned one. Where its sign is follows from how many
/// bytes it has, which the next operator tells, or the end of the block; in a list, whose blocks it does not show, it
/// is taken for positive.
std::int64_t LocationMachine::signed_offset(const Dwarf_Op &op) const {
  constexpr std::uint64_t bytes_before = 1 + 4; // the operator and, in 32-bit DWARF, the reference
  std::uint64_t end = 0;
  Dwarf_Block block;
  if (position_ < operations_.size())
    end = operations_[position_].offset;
  else if (attribute_ != nullptr && dwarf_formblock(attribute_, &block) == 0)
    end = block.length;
  const std::uint64_t size = end > op.offset + bytes_before ? end - op.offset - bytes_before : 0;
  if (size == 0 || size > 9 || (op.number2 >> (7 * size - 1) & 1) == 0)
    return static_cast<std::int64_t>(op.number2);
  return static_cast<std::int64_t>(op.number2 | ~std::uint64_t{0} << (7 * size));
}

Result<void> LocationMachine::implicit_pointer(const Dwarf_Op &op) {
  const auto die = die_operand(op);
  if (!die)
    return std::unexpected(die.error());
  LocationPiece piece;
  piece.kind = LocationPiece::Kind::implicit_pointer;
  piece.pointee = *die;
  piece.pointee_offset = signed_offset(op);
  described_ = std::move(piece);
  return {};
}

} // namespace inspect
