#include "tests/values/test_scopes.h"

#include "values/value_operations.h"

#include <array>
#include <fmt/format.h>

namespace inspect::test {
namespace {

struct NumberType {
  std::string_view name;
  std::uint64_t encoding;
  std::uint64_t size;
};

constexpr auto number_types = std::to_array<NumberType>({
    {"char", TypeEncoding::signed_character, 1},
    {"signed char", TypeEncoding::signed_character, 1},
    {"unsigned char", TypeEncoding::unsigned_character, 1},
    {"short", TypeEncoding::signed_integer, 2},
    {"unsigned short", TypeEncoding::unsigned_integer, 2},
    {"int", TypeEncoding::signed_integer, 4},
    {"unsigned int", TypeEncoding::unsigned_integer, 4},
    {"long", TypeEncoding::signed_integer, 8},
    {"unsigned long", TypeEncoding::unsigned_integer, 8},
    {"long long", TypeEncoding::signed_integer, 8},
    {"unsigned long long", TypeEncoding::unsigned_integer, 8},
    {"bool", TypeEncoding::boolean, 1},
    {"float", TypeEncoding::floating, 4},
    {"double", TypeEncoding::floating, 8},
    {"long double", TypeEncoding::floating, 16},
    {"uint32", TypeEncoding::unsigned_integer, 4},
    {"u8", TypeEncoding::unsigned_integer, 1},
    {"i16", TypeEncoding::signed_integer, 2},
    {"i32", TypeEncoding::signed_integer, 4},
    {"u32", TypeEncoding::unsigned_integer, 4},
    {"i64", TypeEncoding::signed_integer, 8},
    {"u64", TypeEncoding::unsigned_integer, 8},
    {"f32", TypeEncoding::floating, 4},
    {"f64", TypeEncoding::floating, 8},
});

} // namespace

std::optional<TypeHandle> number_type(std::string_view name, TypeReader &types) {
  for (const NumberType &type : number_types)
    if (type.name == name)
      return types.base_type(type.name, type.encoding, type.size);
  return std::nullopt;
}

Result<Value> TableScope::find(std::string_view name) {
  if (name.starts_with("::"))
    name.remove_prefix(2);
  const auto found = values_.find(name);
  if (found == values_.end())
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("nothing here is named '{}'", name)));
  return found->second;
}

Result<ValueType> TableScope::find_type(std::string_view name) {
  if (language_ == SourceLanguage::go)
    if (const GoType *type = environment_.go->pool->predeclared(name))
      return ValueType{.native = {}, .go = type};
  if (const auto type = number_type(name, environment_.types))
    return ValueType{.native = *type};
  if (environment_.find_type)
    if (const auto type = environment_.find_type(name, language_))
      return *type;
  return std::unexpected(Error(ErrorKind::not_found, fmt::format("there is no type '{}'", name)));
}

Result<Value> TableScope::find_register(std::string_view name) {
  if (name != "rax" && name != "RAX")
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("'{}' is no register", name)));
  auto image = std::make_shared<ValueImage>(8);
  image->set(0, 0x1122334455667788, 8);
  return Value{.type = {.native = *number_type("long", environment_.types)},
               .language = language_,
               .source = ValueSource::of_image(std::move(image)),
               .missing = {},
               .bits = {},
               .register_number = 0};
}

} // namespace inspect::test
