#include "values/native/static_members.h"

#include "dwarf/types/type_name.h"
#include "values/native/native_layout.h"
#include "values/native/symbol_text.h"

#include <fmt/format.h>

namespace inspect {
namespace {

constexpr int max_depth = 16;

/// "_ZN2ns5Class6memberE" of "ns::Class::member" (Itanium C++ ABI, 5.1.2); nothing of templates, whose arguments DWARF
/// does not have as the linker does.
std::optional<std::string> mangled(std::string_view qualified) {
  if (qualified.find_first_of("<( ") != std::string_view::npos)
    return std::nullopt;
  std::string text = "_ZN";
  while (!qualified.empty()) {
    const std::size_t end = std::min(qualified.find("::"), qualified.size());
    text += fmt::format("{}{}", end, qualified.substr(0, end));
    qualified.remove_prefix(std::min(end + 2, qualified.size()));
  }
  return text + "E";
}

Value value_of(const DwarfStaticMember &member, SourceLanguage language, ValueEnvironment &environment) {
  const StaticVariable variable = static_variable(member);
  if (variable.constant) {
    const std::uint64_t size = environment.types.size_of(member.type).value_or(8);
    std::vector<std::byte> bytes(static_cast<std::size_t>(std::min<std::uint64_t>(size, 16)));
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::byte>(*variable.constant >> (8 * std::min<std::size_t>(i, 7)) & 0xff);
    return computed_value(std::move(bytes), member.type, language);
  }
  const auto symbol =
      variable.linkage_name.empty() ? mangled(qualified_name(member.die)) : std::optional(variable.linkage_name);
  const auto address = symbol ? address_of_symbol(*symbol, environment) : std::nullopt;
  return address ? value_at(*address, member.type, language, environment)
                 : missing_value({.native = member.type}, language, "no symbol says where the variable is");
}

std::optional<Value> find(const TypeHandle &type, std::string_view name, SourceLanguage language, int depth,
                          ValueEnvironment &environment) {
  const DwarfType &known = environment.types.underlying(type);
  if (depth >= max_depth || !is_structure(known))
    return std::nullopt;
  for (const DwarfStaticMember &member : known.static_members)
    if (member.name == name)
      return value_of(member, language, environment);
  for (const DwarfMember &member : known.members)
    if (member.is_base)
      if (auto found = find(member.type, name, language, depth + 1, environment))
        return found;
  return std::nullopt;
}

} // namespace

std::optional<Value> find_static_member(const Value &object, std::string_view name, ValueEnvironment &environment) {
  return find(object.type.native, name, object.language, 0, environment);
}

} // namespace inspect
