// The DWARF expressions that call frame information holds, as plain data that owns all of itself, and the small stack
// machine over registers and memory that evaluates them. It answers with a number, or says why there is none; hostile
// expressions end by the bounds on steps and depth.
//
//     auto address = evaluate(rule.expression, {registers, memory, bias, cfa});
//
// Sources: DWARF 5 section 2.5.1 (operators) and 6.4.2, which lists the operators that may not occur in call frame
// information: addrx, call2/4/ref, the typed ones and push_object_address. Those are refused by name.
#pragma once

#include "machine/address.h"
#include "machine/error.h"
#include "machine/memory_view.h"
#include "machine/registers.h"

#include <cstdint>
#include <elfutils/libdw.h>
#include <optional>
#include <span>
#include <vector>

namespace inspect {

struct CfiOperation {
  std::uint8_t opcode = 0; ///< DW_OP_…
  /// As decoded, signs extended; of DW_OP_skip and DW_OP_bra the index of the operation to go on with, the number of
  /// operations at the end of the expression, `nowhere` where none starts.
  std::uint64_t operand = 0;
  std::uint64_t operand2 = 0;
  static constexpr std::uint64_t nowhere = ~std::uint64_t{0};
};
using CfiExpression = std::vector<CfiOperation>;

/// What libdw decoded, without its types.
CfiExpression cfi_expression(std::span<const Dwarf_Op> operations);

struct ExpressionContext {
  const RegisterSet &registers;
  const MemoryView &memory;
  LoadBias bias{};                    ///< for DW_OP_addr, which holds a link-time address
  std::optional<RunAddress> cfa = {}; ///< for DW_OP_call_frame_cfa; none while the CFA itself is computed
};

/// An expression may run this many operators, loops included.
constexpr unsigned max_expression_steps = 10'000;
/// And hold this many values at once.
constexpr unsigned max_expression_stack_depth = 64;

/// The value on top of the stack at the end, or at DW_OP_stack_value. corrupt: the expression is malformed or breaks a
/// bound; unreadable: memory it wants is not there; not_found: a register it wants is not known; unsupported.
Result<std::uint64_t> evaluate(std::span<const CfiOperation> expression, const ExpressionContext &context);

} // namespace inspect
