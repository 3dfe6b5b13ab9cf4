// Types that Rust's compiler makes in its own way: enumerations whose shape a tag or a niche decides, and pointers of
// two words (slices, strings, trait objects). The types of its library are in the table rust_types() of library_view.h.
//
// Sources: the Rust reference, "Type layout" and "Dynamically sized types"; DWARF 5 section 5.7.10.
#pragma once

#include "machine/error.h"
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

} // namespace inspect
