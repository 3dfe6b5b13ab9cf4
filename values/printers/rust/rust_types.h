// Types that Rust's compiler makes in its own way: enumerations whose shape a tag or a niche decides, and pointers of
// two words (slices, strings, trait objects); and what the printers of its standard library share. These follow the
// members by name, which change from version to version, and give up where one is not there; versions 1.63 to 1.95 have
// been looked at. The tables of the library's types are at the end of each file, for library_view.
//
// Sources: the Rust reference, "Type layout" and "Dynamically sized types"; DWARF 5 section 5.7.10; library/alloc,
// library/core, library/std of those versions; hashbrown 0.12 to 0.16 (RawTable).
#pragma once

#include "machine/error.h"
#include "values/printers/library_object.h"
#include "values/printers/library_view.h"

#include <optional>
#include <string>
#include <string_view>

namespace inspect {

struct RustVariant {
  std::string name;
  Value value; ///< of the variant's own structure, with its fields
};
/// The shape that the value's tag says it has. corrupt where no shape has that tag.
Result<RustVariant> rust_variant(const Value &value, const DwarfType &type, ValueEnvironment &environment);

/// Of "&str", "&[T]", "*const [T]", "Box<[T]>", "&dyn Trait", "Box<dyn Trait>" and what the library's table has.
std::optional<LibraryView> rust_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);

/// Elements side by side in memory as a view; a length that cannot be is said in `problem`.
LibraryView rust_sequence(RunAddress first, std::uint64_t length, const TypeHandle &element, const Value &of,
                          ChildRange wanted, ValueEnvironment &environment);
LibraryView rust_text_view(RunAddress first, std::uint64_t length, ValueEnvironment &environment);

/// Through structures whose only member with a size is the next: NonNull, Unique, Cell, UnsafeCell, atomics.
LibraryObject sole_part(LibraryObject object);
std::optional<TypedPointer> sole_pointer(const std::optional<LibraryObject> &object);
std::optional<std::uint64_t> sole_number(const std::optional<LibraryObject> &object);

/// What a pointer of two words leads to, in its whole size; nothing where the value is none.
std::optional<Value> rust_pointee(const Value &value, ValueEnvironment &environment);

} // namespace inspect
