#include "dwarf/expression/cfi_expression.h"

#include "dwarf/expression/stack_arithmetic.h"

#include <array>
#include <dwarf.h>
#include <fmt/format.h>
#include <utility>

namespace inspect {
namespace {

using Step = Result<void>;

/// One run of one expression.
class Machine {
public:
  Machine(std::span<const CfiOperation> expression, const ExpressionContext &context)
      : expression_(expression), context_(context) {}

  Result<std::uint64_t> run() {
    for (unsigned steps = 0; position_ < expression_.size(); ++steps) {
      if (steps == max_expression_steps)
        return std::unexpected(corrupt_expression("runs for more steps than any real one"));
      const CfiOperation &op = expression_[position_];
      if (op.opcode == DW_OP_stack_value)
        break;
      ++position_;
      if (auto done = execute(op); !done)
        return std::unexpected(done.error());
    }
    if (depth_ == 0)
      return std::unexpected(corrupt_expression("leaves no value"));
    return stack_[depth_ - 1];
  }

private:
  Step push(std::uint64_t value) {
    if (depth_ == max_expression_stack_depth)
      return std::unexpected(corrupt_expression("needs a deeper stack than any real one"));
    stack_[depth_++] = value;
    return {};
  }

  /// Whether `count` values are on the stack.
  Step need(unsigned count) const {
    if (depth_ < count)
      return std::unexpected(corrupt_expression("takes more values than it pushed"));
    return {};
  }

  std::uint64_t &top(unsigned from_top = 0) { return stack_[depth_ - 1 - from_top]; }

  Step execute(const CfiOperation &op) {
    if (op.opcode >= DW_OP_lit0 && op.opcode <= DW_OP_lit31)
      return push(op.opcode - DW_OP_lit0);
    if (op.opcode >= DW_OP_breg0 && op.opcode <= DW_OP_breg31)
      return push_register(op.opcode - DW_OP_breg0, op.operand);
    switch (op.opcode) {
    case DW_OP_bregx:
      return push_register(op.operand, op.operand2);
    case DW_OP_addr:
      return push(op.operand + context_.bias.value);
    case DW_OP_const1u:
    case DW_OP_const1s:
    case DW_OP_const2u:
    case DW_OP_const2s:
    case DW_OP_const4u:
    case DW_OP_const4s:
    case DW_OP_const8u:
    case DW_OP_const8s:
    case DW_OP_constu:
    case DW_OP_consts:
      return push(op.operand); // libdw has extended the sign already
    case DW_OP_call_frame_cfa:
      if (!context_.cfa)
        return std::unexpected(corrupt_expression("asks for the frame address while that is being computed"));
      return push(context_.cfa->value);
    case DW_OP_nop:
      return {};
    case DW_OP_skip:
      return jump(op);
    case DW_OP_bra:
      if (auto enough = need(1); !enough)
        return enough;
      return stack_[--depth_] != 0 ? jump(op) : Step{};
    case DW_OP_deref:
      return dereference(8);
    case DW_OP_deref_size:
      return dereference(op.operand);
    case DW_OP_dup:
    case DW_OP_drop:
    case DW_OP_over:
    case DW_OP_pick:
    case DW_OP_swap:
    case DW_OP_rot:
      return rearrange(op);
    case DW_OP_abs:
    case DW_OP_neg:
    case DW_OP_not:
    case DW_OP_plus_uconst:
      return unary(op);
    default:
      return binary(op);
    }
  }

  Step push_register(std::uint64_t number, std::uint64_t offset) {
    const auto value =
        number < RegisterSet::capacity ? context_.registers.get(static_cast<unsigned>(number)) : std::nullopt;
    if (!value)
      return std::unexpected(
          Error(ErrorKind::not_found, fmt::format("a DWARF expression needs register {}, which is not known", number)));
    return push(*value + offset);
  }

  Step dereference(std::uint64_t size) {
    if (auto enough = need(1); !enough)
      return enough;
    if (size < 1 || size > 8)
      return std::unexpected(corrupt_expression("reads a value of an impossible size"));
    std::array<std::byte, 8> bytes{};
    if (auto done = context_.memory.read(RunAddress{top()}, std::span(bytes).first(size)); !done)
      return std::unexpected(done.error());
    std::memcpy(&top(), bytes.data(), bytes.size()); // little-endian, as the host is: the high bytes are zero
    return {};
  }

  Step jump(const CfiOperation &op) {
    if (op.operand == CfiOperation::nowhere)
      return std::unexpected(corrupt_expression("jumps to where no operator starts"));
    position_ = op.operand;
    return {};
  }

  Step rearrange(const CfiOperation &op) {
    const std::uint64_t wanted = op.opcode == DW_OP_pick                              ? op.operand + 1
                                 : op.opcode == DW_OP_rot                             ? 3
                                 : op.opcode == DW_OP_over || op.opcode == DW_OP_swap ? 2
                                                                                      : 1;
    if (wanted > max_expression_stack_depth)
      return std::unexpected(corrupt_expression("picks a value from beyond its stack"));
    if (auto enough = need(static_cast<unsigned>(wanted)); !enough)
      return enough;
    switch (op.opcode) {
    case DW_OP_dup:
      return push(top());
    case DW_OP_over:
      return push(top(1));
    case DW_OP_pick:
      return push(top(static_cast<unsigned>(op.operand)));
    case DW_OP_swap:
      std::swap(top(), top(1));
      return {};
    case DW_OP_rot: // the top becomes the third
      std::swap(top(), top(1));
      std::swap(top(1), top(2));
      return {};
    default:
      --depth_;
      return {};
    }
  }

  Step unary(const CfiOperation &op) {
    if (auto enough = need(1); !enough)
      return enough;
    std::uint64_t &value = top();
    if (op.opcode == DW_OP_plus_uconst)
      value += op.operand;
    else if (op.opcode == DW_OP_not)
      value = ~value;
    else if (op.opcode == DW_OP_neg || static_cast<std::int64_t>(value) < 0)
      value = 0 - value;
    return {};
  }

  Step binary(const CfiOperation &op);

  std::span<const CfiOperation> expression_;
  const ExpressionContext &context_;
  std::array<std::uint64_t, max_expression_stack_depth> stack_{};
  unsigned depth_ = 0;
  std::size_t position_ = 0;
};

Step Machine::binary(const CfiOperation &op) {
  if (!combine_generic(op.opcode, 1, 1))
    return std::unexpected(Error(
        ErrorKind::unsupported,
        fmt::format("a DWARF expression uses operator {:#x}, which call frame information may not hold", op.opcode)));
  if (auto enough = need(2); !enough)
    return enough;
  if ((op.opcode == DW_OP_div || op.opcode == DW_OP_mod) && top() == 0)
    return std::unexpected(corrupt_expression("divides by zero"));
  const std::uint64_t value = *combine_generic(op.opcode, top(1), top());
  --depth_;
  top() = value;
  return {};
}

} // namespace

CfiExpression cfi_expression(std::span<const Dwarf_Op> operations) {
  CfiExpression expression;
  expression.reserve(operations.size());
  for (const Dwarf_Op &operation : operations) {
    CfiOperation &made = expression.emplace_back(operation.atom, operation.number, operation.number2);
    if (operation.atom == DW_OP_skip || operation.atom == DW_OP_bra)
      made.operand = branch_target(operations, operation).value_or(CfiOperation::nowhere);
  }
  return expression;
}

Result<std::uint64_t> evaluate(std::span<const CfiOperation> expression, const ExpressionContext &context) {
  return Machine(expression, context).run();
}

} // namespace inspect
