#include "values/assign/assigned_bytes.h"

#include "dwarf/types/type_name.h"
#include "values/native/native_layout.h"
#include "values/native/native_numbers.h"
#include "values/operations/native_operations.h"
#include "values/printers/library_view.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

using OperandKind = EvaluationOperand::Kind;

std::string name_of(const Value &value, ValueEnvironment &environment) {
  return operations_of(value).type_name(value.type, environment);
}

Error refused(std::string message, std::string remedy = {}) {
  return {ErrorKind::usage, std::move(message), std::move(remedy)};
}

Error wrong_type(const AssignedValue &assigned, ValueEnvironment &environment) {
  return refused(fmt::format("a value of type {} does not go there", name_of(assigned.value, environment)),
                 "a cast says that it shall");
}

/// Only the field's own bits change; the bytes around it are read now.
Writes assign_bits(const Value &target, const Number &number, ValueEnvironment &environment) {
  const BitRange range = *target.bits;
  if (range.size == 0 || range.size > 64 || range.offset > 1024 || !target.source)
    return std::unexpected(refused("a bit-field of this size is not written"));
  const bool with_sign = is_signed(environment.types.underlying(target.type.native), environment);
  using Wide = decltype(Number::integer);
  const Wide lowest = with_sign ? -(Wide{1} << (range.size - 1)) : Wide{0};
  const Wide highest = (Wide{1} << (with_sign ? range.size - 1 : range.size)) - 1;
  if (number.kind == Number::Kind::floating || !fits(number, static_cast<unsigned>(range.size), with_sign))
    return std::unexpected(
        refused(fmt::format("{} does not fit into its {} bit{} ({} to {})",
                            number.kind == Number::Kind::floating ? "a fraction" : decimal_text(number.integer),
                            range.size, range.size == 1 ? "" : "s", decimal_text(lowest), decimal_text(highest))));
  const std::uint64_t first = range.offset / 8;
  const std::uint64_t end = (range.offset + range.size + 7) / 8;
  std::vector<std::byte> bytes(static_cast<std::size_t>(end - first));
  if (!target.source->read(first, bytes))
    return std::unexpected(unreadable_error(target, environment));
  for (std::uint64_t bit = 0; bit < range.size; ++bit) {
    const std::uint64_t at = range.offset % 8 + bit;
    const auto mask = std::byte{1} << (at % 8);
    bytes[at / 8] = (number.integer >> bit & 1) != 0 ? bytes[at / 8] | mask : bytes[at / 8] & ~mask;
  }
  return one_write(place_of(target) + first, std::move(bytes));
}

/// Of the type behind typedefs and qualifiers.
std::string plain_name(const TypeHandle &type, ValueEnvironment &environment) {
  return type_name(environment.types, without_aliases(type, environment.types));
}

/// Of pointers to the same, to void, from an array of the same; a number is an address.
Writes assign_pointer(const Value &target, const DwarfType &type, const AssignedValue &assigned,
                      ValueEnvironment &environment) {
  if (assigned.operand.kind == OperandKind::text)
    return std::unexpected(refused("a text has no address: there is no memory for it in the target"));
  const Value value = without_references(assigned.value, environment);
  const DwarfType &from = environment.types.underlying(value.type.native);
  const bool array = from.kind == DwarfTypeKind::array;
  const bool typed = assigned.operand.kind == OperandKind::value && (array || is_pointer(from));
  if (typed && !type.target.is_void() && !from.target.is_void() &&
      plain_name(type.target, environment) != plain_name(from.target, environment))
    return std::unexpected(wrong_type(assigned, environment));
  if (array) {
    const auto address = value.source ? value.source->address() : std::nullopt;
    if (!address)
      return std::unexpected(refused("the array is not in memory, so it has no address"));
    return one_write(place_of(target), low_bytes(address->value, 8));
  }
  const auto number = operations_of(value).number(value, environment);
  if (!number)
    return std::unexpected(number.error());
  if (number->kind == Number::Kind::boolean || number->kind == Number::Kind::floating)
    return std::unexpected(wrong_type(assigned, environment));
  return one_write(place_of(target), operations_of(target).encode(*number, target.type, environment));
}

/// A C array of characters, in place; the NUL must fit, and what is behind it stays.
Writes assign_characters(const Value &target, const std::string &text, ValueEnvironment &environment) {
  const auto size = environment.types.size_of(target.type.native).value_or(0);
  if (text.size() + 1 > size)
    return std::unexpected(
        refused(fmt::format("{} characters and their NUL do not fit into {} bytes", text.size(), size)));
  return one_write(place_of(target), bytes_of_text(text, true));
}

/// A member of a member: "vec.len".
std::optional<Value> member_at(Value value, std::initializer_list<std::string_view> path,
                               ValueEnvironment &environment) {
  for (const std::string_view name : path) {
    auto member = native_operations().member(value, name, environment);
    if (!member)
      return std::nullopt;
    value = std::move(*member);
  }
  return value;
}

