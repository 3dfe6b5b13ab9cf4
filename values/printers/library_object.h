// An object of a library as its printer looks at it: members by their names, read only where the type really has them
// with the kind and size that the printer expects. Every step answers nothing where it does not fit, so that a printer
// is a chain of steps and gives up as a whole.
//
//     const LibraryObject vector(value, environment);
//     const auto begin = vector.pointer({"_M_impl._M_start", "__begin_"});
//     if (!begin) return std::nullopt;                       // no vector that we know
//     … vector.at(begin->address, begin->target).value() …
#pragma once

#include "values/printers/library_view.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct TypedPointer {
  RunAddress address;
  TypeHandle target;
};

class LibraryObject {
public:
  /// `value.source` must be there. The environment must outlive the object.
  LibraryObject(const Value &value, ValueEnvironment &environment);
  LibraryObject(const TypeHandle &type, ValueSource source, SourceLanguage language, ValueEnvironment &environment);

  /// What a path from member to member leads to, "_M_impl._M_start". Each step is by name, of bases (but virtual ones)
  /// and anonymous members too: the first one found, own ones before those of bases. Where libc++ up to version 19 has
  /// a pair of a value and a class that mostly takes no room, the value stands for the pair.
  std::optional<LibraryObject> member(std::string_view path) const;
  /// Of these paths the first that leads anywhere: what differs from library to library, and from version to version.
  std::optional<LibraryObject> member(std::initializer_list<std::string_view> paths) const;
  bool has(std::string_view path) const { return member(path).has_value(); }
  /// The class that is in such a pair (libc++ 19, __memory/compressed_pair.h) with the member's value.
  std::optional<LibraryObject> paired_with(std::string_view name) const;
  /// Where the member is, in bytes from the start.
  std::optional<std::uint64_t> offset_of(std::string_view name) const;
  /// The base class at this place among the bases; nothing of virtual ones.
  std::optional<LibraryObject> base(std::size_t index) const;
  std::size_t base_count() const;

  /// An integer's, boolean's or enumeration's bits, zero-extended.
  std::optional<std::uint64_t> number() const;
  std::optional<std::int64_t> signed_number() const;
  std::optional<TypedPointer> pointer() const;
  /// Of the member that the path leads to, or the first of these paths that leads anywhere.
  std::optional<std::uint64_t> number(std::string_view path) const { return number({path}); }
  std::optional<std::uint64_t> number(std::initializer_list<std::string_view> paths) const;
  std::optional<TypedPointer> pointer(std::string_view path) const { return pointer({path}); }
  std::optional<TypedPointer> pointer(std::initializer_list<std::string_view> paths) const;

  /// Behind typedefs and qualifiers.
  const DwarfType &type() const;
  const TypeHandle &handle() const { return handle_; }
  std::optional<std::uint64_t> size() const;
  /// The template's argument at this place, where it is a type. GCC leaves the arguments of some types out: then those
  /// in the type's name, as far as types of such names are found.
  std::optional<TypeHandle> type_argument(std::size_t index) const;
  /// Where it is a number.
  std::optional<std::int64_t> value_argument(std::size_t index) const;
  std::size_t argument_count() const;
  /// What `operator*` returns a reference to: of iterators.
  std::optional<TypeHandle> dereferenced_type() const;

  /// Where the class is only declared, as clang has it for those whose functions are all in a library: its first and
  /// only member, which is of this type of the C library's.
  std::optional<LibraryObject> declared_as(std::string_view c_type) const;
  /// The same place as another type.
  LibraryObject as(const TypeHandle &type) const;
  /// Another object.
  LibraryObject at(RunAddress address, const TypeHandle &type) const;
  Value value() const;
  const ValueSource &source() const { return source_; }
  std::optional<RunAddress> address() const { return source_.address(); }
  ValueEnvironment &environment() const { return *environment_; }

private:
  struct Place {
    TypeHandle type;
    std::uint64_t offset = 0;
  };
  std::optional<Place> find(const TypeHandle &type, std::string_view name, int depth, int &budget) const;
  LibraryObject part(const DwarfMember &member) const;
  std::optional<LibraryObject> step_to(std::string_view name) const;
  bool is_pair() const { return type().name.starts_with("__compressed_pair"); }
  std::optional<LibraryObject> part_of_pair(std::size_t index) const;
  std::vector<std::string> arguments_in_name() const;
  std::optional<TypeHandle> type_named(std::string_view name) const;

  TypeHandle handle_;
  ValueSource source_;
  SourceLanguage language_;
  ValueEnvironment *environment_;
};

inline LibraryView single_view(std::string label, std::string child_name, const LibraryObject &child) {
  return single_view(std::move(label), std::move(child_name), child.value());
}

/// Bytes of a value of this type; 0 where there is no type, or it does not say.
std::uint64_t bytes_of(const std::optional<TypeHandle> &type, ValueEnvironment &environment);

/// What the ABI aligns a type to (System V psABI for x86-64, table 3.1), as far as DWARF lets one know: alignas is
/// seen on none but the members' types.
std::uint64_t alignment_of(TypeReader &types, const TypeHandle &type);
constexpr std::uint64_t round_up(std::uint64_t number, std::uint64_t alignment) {
  return alignment < 2 ? number : (number + alignment - 1) / alignment * alignment;
}
/// A value that is nowhere in memory, as a bit of a vector<bool>: `bits` as this type.
Value made_value(const TypeHandle &type, std::uint64_t bits, SourceLanguage language, ValueEnvironment &environment);

} // namespace inspect
