// Types as DWARF describes them, of any language, as plain data: one DIE at a time, on demand, because the types that
// one parameter leads to may be half of the program's. What a type refers to is a TypeHandle, which is read when it is
// wanted; types that refer to each other in a circle do no harm.
//
//     TypeReader types;
//     const DwarfType &type = types.underlying(parameter.type);       // without typedefs and qualifiers
//     for (const DwarfMember &member : type.members) … types.read(member.type).name …
//
// Sources: DWARF 5 section 5 (types), 5.7.6 (data members), 5.7.10 (variants), 5.13 (arrays), 2.13 (incomplete
// declarations), 2.23 (template parameters; packs are GNU's DW_TAG_GNU_template_parameter_pack); Go's own attributes:
// cmd/internal/dwarf/dwarf.go.
#pragma once

#include <cstdint>
#include <elfutils/libdw.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct DwarfType;

/// A type that has not been read yet, or one that TypeReader made; with neither it is C's void.
struct TypeHandle {
  std::optional<Dwarf_Die> die;
  const DwarfType *made = nullptr; ///< owned by the TypeReader that made it

  bool is_void() const { return !die && made == nullptr; }
};

enum class DwarfTypeKind : std::uint8_t {
  unknown, ///< no DIE, or one that is not a type
  base,
  pointer,
  reference,
  rvalue_reference,
  member_pointer,
  structure,
  class_type,
  union_type,
  array,
  enumeration,
  alias,     ///< typedef
  qualified, ///< const, volatile, restrict, _Atomic, …
  subroutine,
  unspecified, ///< decltype(nullptr)
};

/// DW_ATE_…: what DwarfType::encoding holds (DWARF 5, table 7.11).
struct TypeEncoding {
  static constexpr std::uint64_t boolean = 0x02;
  static constexpr std::uint64_t complex_float = 0x03;
  static constexpr std::uint64_t floating = 0x04;
  static constexpr std::uint64_t signed_integer = 0x05;
  static constexpr std::uint64_t signed_character = 0x06;
  static constexpr std::uint64_t unsigned_integer = 0x07;
  static constexpr std::uint64_t unsigned_character = 0x08;
  static constexpr std::uint64_t decimal_float = 0x0f;
  static constexpr std::uint64_t utf = 0x10; ///< char8_t, char16_t, char32_t, Rust's char
};

enum class DwarfAccess : std::uint8_t { unsaid, public_access, protected_access, private_access };

struct DwarfMember {
  std::string name; ///< empty: anonymous
  TypeHandle type;
  std::uint64_t offset = 0;              ///< bytes from the start of the type
  std::optional<std::uint64_t> bit_size; ///< of a bit-field
  std::uint64_t bit_offset = 0;          ///< of a bit-field: from the start of the type, lowest bit first
  bool is_base = false;                  ///< a base class
  bool go_embedded = false;              ///< an embedded field of Go's
  bool is_virtual = false;               ///< a virtual base: `offset` means nothing, it must be looked up in the object
  /// Of a virtual base: how many bytes before the place that the object's vptr leads to its offset stands.
  std::optional<std::uint64_t> virtual_base_slot = {};
  bool is_artificial = false; ///< the compiler's: "_vptr.Base", Rust's discriminants
  DwarfAccess access = DwarfAccess::unsaid;
  std::size_t place = 0; ///< among the type's members of all kinds, as they are declared
};

/// A static data member: its variable is elsewhere.
struct DwarfStaticMember {
  std::string name;
  TypeHandle type;
  Dwarf_Die die;
  DwarfAccess access = DwarfAccess::unsaid;
  std::size_t place = 0; ///< as a DwarfMember's
};

/// What the member's declaration says of it.
struct StaticVariable {
  std::string linkage_name;              ///< empty: not said
  std::optional<std::uint64_t> constant; ///< of constexpr ones
  std::vector<std::byte> bytes;          ///< the same of those that are no integers; empty: not said
};
StaticVariable static_variable(const DwarfStaticMember &member);

struct DwarfMethod {
  std::string name;
  TypeHandle type; ///< the function's own DIE, which reads as a subroutine
  bool is_virtual = false;
  bool is_static = false;                    ///< without an object
  std::optional<std::uint64_t> virtual_slot; ///< of a virtual one: its place in the virtual table, from 0
  bool is_artificial = false;
  DwarfAccess access = DwarfAccess::unsaid;
};

/// One shape of a type with variants, as Rust's enumerations are. The member's type is a structure which has its fields
/// counted from the start of the whole type.
struct DwarfVariant {
  struct Discriminants {
    unsigned __int128 low = 0;
    unsigned __int128 high = 0; ///< inclusive
  };
  std::vector<Discriminants> discriminants; ///< none: the shape of all values that no other variant names
  DwarfMember member;
};

struct DwarfVariantPart {
  std::optional<DwarfMember> discriminant; ///< none: there is one variant only
  std::vector<DwarfVariant> variants;
};

