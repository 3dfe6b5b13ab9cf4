// Values whose size only the pointer to them knows: [T], str, dyn Trait, and structures that end in one (Tail<[u8]>,
// RcInner<str>, Mutex<dyn Trait>). DWARF describes a slice as one element and a structure without its tail; here they
// become types of the size that they have.
//
// Sources: the Rust reference, "Dynamically sized types"; rustc's debuginfo/metadata.rs (build_slice_type_di_node,
// build_dyn_type_di_node, build_vtable_type_di_node) of 1.63 to 1.95; its layout code for the offset of a tail.
#pragma once

#include "values/native/predeclared_types.h"
#include "values/printers/library_object.h"

#include <cstdint>
#include <optional>
#include <string>

namespace inspect {

/// A pointer of two words, whichever names the compiler's version gives them.
struct FatPointer {
  TypedPointer data;
  std::string pointee; ///< what it points to as its name has it: "[u8]", "ns::Tail<[u8]>", "dyn ns::Trait"
  std::optional<std::uint64_t> length;
  std::optional<std::uint64_t> table; ///< of a trait object
  std::uint64_t table_words = 0;      ///< how many words its type says the table has; 0: not said
};
std::optional<FatPointer> fat_pointer(const LibraryObject &object);

/// What the pointer leads to, as a type of its own size: an array of a slice's elements, a text, the concrete type
/// behind a trait object, or a structure that ends in one of these. Missing, with the reason, where that is not known.
Value unsized_target(const FatPointer &pointer, const LibraryObject &object);

/// Of a table of functions: the type that it is for, by the table's own description, or what the names of its functions
/// say where there is none.
struct RustTable {
  std::string name;
  std::optional<TypeHandle> type; ///< of the size that the table says
  std::uint64_t alignment = 1;    ///< bytes
};
std::optional<RustTable> rust_table(RunAddress table, std::uint64_t words, ValueEnvironment &environment);

} // namespace inspect
