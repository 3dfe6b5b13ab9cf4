#include "values/native/native_members.h"

#include "dwarf/raw/names/name_spelling.h"
#include "dwarf/types/type_name.h"
#include "values/native/native_layout.h"
#include "values/native/symbol_text.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

__extension__ using Wide = __int128;

/// Classes derive a dozen deep; descriptions that derive a class from itself end here.
constexpr int max_depth = 32;
constexpr int max_steps = 20'000;
constexpr std::size_t max_names = 4096;
/// A class larger than that has no virtual base so far away.
constexpr std::int64_t max_base_distance = std::int64_t{1} << 40;

Result<Value> virtual_base(const Value &object, const DwarfMember &base, ValueEnvironment &environment) {
  const std::string &name = environment.types.underlying(base.type).name;
  if (!object.source)
    return std::unexpected(missing_error(object));
  if (!base.virtual_base_slot)
    return std::unexpected(
        Error(ErrorKind::unsupported, fmt::format("the file does not say where the virtual base {} is", name)));
  const auto vptr = object.source->unsigned_at(0, 8);
  if (!vptr)
    return std::unexpected(unreadable_error(object, environment));
  const auto offset = read_value<std::int64_t>(environment.memory, RunAddress{*vptr} - *base.virtual_base_slot);
  if (!offset || *offset > max_base_distance || *offset < -max_base_distance)
    return std::unexpected(
        Error(ErrorKind::unreadable,
              fmt::format("the virtual base {} is not to be found: no virtual table at 0x{:x}", name, *vptr)));
  if (const auto address = object.source->address())
    return value_at(*address + static_cast<std::uint64_t>(*offset), base.type, object.language, environment);
  if (*offset < 0)
    return std::unexpected(Error(ErrorKind::unreadable, fmt::format("the virtual base {} is not in memory", name)));
  return part_of(object, static_cast<std::uint64_t>(*offset), base.type, environment);
}

class MemberSearch {
public:
  explicit MemberSearch(ValueEnvironment &environment) : environment_(environment) {}

  Result<std::optional<Value>> named(const Value &object, std::string_view name, int depth) {
    const DwarfType &type = environment_.types.underlying(object.type.native);
    if (depth >= max_depth || ++steps_ > max_steps || !is_structure(type))
      return std::nullopt;
    for (const DwarfMember &member : type.members)
      if (!member.is_base && member.name == name)
        return some(member_value(object, member, environment_));
    for (const bool bases : {false, true})
      for (const DwarfMember &member : type.members) {
        if (bases ? !member.is_base : member.is_base || !member.name.empty())
          continue;
        auto found = inside(object, member, [&](const Value &part) { return named(part, name, depth + 1); });
        if (!found || *found)
          return found;
      }
    return std::nullopt;
  }

  Result<std::optional<Value>> base(const Value &object, const DwarfType &wanted, int depth) {
    const DwarfType &type = environment_.types.underlying(object.type.native);
    if (is_same_class(type, wanted))
      return object;
    if (depth >= max_depth || ++steps_ > max_steps)
      return std::nullopt;
    for (const DwarfMember &member : type.members) {
      if (!member.is_base)
        continue;
      auto found = inside(object, member, [&](const Value &part) { return base(part, wanted, depth + 1); });
      if (!found || *found)
        return found;
    }
    return std::nullopt;
  }

  Result<std::optional<Value>> base_named(const Value &object, std::string_view name, int depth) {
    if (is_named(object.type.native, name, environment_))
      return object;
    if (depth >= max_depth || ++steps_ > max_steps)
      return std::nullopt;
    for (const DwarfMember &member : environment_.types.underlying(object.type.native).members) {
      if (!member.is_base)
        continue;
      auto found = inside(object, member, [&](const Value &part) { return base_named(part, name, depth + 1); });
      if (!found || *found)
        return found;
    }
    return std::nullopt;
  }

private:
  static bool is_named(const TypeHandle &type, std::string_view name, ValueEnvironment &environment) {
    const std::string &qualified = environment.types.qualified_name(without_aliases(type, environment.types));
    const std::string wanted = canonical_spelling(name);
    const std::string known = canonical_spelling(qualified);
    return known == wanted || known.ends_with("::" + wanted);
  }

