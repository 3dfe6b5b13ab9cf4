#include "values/native/dynamic_type.h"

#include "dwarf/symbols/symbol_table.h"
#include "values/native/native_layout.h"
#include "values/native/native_members.h"
#include "values/native/symbol_text.h"

namespace inspect {
namespace {

constexpr int max_base_depth = 32;
/// Objects are not larger.
constexpr std::int64_t max_object = std::int64_t{1} << 32;
constexpr std::size_t max_type_name = 4096;
constexpr std::string_view table_prefix = "_ZTV";

bool is_table_pointer(const DwarfMember &member) {
  return member.name.starts_with("_vptr");
}

/// Where in the object a pointer to a virtual table lies: the first base that has one shares it with its class.
std::optional<Value> table_pointer(const Value &object, ValueEnvironment &environment, int depth, int &steps) {
  const DwarfType &type = environment.types.underlying(object.type.native);
  if (depth >= max_base_depth || ++steps > 1000 || !is_structure(type))
    return std::nullopt;
  for (const DwarfMember &member : type.members)
    if (!member.is_base && is_table_pointer(member))
      return part_of(object, member.offset, member.type, environment);
  for (const DwarfMember &member : type.members) {
    if (!member.is_base)
      continue;
    // A class with a virtual base has a table even where it has no virtual function.
    if (member.is_virtual)
      return part_of(object, 0, environment.types.pointer_to({}), environment);
    const auto base = part_of(object, member.offset, member.type, environment);
    if (auto found = table_pointer(base, environment, depth + 1, steps))
      return found;
  }
  return std::nullopt;
}

struct RealClass {
  std::string name;
  RunAddress object;
};

/// The class' name by its type information, which stripped programs keep too.
std::optional<std::string> name_by_type_information(RunAddress table, ValueEnvironment &environment) {
  const auto information = read_word(environment.memory, table - 8);
  const auto name = information ? read_word(environment.memory, RunAddress{*information} + 8) : information;
  if (!name || *information == 0)
    return std::nullopt;
  auto mangled = read_c_string(environment.memory, RunAddress{*name}, max_type_name);
  if (!mangled || mangled->empty())
    return std::nullopt;
  if (mangled->front() == '*') // only this module's: to be compared by address
    mangled->erase(0, 1);
  const std::string symbol = "_ZTS" + *mangled;
  const std::string demangled = demangle(symbol);
  constexpr std::string_view what = "typeinfo name for ";
  if (!demangled.starts_with(what))
    return std::nullopt;
  return demangled.substr(what.size());
}

std::optional<std::string> name_by_symbol(RunAddress table, ValueEnvironment &environment) {
  const auto place = symbol_place(table, environment);
  constexpr std::string_view what = "vtable for ";
  if (!place || !place->mangled.starts_with(table_prefix) || !place->name.starts_with(what))
    return std::nullopt;
  // An address within a table is the start of its functions only where the class' type information is before it; there
  // is none where it was compiled without.
  const auto information = read_word(environment.memory, table - 8);
  const auto described = information ? symbol_place(RunAddress{*information}, environment) : std::nullopt;
  const bool is_start = information && (*information == 0 || (described && described->offset == 0 &&
                                                              described->mangled == "_ZTI" + place->mangled.substr(4)));
  if (!is_start)
    return std::nullopt;
  return place->name.substr(what.size());
}

std::optional<RealClass> real_class(const Value &object, ValueEnvironment &environment) {
  int steps = 0;
  const auto pointer = table_pointer(object, environment, 0, steps);
  if (!pointer || !pointer->source || !pointer->source->address())
    return std::nullopt;
  const auto table = pointer->source->unsigned_at(0, 8);
  // Tables are in a module's read-only data: what leads elsewhere is not an object, or one that is gone.
  if (!table || environment.modules.find(RunAddress{*table}) == nullptr)
    return std::nullopt;
  const auto to_top = read_value<std::int64_t>(environment.memory, RunAddress{*table} - 16);
  if (!to_top || *to_top > 0 || *to_top < -max_object)
    return std::nullopt;
  auto name = name_by_symbol(RunAddress{*table}, environment);
  if (!name)
    name = name_by_type_information(RunAddress{*table}, environment);
  if (!name)
    return std::nullopt;
  return RealClass{*name, *pointer->source->address() + static_cast<std::uint64_t>(*to_top)};
}

bool polymorphic(const DwarfType &type, ValueEnvironment &environment, int depth, int &steps) {
  if (depth >= max_base_depth || ++steps > 1000 || !is_structure(type))
    return false;
  for (const DwarfMember &member : type.members) {
    if (member.is_virtual || (!member.is_base && is_table_pointer(member)))
      return true;
    if (member.is_base && polymorphic(environment.types.underlying(member.type), environment, depth + 1, steps))
      return true;
  }
  return false;
}

} // namespace

bool is_polymorphic(const DwarfType &type, ValueEnvironment &environment) {
  int steps = 0;
  return polymorphic(type, environment, 0, steps);
}

std::optional<std::string> dynamic_class(const Value &object, ValueEnvironment &environment) {
  const auto real = real_class(object, environment);
  return real ? std::optional(real->name) : std::nullopt;
}

std::optional<Value> dynamic_object(const Value &object, ValueEnvironment &environment) {
  const auto real = real_class(object, environment);
  if (!real)
    return std::nullopt;
  const DwarfType &known = environment.types.underlying(object.type.native);
  const auto address = object.source->address();
  if (environment.types.qualified_name(object.type.native) == real->name && address == real->object)
    return std::nullopt;
  if (!environment.find_type)
    return std::nullopt;
  const auto type = environment.find_type(real->name, SourceLanguage::cpp);
  if (!type || type->go != nullptr)
    return std::nullopt;
  const DwarfType &found = environment.types.underlying(type->native);
  if (!is_structure(found) || found.is_declaration)
    return std::nullopt;
  Value whole = value_at(real->object, type->native, object.language, environment);
  // What is found must have what is known as a base at that place, else it is another class of that name.
  const auto part = find_base(whole, known, environment);
  if (!part || !*part || !(*part)->source || (*part)->source->address() != address)
    return std::nullopt;
  return whole;
}

} // namespace inspect
