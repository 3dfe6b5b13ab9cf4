// Go's steps of expressions: those beyond what all languages share (values/value_operations.h), and the larger ones of
// GoOperations.
//
// Source: go.dev/ref/spec, "Selectors", "Struct types", "Index expressions".
#pragma once

#include "machine/error.h"
#include "values/value.h"
#include "values/value_environment.h"
#include "values/value_operations.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// A string that is nowhere in the target: it can be compared, be a map's key, be printed.
Value go_text_literal(std::string_view text, ValueEnvironment &environment);

/// What an interface value holds, as dlv's value.(data); usage where the value is none, or nil.
Result<Value> go_dynamic_value(const Value &interface_value, ValueEnvironment &environment);

/// Go's ==, of strings, structures and interfaces too; usage where Go cannot compare them.
Result<bool> go_equal(const Value &left, const Value &right, ValueEnvironment &environment);

/// A field by name: through pointers and interfaces, too. not_found with the names that come near.
Result<Value> go_member(const Value &value, std::string_view name, ValueEnvironment &environment);
/// Promoted ones at the end.
std::vector<std::string> go_member_names(const GoType &type, ValueEnvironment &environment);
/// All entries are visited, since the hash of a key is the process's secret. not_found: there is no such key.
Result<Value> go_map_element(const Value &map, const Value &key, ValueEnvironment &environment);
Result<std::uint64_t> go_map_length(const Value &map, ValueEnvironment &environment);

/// As Go source, with the offsets that the compiler chose: "type main.T struct {" and a line for each field; of types
/// without a name of their own just that type.
std::string go_type_definition(const GoType &type, ValueEnvironment &environment);

} // namespace inspect
