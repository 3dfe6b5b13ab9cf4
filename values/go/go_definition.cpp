#include "values/go/go_operations.h"

#include "values/go/go_variables.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <span>
#include <utility>
#include <vector>

namespace inspect {
namespace {

constexpr std::size_t max_fields_shown = 4096;
/// Longer ones stand out of their column.
constexpr std::size_t widest_name = 40;
constexpr std::size_t widest_declaration = 100;

std::string name_of(const GoType *type) {
  return type != nullptr ? type->name : "?";
}

std::string fields_text(const GoType &type) {
  const std::size_t shown = std::min(type.fields.size(), max_fields_shown);
  const auto fields = std::span(type.fields).first(shown);
  std::size_t name_width = 0;
  for (const GoField &field : fields)
    name_width = std::max(name_width, field.embedded ? 0 : std::min(field.name.size(), widest_name));
  std::vector<std::string> declared;
  std::size_t width = 0;
  for (const GoField &field : fields) {
    declared.push_back(field.embedded ? name_of(field.type)
                                      : fmt::format("{:{}} {}", field.name, name_width, name_of(field.type)));
    width = std::max(width, std::min(declared.back().size(), widest_declaration));
  }
  std::string text;
  for (std::size_t i = 0; i < shown; ++i)
    text += fmt::format("    {:{}} // offset {}, size {}\n", declared[i], width, fields[i].offset,
                        fields[i].type != nullptr ? fields[i].type->size : 0);
  if (shown < type.fields.size())
    text += fmt::format("    // {} more\n", type.fields.size() - shown);
  return text;
}

std::string_view predeclared_name(GoKind kind) {
  constexpr std::array<std::pair<GoKind, std::string_view>, 17> names{{
      {GoKind::boolean, "bool"},
      {GoKind::integer, "int"},
      {GoKind::integer8, "int8"},
      {GoKind::integer16, "int16"},
      {GoKind::integer32, "int32"},
      {GoKind::integer64, "int64"},
      {GoKind::unsigned_integer, "uint"},
      {GoKind::unsigned8, "uint8"},
      {GoKind::unsigned16, "uint16"},
      {GoKind::unsigned32, "uint32"},
      {GoKind::unsigned64, "uint64"},
      {GoKind::uintptr, "uintptr"},
      {GoKind::float32, "float32"},
      {GoKind::float64, "float64"},
      {GoKind::complex64, "complex64"},
      {GoKind::complex128, "complex128"},
      {GoKind::string, "string"},
  }};
  const auto *const found = std::ranges::find(names, kind, [](const auto &entry) { return entry.first; });
  return found != names.end() ? found->second : "?";
}

/// What the type is, without the name that it may have.
std::string underlying_text(const GoType &type) {
  switch (type.kind) {
  case GoKind::structure:
    return fmt::format("struct {{\n{}}} // size {}", fields_text(type), type.size);
  case GoKind::slice:
    return "[]" + name_of(type.element);
  case GoKind::array:
    return fmt::format("[{}]{}", type.length, name_of(type.element));
  case GoKind::map:
    return fmt::format("map[{}]{}", name_of(type.key), name_of(type.element));
  case GoKind::pointer:
    return "*" + name_of(type.element);
  case GoKind::channel:
    return "chan " + name_of(type.element);
  case GoKind::interface:
    return type.has_methods ? "interface { … }" : "interface {}";
  case GoKind::function:
    return "func";
  case GoKind::unsafe_pointer:
    return "unsafe.Pointer";
  case GoKind::unknown:
    return "?";
  default:
    break;
  }
  return std::string(predeclared_name(type.kind));
}

/// "main.T" is a name, "struct { a int }" and "[]int" are none; predeclared types say nothing more than their names.
bool has_own_name(const GoType &type) {
  return !type.name.empty() && !type.name.starts_with("struct {") && type.name.find_first_of("*[ (<") != 0 &&
         !type.name.starts_with("map[") && !type.name.starts_with("chan ") && !type.name.starts_with("chan<-") &&
         !type.name.starts_with("func(") && !type.name.starts_with("interface {");
}

} // namespace

std::string go_type_definition(const GoType &type, ValueEnvironment &environment) {
  whole(type, environment);
  std::string underlying = underlying_text(type);
  if (type.kind == GoKind::structure && !has_own_name(type))
    return underlying;
  if (!has_own_name(type) || underlying == type.name || type.kind == GoKind::unknown)
    return type.name;
  if (type.name.find('.') == std::string::npos) // predeclared
    return type.name;
  return fmt::format("type {} {}", type.name, underlying);
}

} // namespace inspect
