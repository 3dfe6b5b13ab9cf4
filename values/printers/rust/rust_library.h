// What the printers of Rust's standard library share: steps through its wrappings, which change from version to
// version, and the views themselves, one for each family of types. They follow the members by name and give up where
// one is not there; versions 1.63 to 1.95 have been looked at.
//
// Sources: library/alloc, library/core, library/std of those versions; hashbrown 0.12 to 0.16 (RawTable).
#pragma once

#include "values/printers/library_object.h"
#include "values/printers/library_view.h"

#include <optional>

namespace inspect {

/// Through structures whose only member with a size is the next: NonNull, Unique, Cell, UnsafeCell, atomics.
LibraryObject sole_part(LibraryObject object);
std::optional<TypedPointer> sole_pointer(const std::optional<LibraryObject> &object);
std::optional<std::uint64_t> sole_number(const std::optional<LibraryObject> &object);

/// The value behind a trait object as its concrete type, which the symbols of its table's functions name.
std::optional<LibraryView> rust_trait_object(RunAddress data, std::uint64_t table, const LibraryObject &object);

std::optional<LibraryView> rust_pointer_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
std::optional<LibraryView> rust_counted_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
std::optional<LibraryView> rust_weak_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
std::optional<LibraryView> rust_vector_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
std::optional<LibraryView> rust_deque_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
std::optional<LibraryView> rust_string_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
std::optional<LibraryView> rust_c_string_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
std::optional<LibraryView> rust_hash_map_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
std::optional<LibraryView> rust_hash_set_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
std::optional<LibraryView> rust_tree_map_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
std::optional<LibraryView> rust_tree_set_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
std::optional<LibraryView> rust_cell_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
std::optional<LibraryView> rust_lock_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
std::optional<LibraryView> rust_wrapper_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
std::optional<LibraryView> rust_bool_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
std::optional<LibraryView> rust_duration_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);
std::optional<LibraryView> rust_range_view(const Value &value, ChildRange wanted, ValueEnvironment &environment);

} // namespace inspect
