// A type's whole definition, as gdb's ptype and rustc's sources have it: members, bases, methods, enumerators.
#pragma once

#include "values/value.h"
#include "values/value_environment.h"

#include <string>

namespace inspect {

/// Several lines without a last line end; of a type without members its name, behind typedefs.
std::string native_type_definition(const TypeHandle &type, ValueEnvironment &environment);

} // namespace inspect
