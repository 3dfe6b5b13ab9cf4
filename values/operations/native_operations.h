// The steps that can be taken from a value that DWARF describes, of C, C++, Rust and what else compilers make:
// NativeOperations joins these with native_members and native_numbers to ValueOperations.
#pragma once

#include "machine/error.h"
#include "values/printers/library_view.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <cstdint>
#include <optional>
#include <string>

namespace inspect {

/// What the type means beyond its members: what library_view finds, and what Rust's compiler makes of its own (slices,
/// strings, trait objects). Of the value itself, behind references.
std::optional<LibraryView> view_of(const Value &value, ChildRange wanted, ValueEnvironment &environment);

/// Elements of arrays, of what pointers lead to, and of library containers.
Result<Value> native_element(const Value &value, const Value &index, ValueEnvironment &environment);
Result<Value> native_slice(const Value &value, std::uint64_t low, std::optional<std::uint64_t> high,
                           ValueEnvironment &environment);
/// What a pointer, a reference, a smart pointer or another value that wraps one leads to.
Result<Value> native_dereference(const Value &value, ValueEnvironment &environment);
Result<std::uint64_t> native_length(const Value &value, ValueEnvironment &environment);
Result<std::uint64_t> native_capacity(const Value &value, ValueEnvironment &environment);
/// Of character arrays, pointers to characters, and library strings; in bytes of its encoding, cut at `limit`.
Result<std::string> native_string(const Value &value, std::size_t limit, ValueEnvironment &environment);

/// How many elements the array type says it has; of several dimensions, rows.
std::optional<std::uint64_t> array_length(const DwarfType &array);

/// Numbers, enumerations and pointers are converted; pointers within a class hierarchy are moved to the base or the
/// derived class as static_cast does; structures become a base, a class derived from theirs, or whatever the same
/// memory is taken for.
Result<Value> cast_native(const Value &value, const TypeHandle &type, ValueEnvironment &environment);
/// dynamic_cast: by what the object is. usage, which says what it is, where it is not of the type.
Result<Value> assert_native(const Value &value, const TypeHandle &type, ValueEnvironment &environment);

/// The type's whole definition, as gdb's ptype and rustc's sources have it: members, bases, methods, enumerators.
/// Several lines without a last line end; of a type without members its name, behind typedefs.
std::string native_type_definition(const TypeHandle &type, ValueEnvironment &environment);
/// The same with the offset and size of each member, in bytes, and the holes between them; of what is no structure of C
/// or C++ the definition alone.
std::string native_type_layout(const TypeHandle &type, ValueEnvironment &environment);

} // namespace inspect
