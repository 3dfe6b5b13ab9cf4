// A Go type's definition as Go source, with the offsets that the compiler chose.
#pragma once

#include "values/value.h"
#include "values/value_environment.h"

#include <string>

namespace inspect {

/// "type main.T struct {" and a line for each field; of types without a name of their own just that type.
std::string go_type_definition(const GoType &type, ValueEnvironment &environment);

} // namespace inspect
