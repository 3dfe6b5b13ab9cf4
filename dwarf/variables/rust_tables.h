// The tables of functions behind Rust's trait objects, as rustc describes them: a variable for each, whose type says by
// DW_AT_containing_type which type implements the trait there.
//
// Sources: rustc's debuginfo/metadata.rs, create_vtable_di_node; DWARF 5 section 5.7.1.
#pragma once

#include "dwarf/types/type_reader.h"

#include <elfutils/libdw.h>
#include <optional>

namespace inspect {

/// The type that the table is for; nothing where the variable is none.
std::optional<TypeHandle> rust_table_type(Dwarf_Die variable);

} // namespace inspect
