#include "values/operations/native_operations.h"

#include "dwarf/types/type_name.h"
#include "machine/near_misses.h"
#include "values/native/dynamic_type.h"
#include "values/native/native_layout.h"
#include "values/native/native_members.h"
#include "values/native/native_numbers.h"
#include "values/native/predeclared_types.h"
#include "values/printers/rust/rust_types.h"
#include "values/value_operations.h"

#include <fmt/format.h>

namespace inspect {
namespace {

class NativeOperations final : public ValueOperations {
public:
  Result<Value> member(const Value &value, std::string_view name, ValueEnvironment &environment) const override;
  std::vector<std::string> member_names(const Value &value, ValueEnvironment &environment) const override;
  Result<Value> element(const Value &value, const Value &index, ValueEnvironment &environment) const override;
  Result<Value> slice(const Value &value, std::uint64_t low, std::optional<std::uint64_t> high,
                      ValueEnvironment &environment) const override;
  Result<Value> dereference(const Value &value, ValueEnvironment &environment) const override;
  Result<Value> address_of(const Value &value, ValueEnvironment &environment) const override;
  Result<Value> cast(const Value &value, const ValueType &type, ValueEnvironment &environment) const override;
  Result<Value> assert_type(const Value &value, const ValueType &type, ValueEnvironment &environment) const override;
  Result<std::uint64_t> length(const Value &value, ValueEnvironment &environment) const override;
  Result<std::uint64_t> capacity(const Value &value, ValueEnvironment &environment) const override;
  Result<Number> number(const Value &value, ValueEnvironment &environment) const override;
  Result<std::string> text(const Value &value, std::size_t limit, ValueEnvironment &environment) const override;
  Result<std::vector<std::byte>> encode(const Number &number, const ValueType &type,
                                        ValueEnvironment &environment) const override;
  ValueType pointer_to(const ValueType &type, ValueEnvironment &environment) const override;
  ValueType type_of_number(const Number &number, ValueEnvironment &environment) const override;
  std::optional<std::uint64_t> size_of(const ValueType &type, ValueEnvironment &environment) const override;
  std::string type_name(const ValueType &type, ValueEnvironment &environment) const override;
  std::string type_definition(const ValueType &type, ValueEnvironment &environment) const override;
};

constexpr int max_pointers = 8;

/// The structure that member access means: behind references and one pointer, and behind Rust's boxes.
Result<Value> structure_of(const Value &value, ValueEnvironment &environment) {
  Value current = without_references(value, environment);
  for (int steps = 0; steps < max_pointers; ++steps) {
    const DwarfType &type = environment.types.underlying(current.type.native);
    if (is_structure(type))
      return completed(current, environment);
    if (!is_pointer(type) || type.target.is_void())
      break;
    auto target = native_dereference(current, environment);
    if (!target)
      return target;
    current = without_references(*target, environment);
  }
  return std::unexpected(
      Error(ErrorKind::usage, fmt::format("{} has no members", type_name(environment.types, value.type.native))));
}

/// The same; of Rust's enumerations the variant that it is.
Result<Value> with_members(const Value &value, ValueEnvironment &environment) {
  auto object = structure_of(value, environment);
  if (!object)
    return object;
  const DwarfType &type = environment.types.underlying(object->type.native);
  if (!type.variants)
    return object;
  auto variant = rust_variant(*object, type, environment);
  return variant ? Result<Value>(std::move(variant->value)) : std::unexpected(variant.error());
}

Error no_member(const Value &object, std::string_view name, ValueEnvironment &environment) {
  const DwarfType &type = environment.types.underlying(object.type.native);
  const std::string type_text = type_name(environment.types, object.type.native);
  if (type.is_declaration)
    return {ErrorKind::not_found, fmt::format("{} is only declared here: its members are not known", type_text)};
  const std::vector<std::string> names = all_member_names(type, environment);
  return {ErrorKind::not_found, fmt::format("{} has no member {}{}", type_text, name, did_you_mean(name, names))};
}

/// Where the "::" before the last part stands, but for those in template arguments.
std::size_t end_of_scope(std::string_view name) {
  int depth = 0;
  for (std::size_t at = name.size(); at-- > 1;) {
    depth += name[at] == '>' ? 1 : name[at] == '<' ? -1 : 0;
    if (depth == 0 && name[at] == ':' && name[at - 1] == ':')
      return at - 1;
  }
  return std::string_view::npos;
}

/// object.Base::name: that class' own member, whatever hides it in the object.
Result<Value> member_of_base(const Value &object, std::string_view base, std::string_view name,
                             ValueEnvironment &environment) {
  const auto part = find_base_named(object, base.starts_with("::") ? base.substr(2) : base, environment);
  if (!part)
    return std::unexpected(part.error());
  if (!*part)
    return std::unexpected(
        Error(ErrorKind::not_found,
              fmt::format("{} has no base {}", type_name(environment.types, object.type.native), base)));
  const auto found = find_member(**part, name, environment);
  if (!found)
    return std::unexpected(found.error());
  if (*found)
    return **found;
  if (auto shared = find_static_member(**part, name, environment))
    return *shared;
  return std::unexpected(no_member(**part, name, environment));
}

/// What the program's own literals would have.
std::string_view number_type_name(const Number &number) {
  const bool with_sign = number.kind == Number::Kind::signed_integer;
  switch (number.kind) {
  case Number::Kind::floating:
    return number.size == 4 ? "float" : number.size > 8 ? "long double" : "double";
  case Number::Kind::boolean:
    return "bool";
  case Number::Kind::character:
    return number.size == 1 ? "char" : number.size == 2 ? "char16_t" : "char32_t";
  default:
    break;
  }
  switch (number.size) {
  case 1:
    return with_sign ? "signed char" : "unsigned char";
  case 2:
    return with_sign ? "short" : "unsigned short";
  case 4:
    return with_sign ? "int" : "unsigned int";
  case 16:
    return with_sign ? "__int128" : "unsigned __int128";
  default:
    return with_sign ? "long" : "unsigned long";
  }
}

} // namespace

Result<Value> NativeOperations::member(const Value &value, std::string_view name, ValueEnvironment &environment) const {
  auto object = with_members(value, environment);
  if (!object)
    return object;
  if (const std::size_t colons = end_of_scope(name); colons != std::string_view::npos)
    return member_of_base(*object, name.substr(0, colons), name.substr(colons + 2), environment);
  auto found = find_member(*object, name, environment);
  if (!found)
    return std::unexpected(found.error());
  if (*found)
    return **found;
  if (auto tuple_field = find_member(*object, fmt::format("__{}", name), environment); tuple_field && *tuple_field)
    return **tuple_field; // Rust's x.0
  if (auto shared = find_static_member(*object, name, environment))
    return *shared;
  // What the object really is may have it.
  if (const auto whole = dynamic_object(*object, environment)) {
    found = find_member(*whole, name, environment);
    if (found && *found)
      return **found;
  }
  // What a smart pointer or an optional leads to, as their -> does.
  if (const auto target = native_dereference(*object, environment))
    if (const auto pointee = with_members(*target, environment)) {
      found = find_member(*pointee, name, environment);
      if (found && !*found)
        found = find_member(*pointee, fmt::format("__{}", name), environment);
      if (found && *found)
        return **found;
    }
  return std::unexpected(no_member(*object, name, environment));
}

std::vector<std::string> NativeOperations::member_names(const Value &value, ValueEnvironment &environment) const {
  const auto object = with_members(value, environment);
  return object ? all_member_names(environment.types.underlying(object->type.native), environment)
                : std::vector<std::string>();
}

Result<Value> NativeOperations::element(const Value &value, const Value &index, ValueEnvironment &environment) const {
  return native_element(value, index, environment);
}

Result<Value> NativeOperations::slice(const Value &value, std::uint64_t low, std::optional<std::uint64_t> high,
                                      ValueEnvironment &environment) const {
  return native_slice(value, low, high, environment);
}

Result<Value> NativeOperations::dereference(const Value &value, ValueEnvironment &environment) const {
  return native_dereference(value, environment);
}

Result<Value> NativeOperations::address_of(const Value &given, ValueEnvironment &environment) const {
  const Value value = without_references(given, environment);
  if (value.bits)
    return std::unexpected(Error(ErrorKind::usage, "a bit-field has no address"));
  if (!value.source && !value.missing.empty())
    return std::unexpected(missing_error(value));
  const auto address = value.source ? value.source->address() : std::nullopt;
  if (!address)
    return std::unexpected(Error(ErrorKind::usage, value.register_number ? "it is in a register, not in memory"
                                                                         : "it is not in memory, so has no address"));
  return computed_value(low_bytes(address->value, 8), environment.types.pointer_to(value.type.native), value.language);
}

Result<Value> NativeOperations::cast(const Value &value, const ValueType &type, ValueEnvironment &environment) const {
  if (value.type.go != nullptr || type.go != nullptr)
    return std::unexpected(Error(ErrorKind::usage, "Go's types and others are not converted into each other"));
  return cast_native(value, type.native, environment);
}

Result<Value> NativeOperations::assert_type(const Value &value, const ValueType &type,
                                            ValueEnvironment &environment) const {
  if (value.type.go != nullptr || type.go != nullptr)
    return std::unexpected(Error(ErrorKind::usage, "Go's types and others are not converted into each other"));
  return assert_native(value, type.native, environment);
}

Result<std::uint64_t> NativeOperations::length(const Value &value, ValueEnvironment &environment) const {
  return native_length(value, environment);
}

Result<std::uint64_t> NativeOperations::capacity(const Value &value, ValueEnvironment &environment) const {
  return native_capacity(value, environment);
}

Result<Number> NativeOperations::number(const Value &value, ValueEnvironment &environment) const {
  auto number = native_number(value, environment);
  if (number || number.error().kind() != ErrorKind::usage)
    return number;
  // An atomic, a smart pointer, a duration: one value in a wrapping.
  const Value object = without_references(value, environment);
  if (const auto view = view_of(object, {0, 1}, environment);
      view && view->shape == LibraryView::Shape::single && view->problem.empty() && view->children.size() == 1 &&
      scalar_kind(environment.types.underlying(view->children.front().value.type.native)) != ScalarKind::none)
    return native_number(view->children.front().value, environment);
  return std::unexpected(Error(
      ErrorKind::usage, fmt::format("{} is not a number", inspect::type_name(environment.types, value.type.native))));
}

Result<std::string> NativeOperations::text(const Value &value, std::size_t limit, ValueEnvironment &environment) const {
  return native_string(value, limit, environment);
}

Result<std::vector<std::byte>> NativeOperations::encode(const Number &number, const ValueType &type,
                                                        ValueEnvironment &environment) const {
  return encode_number(number, type.native, environment);
}

ValueType NativeOperations::pointer_to(const ValueType &type, ValueEnvironment &environment) const {
  return {.native = environment.types.pointer_to(type.native)};
}

ValueType NativeOperations::type_of_number(const Number &number, ValueEnvironment &environment) const {
  TypeReader &types = environment.types;
  if (number.kind == Number::Kind::address)
    return {.native = types.pointer_to({})};
  return {.native = *predeclared_type(number_type_name(number), SourceLanguage::c, types)};
}

std::optional<std::uint64_t> NativeOperations::size_of(const ValueType &type, ValueEnvironment &environment) const {
  return environment.types.size_of(type.native);
}

std::string NativeOperations::type_name(const ValueType &type, ValueEnvironment &environment) const {
  return inspect::type_name(environment.types, type.native);
}

std::string NativeOperations::type_definition(const ValueType &type, ValueEnvironment &environment) const {
  return native_type_definition(type.native, environment);
}

const ValueOperations &native_operations() {
  static const NativeOperations operations;
  return operations;
}

} // namespace inspect