  static Result<std::optional<Value>> some(Result<Value> value) {
    if (!value)
      return std::unexpected(value.error());
    return std::optional(std::move(*value));
  }

  /// A part that cannot be reached matters only if what is looked for is in it.
  Result<std::optional<Value>> inside(const Value &object, const DwarfMember &member,
                                      const std::function<Result<std::optional<Value>>(const Value &)> &look) {
    const auto part = member_value(object, member, environment_);
    if (part)
      return look(*part);
    const auto found = look(missing_value({.native = member.type}, object.language, part.error().message()));
    if (found && *found)
      return std::unexpected(part.error());
    return std::nullopt;
  }

  ValueEnvironment &environment_;
  int steps_ = 0;
};

void collect_names(const DwarfType &type, std::vector<std::string> &names, int depth, int &steps,
                   ValueEnvironment &environment) {
  if (depth >= max_depth || ++steps > max_steps || names.size() >= max_names)
    return;
  for (const DwarfMember &member : type.members) {
    if (member.is_base || member.name.empty())
      collect_names(environment.types.underlying(member.type), names, depth + 1, steps, environment);
    else if (std::ranges::find(names, member.name) == names.end())
      names.push_back(member.name);
  }
}

std::optional<std::uint64_t> offset_of_base(const DwarfType &derived, const DwarfType &base, int depth, int &steps,
                                            ValueEnvironment &environment) {
  if (is_same_class(derived, base))
    return 0;
  if (depth >= max_depth || ++steps > max_steps)
    return std::nullopt;
  for (const DwarfMember &member : derived.members) {
    if (!member.is_base || member.is_virtual)
      continue;
    const auto inner = offset_of_base(environment.types.underlying(member.type), base, depth + 1, steps, environment);
    if (inner)
      return member.offset + *inner;
  }
  return std::nullopt;
}

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

using MemberTest = std::function<bool(const DwarfMember &, std::uint64_t)>;

std::optional<MemberPlace> place_of_member(const TypeHandle &type, std::uint64_t base, const MemberTest &wanted,
                                           int depth, int &steps, ValueEnvironment &environment) {
  const DwarfType &known = environment.types.underlying(type);
  if (depth >= max_depth || ++steps > max_steps || !is_structure(known))
    return std::nullopt;
  for (const DwarfMember &member : known.members)
    if (!member.is_base && !member.bit_size && wanted(member, base + member.offset))
      return MemberPlace{member, without_aliases(type, environment.types), base + member.offset};
  for (const DwarfMember &member : known.members)
    if ((member.is_base && !member.is_virtual) || (!member.is_base && member.name.empty()))
      if (auto found = place_of_member(member.type, base + member.offset, wanted, depth + 1, steps, environment))
        return found;
  return std::nullopt;
}

} // namespace

Value static_member_value(const DwarfStaticMember &member, SourceLanguage language, ValueEnvironment &environment) {
  const StaticVariable variable = static_variable(member);
  if (!variable.bytes.empty() && variable.bytes.size() == environment.types.size_of(member.type))
    return computed_value(variable.bytes, member.type, language);
  if (variable.constant) {
    const std::uint64_t size = std::min<std::uint64_t>(environment.types.size_of(member.type).value_or(8), 16);
    const auto bits = static_cast<Wide>(static_cast<std::int64_t>(*variable.constant));
    return computed_value(low_bytes(bits, static_cast<std::size_t>(size)), member.type, language);
  }
  const auto symbol =
      variable.linkage_name.empty() ? mangled(qualified_name(member.die)) : std::optional(variable.linkage_name);
  const auto address = symbol ? address_of_symbol(*symbol, environment) : std::nullopt;
  return address ? value_at(*address, member.type, language, environment)
                 : missing_value({.native = member.type}, language, "no symbol says where the variable is");
}

