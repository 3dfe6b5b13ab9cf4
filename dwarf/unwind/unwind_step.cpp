#include "dwarf/unwind/unwind_step.h"

#include "dwarf/cfi/x86_64/abi.h"
#include "dwarf/expression/cfi_expression.h"

#include <expected>
#include <fmt/format.h>

namespace inspect {
namespace {

using Value = std::expected<std::uint64_t, StepFailure>;

std::unexpected<StepFailure> bad_rule(std::string reason) {
  return std::unexpected(StepFailure{StackEnd::bad_rule, {}, std::move(reason)});
}

/// One application of one row.
class Application {
public:
  Application(LoadBias bias, const RegisterSet &callee, const MemoryView &memory)
      : bias_(bias), callee_(callee), memory_(memory) {}

  Value cfa(const RegisterRule &rule) const {
    if (rule.kind == RegisterRule::Kind::in_register)
      return from_register(rule);
    return evaluated(rule, std::nullopt);
  }

  /// What the caller's register held; not for undefined ones. `from`: the word it was read from, 0 for none.
  Value saved(const RegisterRule &rule, RunAddress cfa, RunAddress &from) const {
    const std::uint64_t at_offset = cfa.value + static_cast<std::uint64_t>(rule.offset);
    switch (rule.kind) {
    case RegisterRule::Kind::offset:
      return word_at(from = RunAddress{at_offset});
    case RegisterRule::Kind::val_offset:
      return at_offset;
    case RegisterRule::Kind::in_register:
      return from_register(rule);
    case RegisterRule::Kind::expression: {
      const Value address = evaluated(rule, cfa);
      return address ? word_at(from = RunAddress{*address}) : address;
    }
    case RegisterRule::Kind::val_expression:
      return evaluated(rule, cfa);
    case RegisterRule::Kind::undefined:
    case RegisterRule::Kind::same_value:
      break;
    }
    const auto value = callee_.get(rule.dwarf_number);
    return value ? Value(*value) : unknown(rule.dwarf_number);
  }

private:
  static Value unknown(unsigned number) {
    return bad_rule(fmt::format("the rule needs register {}, which is not known here", number));
  }

  Value from_register(const RegisterRule &rule) const {
    const auto base = callee_.get(rule.from_register);
    return base ? Value(*base + static_cast<std::uint64_t>(rule.offset)) : unknown(rule.from_register);
  }

  Value evaluated(const RegisterRule &rule, std::optional<RunAddress> cfa) const {
    const auto value = evaluate(rule.expression, {callee_, memory_, bias_, cfa});
    return value ? Value(*value) : Value(bad_rule(value.error().message()));
  }

  Value word_at(RunAddress address) const {
    const auto word = read_word(memory_, address);
    if (word)
      return *word;
    return std::unexpected(StepFailure{StackEnd::unreadable_memory, address, word.error().message()});
  }

  LoadBias bias_;
  const RegisterSet &callee_;
  const MemoryView &memory_;
};

} // namespace

std::optional<StepFailure> apply_row(const CfiRow &row, LoadBias bias, const RegisterSet &callee,
                                     const MemoryView &memory, Caller &caller) {
  const Application application(bias, callee, memory);
  caller.cfa = {};
  caller.pc.reset();
  caller.pc_saved_at = {};
  const Value cfa = application.cfa(row.cfa);
  if (!cfa)
    return cfa.error();
  caller.cfa = RunAddress{*cfa};
  caller.registers = x86_64::default_caller(callee, caller.cfa);
  for (const RegisterRule &one : row.registers) {
    if (one.kind == RegisterRule::Kind::undefined) {
      caller.registers.forget(one.dwarf_number);
      continue;
    }
    RunAddress from;
    const Value value = application.saved(one, caller.cfa, from);
    if (one.dwarf_number == row.return_address_register)
      caller.pc_saved_at = from;
    if (value) {
      caller.registers.set(one.dwarf_number, *value);
    } else {
      // A lost register hurts only those who need it; without a return address or a stack pointer there is no caller.
      if (one.dwarf_number == row.return_address_register || one.dwarf_number == x86_64::rsp)
        return value.error();
      caller.registers.forget(one.dwarf_number);
    }
  }
  if (const auto pc = caller.registers.get(row.return_address_register))
    caller.pc = RunAddress{*pc};
  return std::nullopt;
}

} // namespace inspect
