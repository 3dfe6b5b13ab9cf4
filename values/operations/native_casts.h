// Casts between types that DWARF describes, as C and C++ have them.
#pragma once

#include "machine/error.h"
#include "values/value.h"
#include "values/value_environment.h"

namespace inspect {

/// Numbers, enumerations and pointers are converted; pointers within a class hierarchy are moved to the base or the
/// derived class as static_cast does; structures become a base, a class derived from theirs, or whatever the same
/// memory is taken for.
Result<Value> cast_native(const Value &value, const TypeHandle &type, ValueEnvironment &environment);
/// dynamic_cast: by what the object is. usage, which says what it is, where it is not of the type.
Result<Value> assert_native(const Value &value, const TypeHandle &type, ValueEnvironment &environment);

} // namespace inspect
