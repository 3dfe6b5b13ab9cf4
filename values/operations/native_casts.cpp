#include "values/operations/native_operations.h"

#include "dwarf/types/type_name.h"
#include "values/native/dynamic_type.h"
#include "values/native/native_layout.h"
#include "values/native/native_members.h"
#include "values/native/native_numbers.h"

#include <fmt/format.h>

namespace inspect {
namespace {

Error refused(const Value &value, const TypeHandle &type, ValueEnvironment &environment) {
  return {ErrorKind::usage, fmt::format("{} cannot be cast to {}", type_name(environment.types, value.type.native),
                                        type_name(environment.types, type))};
}

Value pointer_value(RunAddress address, const TypeHandle &type, SourceLanguage language) {
  std::vector<std::byte> bytes(8);
  for (std::size_t i = 0; i < 8; ++i)
    bytes[i] = static_cast<std::byte>(address.value >> (8 * i) & 0xff);
  return computed_value(std::move(bytes), type, language);
}

/// From one class of a hierarchy to another, where it is one: through virtual bases only upwards.
Result<std::optional<Value>> in_hierarchy(const Value &object, const TypeHandle &type, ValueEnvironment &environment) {
  const DwarfType &from = environment.types.underlying(object.type.native);
  const DwarfType &to = environment.types.underlying(type);
  if (!is_structure(from) || !is_structure(to))
    return std::nullopt;
  auto base = find_base(object, to, environment);
  if (!base || *base)
    return base;
  const auto offset = base_offset(to, from, environment);
  if (!offset || !object.source || !object.source->address())
    return std::nullopt;
  return value_at(*object.source->address() - *offset, type, object.language, environment);
}

Result<Value> cast_pointer(const Value &value, const TypeHandle &type, ValueEnvironment &environment) {
  const DwarfType &from = environment.types.underlying(value.type.native);
  const DwarfType &to = environment.types.underlying(type);
  const auto address = pointer_target(value, environment);
  if (!address)
    return std::unexpected(address.error());
  const bool between_classes =
      is_structure(environment.types.underlying(from.target)) && is_structure(environment.types.underlying(to.target));
  if (!between_classes || address->value == 0)
    return pointer_value(*address, type, value.language);
  const Value object = value_at(*address, from.target, value.language, environment);
  const auto moved = in_hierarchy(object, to.target, environment);
  if (!moved)
    return std::unexpected(moved.error());
  const bool has_place = *moved && (*moved)->source && (*moved)->source->address();
  return pointer_value(has_place ? *(*moved)->source->address() : *address, type, value.language);
}

Result<Value> cast_in_memory(const Value &value, const TypeHandle &type, ValueEnvironment &environment) {
  const auto moved = in_hierarchy(value, type, environment);
  if (!moved)
    return std::unexpected(moved.error());
  if (*moved)
    return **moved;
  if (!value.source)
    return std::unexpected(missing_error(value));
  if (value.bits)
    return std::unexpected(refused(value, type, environment));
  // Behind a number's bytes lies something else; a structure may be the beginning of a larger one.
  const auto wanted = environment.types.size_of(type);
  const bool is_part =
      is_structure(environment.types.underlying(value.type.native)) && is_structure(environment.types.underlying(type));
  const bool fits = wanted && wanted <= size_of(value, environment);
  const auto address = value.source->address();
  if (address && (fits || is_part))
    return value_at(*address, type, value.language, environment);
  if (!fits)
    return std::unexpected(refused(value, type, environment));
  Value same = value;
  same.type.native = type;
  return same;
}

/// GNU's vectors are no arrays: they become numbers and other vectors of their size, bit by bit.
Result<Value> cast_vector(const Value &value, const TypeHandle &type, ValueEnvironment &environment) {
  constexpr std::uint64_t max_vector_size = 4096;
  const auto size = size_of(value, environment);
  const auto wanted = environment.types.size_of(type);
  if (!value.source)
    return std::unexpected(missing_error(value));
  if (value.bits || !size || size != wanted || *size > max_vector_size)
    return std::unexpected(refused(value, type, environment));
  std::vector<std::byte> bytes(static_cast<std::size_t>(*size));
  if (!value.source->read(0, bytes))
    return std::unexpected(unreadable_error(value, environment));
  return computed_value(std::move(bytes), type, value.language);
}

} // namespace

Result<Value> cast_native(const Value &given, const TypeHandle &type, ValueEnvironment &environment) {
  const DwarfType &to = environment.types.underlying(type);
  const Value value = without_references(given, environment);
  const DwarfType &from = environment.types.underlying(value.type.native);
  if (type.is_void() || to.kind == DwarfTypeKind::unknown || to.kind == DwarfTypeKind::subroutine)
    return std::unexpected(refused(value, type, environment));
  if (is_reference(to)) // as *(T *)&x
    return cast_in_memory(value, to.target, environment);
  const bool is_address = is_pointer(to);
  if (is_address && is_pointer(from))
    return cast_pointer(value, type, environment);
  if (from.is_vector || to.is_vector)
    return cast_vector(value, type, environment);
  const bool decays = from.kind == DwarfTypeKind::array || from.kind == DwarfTypeKind::subroutine;
  if (scalar_kind(to) != ScalarKind::none && decays && scalar_kind(to) != ScalarKind::floating) {
    if (!value.source || !value.source->address())
      return std::unexpected(refused(value, type, environment));
    return cast_native(pointer_value(*value.source->address(),
                                     environment.types.pointer_to(from.kind == DwarfTypeKind::array
                                                                      ? element_type(from, environment.types)
                                                                      : value.type.native),
                                     value.language),
                       type, environment);
  }
  if (scalar_kind(to) != ScalarKind::none && scalar_kind(from) != ScalarKind::none) {
    const auto number = native_number(value, environment);
    if (!number)
      return std::unexpected(number.error());
    auto bytes = convert_number(*number, type, environment);
    if (!bytes)
      return std::unexpected(bytes.error());
    return computed_value(std::move(*bytes), type, value.language);
  }
  return cast_in_memory(value, type, environment);
}

Result<Value> assert_native(const Value &given, const TypeHandle &type, ValueEnvironment &environment) {
  const Value value = without_references(given, environment);
  const DwarfType &from = environment.types.underlying(value.type.native);
  const DwarfType &to = environment.types.underlying(type);
  const bool pointers = is_pointer(from) && is_pointer(to);
  Value object = value;
  if (pointers) {
    const auto address = pointer_target(value, environment);
    if (!address)
      return std::unexpected(address.error());
    object = value_at(*address, from.target, value.language, environment);
  }
  const TypeHandle wanted = pointers || is_reference(to) ? to.target : type;
  if (!is_structure(environment.types.underlying(wanted)) ||
      !is_structure(environment.types.underlying(object.type.native)))
    return std::unexpected(refused(value, type, environment));
  if (const auto whole = dynamic_object(object, environment))
    object = *whole;
  const auto found = find_base(object, environment.types.underlying(wanted), environment);
  if (!found)
    return std::unexpected(found.error());
  if (!*found) {
    const auto real = dynamic_class(object, environment);
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("the object is a {}, not a {}",
                                            real ? *real : type_name(environment.types, object.type.native),
                                            type_name(environment.types, wanted))));
  }
  if (pointers && (*found)->source && (*found)->source->address())
    return pointer_value(*(*found)->source->address(), type, value.language);
  return **found;
}

} // namespace inspect
