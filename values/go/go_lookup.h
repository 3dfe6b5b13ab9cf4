// Fields by name, promoted ones too, and map elements by key.
//
// Source: go.dev/ref/spec, "Selectors", "Struct types", "Index expressions".
#pragma once

#include "machine/error.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// Through pointers and interfaces, too. not_found with the names that come near.
Result<Value> go_member(const Value &value, std::string_view name, ValueEnvironment &environment);
/// Promoted ones at the end.
std::vector<std::string> go_member_names(const GoType &type, ValueEnvironment &environment);
/// All entries are visited, since the hash of a key is the process's secret. not_found: there is no such key.
Result<Value> go_map_element(const Value &map, const Value &key, ValueEnvironment &environment);
Result<std::uint64_t> go_map_length(const Value &map, ValueEnvironment &environment);

} // namespace inspect
