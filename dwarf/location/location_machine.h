// Runs the DWARF expressions of variables in one frame: a stack machine whose result is a location, or a value.
// Everything an expression can lead to (called expressions, variables it names, what the caller passed) runs on one
// budget, so that DWARF which leads in circles ends.
//
//     EvaluationBudget budget;
//     LocationMachine machine({frame, budget});
//     if (auto done = machine.run(operations, &attribute); !done) …
//     Result<Location> location = machine.location();
//
// Sources: DWARF 5 sections 2.5 and 2.6; GNU's operators: binutils include/dwarf2.def, GCC's dwarf2out.cc.
#pragma once

#include "dwarf/expression/cfi_expression.h"
#include "dwarf/expression/typed_stack_value.h"
#include "dwarf/location/location.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace inspect {

/// Of everything that one question leads to.
struct EvaluationBudget {
  unsigned steps = 0;   ///< operators run so far; at most max_expression_steps
  unsigned nesting = 0; ///< expressions that wait for one they led to; at most max_evaluation_nesting
};
constexpr unsigned max_evaluation_nesting = 24;
/// Pieces of one value: a register each of the largest structure that is split over them, with room.
constexpr std::size_t max_pieces = 4096;

struct Evaluation {
  const FrameContext &frame;
  EvaluationBudget &budget;
  std::optional<std::uint64_t> initial = {}; ///< on the stack at the start
  std::optional<RunAddress> object = {};     ///< for DW_OP_push_object_address
};

class LocationMachine {
public:
  explicit LocationMachine(const Evaluation &evaluation);

  /// `attribute` is where the operations came from; null: those that refer to its unit are refused. corrupt;
  /// unreadable; not_found: a register or what a caller passed is not known; unsupported.
  Result<void> run(std::span<const Dwarf_Op> operations, Dwarf_Attribute *attribute);
  /// not_found, "optimized out", where the expression ended with nothing.
  Result<Location> location();
  /// What was computed, if the expression computes a value rather than says where one is.
  Result<StackValue> value();

private:
  Result<void> step(const Dwarf_Op &op);
  Result<void> push(const StackValue &value);
  Result<void> push_generic(Result<std::uint64_t> value);
  Result<void> need(std::size_t count) const;
  StackValue &top(std::size_t from_top = 0) { return stack_[stack_.size() - 1 - from_top]; }

  Result<void> execute(const Dwarf_Op &op);
  Result<void> execute_control(const Dwarf_Op &op);
  Result<void> execute_stack(const Dwarf_Op &op);
  Result<void> execute_context(const Dwarf_Op &op);
  Result<void> execute_typed(const Dwarf_Op &op);
  Result<void> describe(const Dwarf_Op &op);
  Result<void> push_register(std::uint64_t number, std::uint64_t offset);
  Result<void> push_indexed(const Dwarf_Op &op);
  Result<void> push_typed_register(const Dwarf_Op &op);
  Result<void> push_typed_constant(const Dwarf_Op &op);
  Result<void> dereference(std::uint64_t size, StackType type);
  Result<void> push_thread_local();
  Result<void> push_entry_value(const Dwarf_Op &op);
  Result<void> push_variable(const Dwarf_Op &op);
  Result<void> push_parameter(const Dwarf_Op &op);
  Result<void> call(const Dwarf_Op &op);
  Result<StackType> type_operand(const Dwarf_Op &op, std::uint64_t offset);
  Result<Dwarf_Die> die_operand(const Dwarf_Op &op);
  Result<void> implicit_value(const Dwarf_Op &op);
  Result<void> implicit_pointer(const Dwarf_Op &op);
  std::int64_t signed_offset(const Dwarf_Op &op) const;
  Result<void> end_piece(std::uint64_t bit_size, std::uint64_t bit_offset);
  LocationPiece simple_location();

  const FrameContext &frame_;
  EvaluationBudget &budget_;
  std::optional<RunAddress> object_;
  std::vector<StackValue> stack_;
  std::optional<LocationPiece> described_; ///< by an operator that is not an address
  std::vector<LocationPiece> pieces_;
  // Of the expression that runs now:
  std::span<const Dwarf_Op> operations_;
  Dwarf_Attribute *attribute_ = nullptr;
  std::size_t position_ = 0;
};

/// The operations of an attribute at the frame's pc: of a single expression its own, of a location list those of the
/// first entry that holds the pc. Empty: optimized out there. corrupt where libdw cannot decode them.
Result<std::span<const Dwarf_Op>> operations_at(Dwarf_Attribute &attribute, const FrameContext &frame);

/// locate() and frame_base() within a larger evaluation.
Result<Location> locate_within(Dwarf_Die variable, const FrameContext &frame, EvaluationBudget &budget);
Result<RunAddress> frame_base_within(Dwarf_Die function, const FrameContext &frame, EvaluationBudget &budget);

/// Of the function, not one inlined into it, whose frame this is.
Result<RunAddress> frame_base_of(const FrameContext &frame, EvaluationBudget &budget);
/// The DIE of that function. not_found: its module has no DWARF for it.
Result<Dwarf_Die> physical_function(const FrameContext &frame);

/// What a register holds in the frame, 8 bytes, or 16 of a vector register whose upper half is known. not_found:
/// "rbx is not recoverable in this frame".
Result<std::vector<std::byte>> register_bytes(std::uint64_t dwarf_register, const FrameContext &frame);

} // namespace inspect