/// libstdc++'s std::string (_M_string_length since GCC 5) and Rust's String (vec.len), in place; libc++ keeps the
/// length of short ones elsewhere than that of long ones, so that only an equal one is written.
Writes assign_library_text(const Value &target, const LibraryView &view, const std::string &text,
                           ValueEnvironment &environment) {
  const auto address = view.characters ? view.characters->address() : std::nullopt;
  if (!view.problem.empty() || !view.length || !address || view.character_size != 1)
    return std::unexpected(refused("its text cannot be replaced"));
  auto length = member_at(target, {"_M_string_length"}, environment);
  const bool ends_with_nul = length.has_value();
  if (!length)
    length = member_at(target, {"vec", "len"}, environment);
  const auto place = length && length->source ? length->source->address() : std::nullopt;
  const auto size = length ? environment.types.size_of(length->type.native) : std::nullopt;
  const bool can_change_length = place && size == 8U;
  const std::uint64_t room = std::max(can_change_length ? view.capacity.value_or(0) : 0, *view.length);
  if (text.size() > room || (!can_change_length && text.size() != *view.length))
    return std::unexpected(refused(
        can_change_length ? fmt::format("{} characters do not fit into the memory that it has, {}", text.size(), room)
                          : fmt::format("the new text must have the length of the old one, {}", *view.length)));
  std::vector<MemoryWrite> writes;
  writes.push_back({*address, bytes_of_text(text, ends_with_nul), true});
  if (text.size() != *view.length)
    writes.push_back({.address = *place, .bytes = low_bytes(text.size(), 8)});
  return writes;
}

} // namespace

RunAddress place_of(const Value &target) {
  return target.source && target.source->address() ? *target.source->address() : RunAddress{};
}

Writes one_write(RunAddress address, Result<std::vector<std::byte>> bytes) {
  if (!bytes)
    return std::unexpected(bytes.error());
  std::vector<MemoryWrite> writes;
  writes.push_back({.address = address, .bytes = std::move(*bytes)});
  return writes;
}

std::vector<std::byte> bytes_of_text(std::string_view text, bool with_nul) {
  std::vector<std::byte> bytes(text.size() + (with_nul ? 1 : 0));
  std::ranges::transform(text, bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

Result<std::vector<std::byte>> bytes_of_value(const Value &value, ValueEnvironment &environment) {
  constexpr std::uint64_t most = 1 << 20;
  const auto size = operations_of(value).size_of(value.type, environment);
  if (!value.source)
    return std::unexpected(missing_error(value));
  if (!size || *size > most || value.bits)
    return std::unexpected(refused("a value of this size is not copied"));
  std::vector<std::byte> bytes(static_cast<std::size_t>(*size));
  if (!value.source->read(0, bytes))
    return std::unexpected(Error(ErrorKind::unreadable, "the new value cannot be read"));
  return bytes;
}

Writes native_assignment(const Value &target, const AssignedValue &assigned, ValueEnvironment &environment) {
  const DwarfType &type = environment.types.underlying(target.type.native);
  const ScalarKind kind = scalar_kind(type);
  if (is_pointer(type))
    return assign_pointer(target, type, assigned, environment);
  if (kind != ScalarKind::none) {
    const auto number = operations_of(assigned.value).number(assigned.value, environment);
    if (!number)
      return std::unexpected(number.error());
    if (number->kind == Number::Kind::address)
      return std::unexpected(wrong_type(assigned, environment));
    if (target.bits)
      return assign_bits(target, *number, environment);
    return one_write(place_of(target), operations_of(target).encode(*number, target.type, environment));
  }
  if (assigned.operand.kind == OperandKind::text) {
    if (const auto view = view_of(target, {0, 0}, environment); view && view->shape == LibraryView::Shape::text)
      return assign_library_text(target, *view, assigned.operand.text, environment);
    const DwarfType &element = environment.types.underlying(type.target);
    if (type.kind == DwarfTypeKind::array && scalar_kind(element) == ScalarKind::character && element.byte_size == 1U)
      return assign_characters(target, assigned.operand.text, environment);
    return std::unexpected(wrong_type(assigned, environment));
  }
  const Value value = without_references(assigned.value, environment);
  const bool is_whole = is_structure(type) || type.kind == DwarfTypeKind::array;
  if (!is_whole || name_of(value, environment) != name_of(target, environment) ||
      environment.types.size_of(value.type.native) != environment.types.size_of(target.type.native))
    return std::unexpected(wrong_type(assigned, environment));
  // A copy of what owns memory would free it twice.
  if (view_of(target, {0, 0}, environment))
    return std::unexpected(refused("only single elements of containers are written, not the whole"));
  return one_write(place_of(target), bytes_of_value(value, environment));
}

} // namespace inspect