struct DwarfEnumerator {
  std::string name;
  std::int64_t value = 0; ///< of an unsigned type: the same bits
};

/// What a C++ template was instantiated with; of parameter packs each of theirs, in order.
struct DwarfTemplateArgument {
  std::string name;                  ///< of the parameter; empty in packs
  TypeHandle type;                   ///< the argument itself, or where `is_value` what type its value has
  bool is_value = false;             ///< std::array's size
  std::optional<std::int64_t> value; ///< of an integer; none: DWARF does not say it, as of pointers
};

/// What Go's compiler adds.
struct GoTypeAttributes {
  std::uint8_t kind = 0;                     ///< reflect.Kind
  TypeHandle key;                            ///< of a map
  TypeHandle element;                        ///< of a map, slice, channel
  std::optional<std::uint64_t> runtime_type; ///< from the start of the image's runtime types
};

struct DwarfType {
  DwarfTypeKind kind = DwarfTypeKind::unknown;
  std::string name;                       ///< of a qualifier "const", …; without namespaces
  std::optional<std::uint64_t> byte_size; ///< none: not said, as of arrays, typedefs and qualifiers
  std::uint64_t encoding = 0;             ///< DW_ATE_…, of a base type
  TypeHandle target; ///< of pointers, references, arrays (their element), enumerations (their integer), aliases,
                     ///< qualifiers, subroutines (what they return)
  std::vector<DwarfMember> members;
  std::vector<std::optional<std::uint64_t>> dimensions; ///< of an array; none: not known
  std::vector<DwarfEnumerator> enumerators;
  std::vector<TypeHandle> parameters; ///< of a subroutine
  std::vector<DwarfTemplateArgument> template_arguments;
  bool is_variadic = false; ///< a subroutine with … at the end
  bool is_method = false;   ///< a subroutine whose first parameter is `this`
  bool is_scoped = false;   ///< an enumeration whose names need its own in front
  bool is_vector = false;   ///< an array that is a SIMD register's content
  TypeHandle container;     ///< of member pointers: the class
  std::vector<DwarfStaticMember> static_members;
  std::vector<DwarfMethod> methods;
  std::optional<DwarfVariantPart> variants;
  std::optional<std::uint64_t> bit_size; ///< of a base type which does not use all of its bytes
  std::uint64_t language = 0;            ///< DW_LANG_… of its unit
  bool is_declaration = false;           ///< and nothing in its unit defines it
  std::optional<GoTypeAttributes> go;
};

class TypeReader {
public:
  TypeReader();
  ~TypeReader();
  TypeReader(const TypeReader &) = delete;
  TypeReader &operator=(const TypeReader &) = delete;

  /// Kept: the reference lives as long as this object. Of a mere declaration, the definition in its unit or its type
  /// unit where there is one.
  const DwarfType &read(const TypeHandle &handle);
  /// Behind typedefs and qualifiers; of a circle of them, a type of kind unknown.
  const DwarfType &underlying(const TypeHandle &handle);
  /// How many bytes a value has, arrays and typedefs included; nothing where the file does not say.
  std::optional<std::uint64_t> size_of(const TypeHandle &handle);

  /// dwarf/types/type_name.h's, kept for each type.
  const std::string &qualified_name(const TypeHandle &handle);

  /// Types that expressions need and no DIE may describe; equal parts give the same type.
  TypeHandle pointer_to(const TypeHandle &target);
  TypeHandle array_of(const TypeHandle &element, std::uint64_t length, std::string_view name = {});
  /// The structure with another type and place of one of its members: what a type of no fixed size is where it is
  /// known how large it is. The DIE stays, so that names are the same.
  TypeHandle with_member(const TypeHandle &structure, std::size_t index, const TypeHandle &type, std::uint64_t offset,
                         std::uint64_t byte_size);
  /// A pointer to a member of the class: int A::*, void (A::*)(int).
  TypeHandle member_pointer_to(const TypeHandle &target, const TypeHandle &container);
  /// `qualifier`: "const", "volatile".
  TypeHandle qualified(const TypeHandle &target, std::string_view qualifier);
  TypeHandle function_of(const TypeHandle &returned, std::vector<TypeHandle> parameters, bool is_variadic);
  TypeHandle reference_to(const TypeHandle &target);
  /// `encoding`: DW_ATE_…; `language`: DW_LANG_…, where the name is one language's alone.
  TypeHandle base_type(std::string_view name, std::uint64_t encoding, std::uint64_t byte_size,
                       std::uint64_t language = 0);

private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Whether DwarfType::language is Rust's.
bool is_rust_language(std::uint64_t language);
/// Whether it is some version of C, where the names of structures need "struct" in front.
bool is_c_language(std::uint64_t language);

/// The type that a DIE's DW_AT_type, or that of the DIEs it refers to for its description, names.
TypeHandle type_of(Dwarf_Die die);

} // namespace inspect
