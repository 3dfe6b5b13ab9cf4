// What can be done with a value, whatever its language: the steps that expressions are made of. NativeOperations
// (values/operations/native_operations.h) does it by DWARF's types, GoOperations (values/go/go_operations.h) by Go's.
//
//     const ValueOperations &operations = operations_of(value);
//     Result<Value> field = operations.member(value, "next", environment);
//
// Errors: usage where the language does not allow the step ("int has no members"), unreadable with the address,
// not_found with near misses, corrupt where the value contradicts itself (a length of 10^18).
#pragma once

#include "machine/error.h"
#include "values/number.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

class ValueOperations {
public:
  virtual ~ValueOperations() = default;

  /// A member by its name, of bases and anonymous members too; of a pointer to a structure, that structure's.
  virtual Result<Value> member(const Value &value, std::string_view name, ValueEnvironment &environment) const = 0;
  /// For completion and near misses.
  virtual std::vector<std::string> member_names(const Value &value, ValueEnvironment &environment) const = 0;
  /// Of arrays, pointers, slices, strings, maps (`index` is the key), and library containers that have elements in an
  /// order or keys. Bounds are checked where they are known.
  virtual Result<Value> element(const Value &value, const Value &index, ValueEnvironment &environment) const = 0;
  /// value[low:high]; without `high` to the end, where that is known.
  virtual Result<Value> slice(const Value &value, std::uint64_t low, std::optional<std::uint64_t> high,
                              ValueEnvironment &environment) const = 0;
  /// What a pointer (smart ones included), a reference or an interface's pointer leads to.
  virtual Result<Value> dereference(const Value &value, ValueEnvironment &environment) const = 0;
  /// usage where the value is not in memory ("count is in register rbx").
  virtual Result<Value> address_of(const Value &value, ValueEnvironment &environment) const = 0;
  /// In C: between numbers, pointers, enumerations, and of what is in memory to another structure; in Go: conversions.
  virtual Result<Value> cast(const Value &value, const ValueType &type, ValueEnvironment &environment) const = 0;
  /// Go's value.(type), C++'s dynamic_cast: an error says which type it really is.
  virtual Result<Value> assert_type(const Value &value, const ValueType &type, ValueEnvironment &environment) const = 0;
  /// len(): of arrays, strings, slices, maps, channels, library containers.
  virtual Result<std::uint64_t> length(const Value &value, ValueEnvironment &environment) const = 0;
  /// cap().
  virtual Result<std::uint64_t> capacity(const Value &value, ValueEnvironment &environment) const = 0;
  /// Of integers, floats, booleans, characters, enumerations and pointers; usage of anything else.
  virtual Result<Number> number(const Value &value, ValueEnvironment &environment) const = 0;
  /// The text of a string value, for comparisons; at most `limit` bytes. usage where it is not a string.
  virtual Result<std::string> text(const Value &value, std::size_t limit, ValueEnvironment &environment) const = 0;
  /// The bytes that a value of `type` has when it holds the number, for `set` and for arithmetic; usage with the range
  /// where it does not fit.
  virtual Result<std::vector<std::byte>> encode(const Number &number, const ValueType &type,
                                                ValueEnvironment &environment) const = 0;

  virtual ValueType pointer_to(const ValueType &type, ValueEnvironment &environment) const = 0;
  /// The type that a literal or the result of an operation has: "int", "long", "double", "bool"; in Go "int",
  /// "float64".
  virtual ValueType type_of_number(const Number &number, ValueEnvironment &environment) const = 0;
  virtual std::optional<std::uint64_t> size_of(const ValueType &type, ValueEnvironment &environment) const = 0;
  /// As one writes it in the language: "const ns::Foo *", "*main.T", "&[u8]".
  virtual std::string type_name(const ValueType &type, ValueEnvironment &environment) const = 0;
  /// As `ptype` shows it: the whole definition, several lines; of what has none the same as type_name.
  virtual std::string type_definition(const ValueType &type, ValueEnvironment &environment) const = 0;
};

const ValueOperations &native_operations();
const ValueOperations &go_operations();

inline const ValueOperations &operations_of(const ValueType &type) {
  return type.go != nullptr ? go_operations() : native_operations();
}
inline const ValueOperations &operations_of(const Value &value) {
  return operations_of(value.type);
}

} // namespace inspect
