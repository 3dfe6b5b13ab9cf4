// The meaning of a native value's type, whatever its language: what library_view finds, and what Rust's compiler makes
// of its own (slices, strings, trait objects).
#pragma once

#include "values/printers/library_view.h"

namespace inspect {

/// Of the value itself, behind references. Nothing where its type has no meaning beyond its members.
std::optional<LibraryView> view_of(const Value &value, ChildRange wanted, ValueEnvironment &environment);

} // namespace inspect
