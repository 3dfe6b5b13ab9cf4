#include "dwarf/location/location_machine.h"

#include "dwarf/expression/stack_arithmetic.h"
#include "machine/x86_64/registers.h"

#include <dwarf.h>
#include <fmt/format.h>
#include <utility>

namespace inspect {
namespace {

std::unexpected<Error> corrupt(std::string_view what) {
  return std::unexpected(corrupt_expression(what));
}

bool is_piece(unsigned atom) {
  return atom == DW_OP_piece || atom == DW_OP_bit_piece;
}

bool is_constant(unsigned atom) {
  return (atom >= DW_OP_const1u && atom <= DW_OP_consts) || (atom >= DW_OP_lit0 && atom <= DW_OP_lit31);
}

std::uint64_t constant_of(const Dwarf_Op &op) {
  // libdw has extended the sign already.
  return op.atom >= DW_OP_lit0 && op.atom <= DW_OP_lit31 ? op.atom - DW_OP_lit0 : op.number;
}

} // namespace

LocationMachine::LocationMachine(const Evaluation &evaluation)
    : frame_(evaluation.frame), budget_(evaluation.budget), object_(evaluation.object) {
  if (evaluation.initial)
    stack_.push_back(StackValue::generic(*evaluation.initial));
}

Result<void> LocationMachine::run(std::span<const Dwarf_Op> operations, Dwarf_Attribute *attribute) {
  if (budget_.nesting == max_evaluation_nesting)
    return corrupt("leads to others, and those to more, deeper than any real one");
  ++budget_.nesting;
  const auto outer_operations = std::exchange(operations_, operations);
  auto *const outer_attribute = std::exchange(attribute_, attribute);
  const auto outer_position = std::exchange(position_, 0);
  Result<void> done;
  while (done && position_ < operations_.size()) {
    if (++budget_.steps > max_expression_steps)
      done = corrupt("runs for more steps than any real one");
    else
      done = step(operations_[position_++]);
  }
  operations_ = outer_operations;
  attribute_ = outer_attribute;
  position_ = outer_position;
  --budget_.nesting;
  return done;
}

/// Behind an operator that says where the value is, only the piece that this is can follow.
Result<void> LocationMachine::step(const Dwarf_Op &op) {
  if (described_ && !is_piece(op.atom) && op.atom != DW_OP_nop)
    return corrupt("goes on after it has said where the value is");
  return execute(op);
}

Result<void> LocationMachine::push(const StackValue &value) {
  if (stack_.size() == max_expression_stack_depth)
    return corrupt("needs a deeper stack than any real one");
  stack_.push_back(value);
  return {};
}

Result<void> LocationMachine::push_generic(Result<std::uint64_t> value) {
  if (!value)
    return std::unexpected(value.error());
  return push(StackValue::generic(*value));
}

Result<void> LocationMachine::need(std::size_t count) const {
  if (stack_.size() < count)
    return corrupt("takes more values than it pushed");
  return {};
}

Result<void> LocationMachine::execute(const Dwarf_Op &op) {
  if (is_constant(op.atom))
    return push_generic(constant_of(op));
  if (op.atom >= DW_OP_breg0 && op.atom <= DW_OP_breg31)
    return push_register(op.atom - DW_OP_breg0, op.number);
  if (op.atom >= DW_OP_reg0 && op.atom <= DW_OP_reg31)
    return describe(op);
  switch (op.atom) {
  case DW_OP_nop:
  case DW_OP_skip:
  case DW_OP_bra:
  case DW_OP_call2:
  case DW_OP_call4:
  case DW_OP_call_ref:
    return execute_control(op);
  case DW_OP_dup:
  case DW_OP_drop:
  case DW_OP_over:
  case DW_OP_pick:
  case DW_OP_swap:
  case DW_OP_rot:
    return execute_stack(op);
  case DW_OP_abs:
  case DW_OP_neg:
  case DW_OP_not:
  case DW_OP_plus_uconst: {
    if (auto enough = need(1); !enough)
      return enough;
    const auto value = apply_unary(op.atom, top(), op.number);
    if (!value)
      return std::unexpected(value.error());
    top() = *value;
    return {};
  }
  default:
    return execute_context(op);
  }
}

Result<void> LocationMachine::execute_control(const Dwarf_Op &op) {
  if (op.atom == DW_OP_nop)
    return {};
  if (op.atom != DW_OP_skip && op.atom != DW_OP_bra)
    return call(op);
  if (op.atom == DW_OP_bra) {
    if (auto enough = need(1); !enough)
      return enough;
    const auto condition = top().address();
    stack_.pop_back();
    if (!condition)
      return std::unexpected(condition.error());
    if (*condition == 0)
      return {};
  }
  const auto target = branch_target(operations_, op);
  if (!target)
    return std::unexpected(target.error());
  position_ = *target;
  return {};
}

Result<void> LocationMachine::execute_stack(const Dwarf_Op &op) {
  const std::uint64_t wanted = op.atom == DW_OP_pick                            ? op.number + 1
                               : op.atom == DW_OP_rot                           ? 3
                               : op.atom == DW_OP_over || op.atom == DW_OP_swap ? 2
                                                                                : 1;
  if (wanted > max_expression_stack_depth || wanted == 0)
    return corrupt("picks a value from beyond its stack");
  if (auto enough = need(wanted); !enough)
    return enough;
  switch (op.atom) {
  case DW_OP_dup:
    return push(StackValue(top()));
  case DW_OP_over:
    return push(StackValue(top(1)));
  case DW_OP_pick:
    return push(StackValue(top(op.number)));
  case DW_OP_swap:
    std::swap(top(), top(1));
    return {};
  case DW_OP_rot: // the top becomes the third
    std::swap(top(), top(1));
    std::swap(top(1), top(2));
    return {};
  default:
    stack_.pop_back();
    return {};
  }
}

Result<void> LocationMachine::end_piece(std::uint64_t bit_size, std::uint64_t bit_offset) {
  if (pieces_.size() == max_pieces)
    return corrupt("puts a value together from more pieces than any real one");
  const bool is_stack_value = described_ && described_->kind == LocationPiece::Kind::implicit && !stack_.empty();
  LocationPiece piece = simple_location();
  piece.bit_size = bit_size;
  piece.bit_offset = bit_offset;
  // clang describes 20 bytes that are zero as one number of the stack, which has 8: what is above is zero (gdb has it
  // so, too). DWARF 5, 2.6.1.2, does not say it.
  constexpr std::uint64_t max_extended = 8 * 4096;
  if (is_stack_value && bit_size <= max_extended && bit_offset == 0 && 8 * piece.bytes.size() < bit_size)
    piece.bytes.resize(static_cast<std::size_t>((bit_size + 7) / 8));
  pieces_.push_back(std::move(piece));
  return {};
}

/// What has been said since the last piece; begins the next.
LocationPiece LocationMachine::simple_location() {
  LocationPiece piece;
  if (described_) {
    piece = std::move(*described_);
  } else if (stack_.empty()) {
    piece.reason = "optimized out";
  } else if (const auto address = top().address()) {
    piece.kind = LocationPiece::Kind::memory;
    piece.address = RunAddress{*address};
  } else {
    piece.reason = address.error().message();
  }
  described_.reset();
  stack_.clear();
  return piece;
}

Result<Location> LocationMachine::location() {
  Location location;
  const bool anything_left = described_ || !stack_.empty();
  if (!pieces_.empty()) {
    if (anything_left)
      return corrupt("leaves a value behind its last piece");
    location.pieces = std::move(pieces_);
    return location;
  }
  LocationPiece piece = simple_location();
  if (piece.kind == LocationPiece::Kind::missing)
    return std::unexpected(Error(ErrorKind::not_found, std::move(piece.reason)));
  location.pieces.push_back(std::move(piece));
  return location;
}

Result<StackValue> LocationMachine::value() {
  if (!pieces_.empty())
    return corrupt("gives pieces where one value is wanted");
  if (!described_) {
    if (stack_.empty())
      return corrupt("leaves no value");
    return top();
  }
  if (described_->kind == LocationPiece::Kind::implicit && described_->bytes.size() <= sizeof(StackValue::bytes)) {
    // DW_OP_stack_value leaves the value itself, with its type.
    if (!stack_.empty())
      return top();
    return StackValue::from_bytes({StackType::Kind::opaque, static_cast<unsigned>(described_->bytes.size())},
                                  described_->bytes);
  }
  if (described_->kind != LocationPiece::Kind::in_register)
    return std::unexpected(Error(ErrorKind::unsupported, "a DWARF expression gives no number where one is wanted"));
  const auto bytes = register_bytes(described_->dwarf_register, frame_);
  if (!bytes)
    return std::unexpected(bytes.error());
  return StackValue::from_bytes({StackType::Kind::generic, 8}, *bytes);
}

Result<std::vector<std::byte>> register_bytes(std::uint64_t dwarf_register, const FrameContext &frame) {
  const auto get = [&](std::uint64_t number) {
    return frame.registers != nullptr && number < RegisterSet::capacity
               ? frame.registers->get(static_cast<unsigned>(number))
               : std::nullopt;
  };
  const bool is_vector = x86_64::is_vector_register(dwarf_register);
  // The numbers that the upper halves are kept under mean other registers to DWARF.
  const bool is_half = dwarf_register >= x86_64::xmm0_high && dwarf_register < x86_64::xmm0_high + 16;
  const auto low = is_half ? std::nullopt : get(dwarf_register);
  if (!low)
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("{} is not recoverable in this frame",
                                                                   x86_64::register_name(dwarf_register))));
  const auto high = is_vector ? get(dwarf_register - x86_64::xmm0 + x86_64::xmm0_high) : std::nullopt;
  std::vector<std::byte> bytes(high ? 16 : 8);
  std::memcpy(bytes.data(), &*low, sizeof *low);
  if (high)
    std::memcpy(bytes.data() + sizeof *low, &*high, sizeof *high);
  return bytes;
}

} // namespace inspect
