#include "tests/values/test_scopes.h"

#include "values/native/predeclared_types.h"
#include "values/value_operations.h"

#include <fmt/format.h>

namespace inspect::test {

std::optional<TypeHandle> number_type(std::string_view name, TypeReader &types) {
  const auto type = predeclared_type(name, SourceLanguage::c, types);
  return type ? type : foreign_type(name, types);
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
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("'{}' is not a register", name)));
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
