// Finds members in structures: its own, those of anonymous members, those of base classes, of which virtual ones must
// be looked up in the object; and static ones, which are variables under a name that the linker knows.
//
// Source: Itanium C++ ABI, sections 2.4 (layout of classes) and 2.5 (virtual tables: offsets of virtual bases).
#pragma once

#include "machine/error.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// The part of `object`, a structure, that the member describes; a bit-field's has `bits`. Of a virtual base unreadable
/// where the object's vptr leads nowhere.
Result<Value> member_value(const Value &object, const DwarfMember &member, ValueEnvironment &environment);
/// By name, as C++ looks it up: own members hide those of bases. Nothing where there is none of that name.
Result<std::optional<Value>> find_member(const Value &object, std::string_view name, ValueEnvironment &environment);
/// A base class of `object`'s by its type, itself included; nothing where it is none.
Result<std::optional<Value>> find_base(const Value &object, const DwarfType &base, ValueEnvironment &environment);
/// How many bytes after the start of `derived` its base lies; nothing where it is none, or a virtual one.
std::optional<std::uint64_t> base_offset(const DwarfType &derived, const DwarfType &base,
                                         ValueEnvironment &environment);
/// A static data member of the object's class or its bases. Nothing where none is called so; a value that is missing
/// where its variable is not found.
std::optional<Value> find_static_member(const Value &object, std::string_view name, ValueEnvironment &environment);
/// The value of a static data member; missing where its variable is not found.
Value static_member_value(const DwarfStaticMember &member, SourceLanguage language, ValueEnvironment &environment);
/// The part of the object that is of this class, by the class' name as one writes it ("Base", "ns::Base<int>"): the
/// object itself, or a base of it. Nothing where it has none of the name.
Result<std::optional<Value>> find_base_named(const Value &object, std::string_view name, ValueEnvironment &environment);
/// A data member for pointers to members: which it is, in which class, how many bytes from the start of `type`.
struct MemberPlace {
  DwarfMember member;
  TypeHandle owner; ///< the class or the base that has it
  std::uint64_t offset = 0;
};
/// By name; none of virtual bases.
std::optional<MemberPlace> member_place(const TypeHandle &type, std::string_view name, ValueEnvironment &environment);
/// The member that begins at this offset, in the class or its bases.
std::optional<MemberPlace> member_at_offset(const TypeHandle &type, std::uint64_t offset,
                                            ValueEnvironment &environment);
/// All names that find_member would find, each once.
std::vector<std::string> all_member_names(const DwarfType &type, ValueEnvironment &environment);
/// The same class: one DIE, or two that have one name and size, as each unit has a description of its own.
bool is_same_type(const TypeHandle &one, const TypeHandle &other, ValueEnvironment &environment);
bool is_same_class(const DwarfType &one, const DwarfType &other);

} // namespace inspect
