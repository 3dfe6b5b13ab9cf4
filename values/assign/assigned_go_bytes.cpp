// go_assignment: Go's assignability, and strings in place.
//
// Source: go.dev/ref/spec, "Assignability", "Representability".
#include "values/assign/assigned_bytes.h"
#include "values/go/go_conversion.h"
#include "values/go/go_variables.h"
#include "values/native/native_layout.h"

#include <fmt/format.h>

namespace inspect {
namespace {

using OperandKind = EvaluationOperand::Kind;
bool may_be_nil(const GoType &type) {
  return is_go_address(type) || type.kind == GoKind::slice || type.kind == GoKind::interface;
}

/// The memory that the string has stays its own: there is none to be had for a longer one.
Writes assign_text(const Value &target, const std::string &text) {
  const auto address = target.source->unsigned_at(0, 8);
  const auto length = target.source->unsigned_at(8, 8);
  if (!address || !length)
    return std::unexpected(Error(ErrorKind::unreadable, "its address and length cannot be read"));
  if (text.size() > *length)
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("{} bytes do not fit into the {} that it has", text.size(), *length)));
  std::vector<MemoryWrite> writes;
  if (!text.empty())
    writes.push_back({RunAddress{*address}, bytes_of_text(text, false), true});
  if (text.size() != *length || writes.empty())
    writes.push_back({.address = place_of(target) + 8, .bytes = low_bytes(text.size(), 8)});
  return writes;
}

} // namespace

Writes go_assignment(const Value &target, const AssignedValue &assigned, ValueEnvironment &environment) {
  const GoType &type = *target.type.go;
  const Value &value = assigned.value;
  if (assigned.operand.kind == OperandKind::null_pointer) {
    if (!may_be_nil(type))
      return std::unexpected(Error(ErrorKind::usage, "it is never nil"));
    const auto size = operations_of(target).size_of(target.type, environment);
    return one_write(place_of(target), std::vector<std::byte>(static_cast<std::size_t>(size.value_or(8))));
  }
  const bool literal = assigned.operand.kind == OperandKind::text ||
                       (value.type.go != nullptr && value.type.go->kind == GoKind::string && value.source &&
                        !value.source->unsigned_at(0, 8));
  if (type.kind == GoKind::string && literal) {
    constexpr std::size_t max_text_size = 1 << 20;
    const auto text = operations_of(value).text(value, max_text_size, environment);
    return text ? assign_text(target, *text) : std::unexpected(text.error());
  }
  const bool from_elsewhere = assigned.operand.kind == OperandKind::untyped_number || value.type.go == nullptr;
  if (from_elsewhere) {
    const auto number = operations_of(value).number(value, environment);
    if (!number)
      return std::unexpected(number.error());
    return one_write(place_of(target), operations_of(target).encode(*number, target.type, environment));
  }
  if (!same_go_type(*value.type.go, type))
    return std::unexpected(Error(ErrorKind::usage,
                                 fmt::format("a value of type {} does not go there", value.type.go->name),
                                 fmt::format("convert it, as in {}(…)", type.name)));
  return one_write(place_of(target), bytes_of_value(value, environment));
}

} // namespace inspect
