#include "inspector/scope/variable_reading.h"

#include "dwarf/die/unit_of_die.h"
#include "dwarf/location/location.h"
#include "dwarf/location/runtime_bounds.h"
#include "values/go/go_variables.h"

namespace inspect {
namespace {

bool is_go(SourceLanguage language, const ValueEnvironment &environment) {
  return language == SourceLanguage::go && environment.go.has_value();
}

ValueType value_type(const TypeHandle &handle, SourceLanguage language, ValueEnvironment &environment) {
  return is_go(language, environment) ? go_value_type(handle, environment) : ValueType{.native = handle, .go = nullptr};
}

/// How many bytes lie at the location. Of an escaped Go variable that is a pointer, whose type DWARF gives.
std::uint64_t size_there(const TypeHandle &handle, ValueEnvironment &environment) {
  return environment.types.size_of(handle).value_or(0);
}

Value located_value(const TypeHandle &type, bool escaped, const Location &location, SourceLanguage language,
                    const FrameContext &frame, ValueEnvironment &environment) {
  auto source = read_location(location, size_there(type, environment), frame);
  if (!source)
    return missing_value(value_type(type, language, environment), language, source.error().message());
  Value value;
  if (is_go(language, environment))
    value = go_value(type, *std::move(source), escaped, environment);
  else
    value = {.type = {.native = type, .go = nullptr}, .language = language, .source = *std::move(source)};
  value.language = language;
  value.register_number = only_register(location);
  value.at_entry = location.at_entry;
  return value;
}

} // namespace

std::optional<unsigned> only_register(const Location &location) {
  if (location.pieces.size() != 1 || location.at_entry)
    return std::nullopt;
  const LocationPiece &piece = location.pieces.front();
  if (piece.kind != LocationPiece::Kind::in_register || piece.bit_offset != 0)
    return std::nullopt;
  return piece.dwarf_register;
}

Value variable_value(const ScopeVariable &variable, SourceLanguage language, const FrameContext &frame,
                     ValueEnvironment &environment) {
  auto location = locate(variable.die, frame);
  if (!location && variable.is_parameter && !variable.is_result)
    if (auto at_entry = locate_at_entry(variable.die, frame))
      location = std::move(at_entry);
  if (!location)
    return missing_value(value_type(variable.type, language, environment), language, location.error().message());
  const TypeHandle type = with_bounds(variable.type, frame, environment.types);
  return located_value(type, variable.escaped, *location, language, frame, environment);
}

std::optional<Value> passed_value(const ScopeVariable &parameter, SourceLanguage language, const FrameContext &frame,
                                  ValueEnvironment &environment) {
  const auto location = locate_at_entry(parameter.die, frame);
  if (!location)
    return std::nullopt;
  Value value = located_value(parameter.type, parameter.escaped, *location, language, frame, environment);
  return value.source ? std::optional(std::move(value)) : std::nullopt;
}

Value global_value(const NamedDie &variable, SourceLanguage language, const FrameContext &frame,
                   ValueEnvironment &environment) {
  FrameContext where = frame;
  where.module = variable.module;
  TypeHandle type = type_of(variable.die);
  // An enumerator is of the enumeration around it.
  if (variable.kind == NameKind::constant && type.is_void())
    if (const auto enumeration = enclosing_die(variable.die))
      type.die = *enumeration;
  const auto location = locate(variable.die, where);
  if (!location)
    return missing_value(value_type(type, language, environment), language, location.error().message());
  return located_value(type, false, *location, language, where, environment);
}

} // namespace inspect
