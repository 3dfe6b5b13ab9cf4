// Static data members: declared in a class, defined somewhere else under a name that the linker knows.
#pragma once

#include "values/value.h"
#include "values/value_environment.h"

#include <optional>
#include <string_view>

namespace inspect {

/// Of the object's class or its bases. Nothing where none is called so; a value that is missing where its variable is
/// not found.
std::optional<Value> find_static_member(const Value &object, std::string_view name, ValueEnvironment &environment);

} // namespace inspect