namespace {

std::optional<Value> static_member(const TypeHandle &type, std::string_view name, SourceLanguage language, int depth,
                                   int &steps, ValueEnvironment &environment) {
  const DwarfType &known = environment.types.underlying(type);
  if (depth >= max_depth || ++steps > max_steps || !is_structure(known))
    return std::nullopt;
  for (const DwarfStaticMember &member : known.static_members)
    if (member.name == name)
      return static_member_value(member, language, environment);
  for (const DwarfMember &member : known.members)
    if (member.is_base)
      if (auto found = static_member(member.type, name, language, depth + 1, steps, environment))
        return found;
  return std::nullopt;
}

} // namespace

Result<Value> member_value(const Value &object, const DwarfMember &member, ValueEnvironment &environment) {
  if (member.is_virtual)
    return virtual_base(object, member, environment);
  if (!member.bit_size)
    return part_of(object, member.offset, member.type, environment);
  Value part = part_of(object, member.bit_offset / 8, member.type, environment);
  // The bytes of the field's declared type may reach behind the structure: only its bits are read.
  if (object.source)
    part.source = object.source->at(member.bit_offset / 8);
  part.bits = BitRange{member.bit_offset % 8, *member.bit_size};
  return part;
}

Result<std::optional<Value>> find_member(const Value &object, std::string_view name, ValueEnvironment &environment) {
  if (name.empty())
    return std::nullopt;
  return MemberSearch(environment).named(object, name, 0);
}

Result<std::optional<Value>> find_base(const Value &object, const DwarfType &base, ValueEnvironment &environment) {
  return MemberSearch(environment).base(object, base, 0);
}

Result<std::optional<Value>> find_base_named(const Value &object, std::string_view name,
                                             ValueEnvironment &environment) {
  return MemberSearch(environment).base_named(object, name, 0);
}

std::optional<MemberPlace> member_place(const TypeHandle &type, std::string_view name, ValueEnvironment &environment) {
  int steps = 0;
  const auto wanted = [name](const DwarfMember &member, std::uint64_t) { return member.name == name; };
  return name.empty() ? std::nullopt : place_of_member(type, 0, wanted, 0, steps, environment);
}

std::optional<MemberPlace> member_at_offset(const TypeHandle &type, std::uint64_t offset,
                                            ValueEnvironment &environment) {
  int steps = 0;
  const auto wanted = [offset](const DwarfMember &member, std::uint64_t place) {
    return place == offset && !member.name.empty() && !member.is_artificial;
  };
  return place_of_member(type, 0, wanted, 0, steps, environment);
}

std::optional<std::uint64_t> base_offset(const DwarfType &derived, const DwarfType &base,
                                         ValueEnvironment &environment) {
  int steps = 0;
  return offset_of_base(derived, base, 0, steps, environment);
}

std::vector<std::string> all_member_names(const DwarfType &type, ValueEnvironment &environment) {
  std::vector<std::string> names;
  int steps = 0;
  collect_names(type, names, 0, steps, environment);
  return names;
}

bool is_same_class(const DwarfType &one, const DwarfType &other) {
  if (&one == &other)
    return true;
  if (!is_structure(one) || !is_structure(other) || one.name.empty() || one.name != other.name)
    return false;
  // One of them may be a mere declaration in its unit, without a size.
  return one.byte_size == other.byte_size || one.is_declaration || other.is_declaration;
}

bool is_same_type(const TypeHandle &one, const TypeHandle &other, ValueEnvironment &environment) {
  const DwarfType &left = environment.types.underlying(one);
  const DwarfType &right = environment.types.underlying(other);
  return &left == &right ||
         (left.kind == right.kind && type_name(environment.types, one) == type_name(environment.types, other));
}

std::optional<Value> find_static_member(const Value &object, std::string_view name, ValueEnvironment &environment) {
  int steps = 0;
  return static_member(object.type.native, name, object.language, 0, steps, environment);
}

} // namespace inspect
