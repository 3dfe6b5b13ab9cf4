// ValueOperations of the types that DWARF describes: C, C++, Rust and what else compilers make of them. The work is
// done in native_members, native_elements, native_casts and native_numbers; this joins them.
#pragma once

#include "values/value_operations.h"

namespace inspect {

class NativeOperations final : public ValueOperations {
public:
  Result<Value> member(const Value &value, std::string_view name, ValueEnvironment &environment) const override;
  std::vector<std::string> member_names(const Value &value, ValueEnvironment &environment) const override;
  Result<Value> element(const Value &value, const Value &index, ValueEnvironment &environment) const override;
  Result<Value> slice(const Value &value, std::uint64_t low, std::optional<std::uint64_t> high,
                      ValueEnvironment &environment) const override;
  Result<Value> dereference(const Value &value, ValueEnvironment &environment) const override;
  Result<Value> address_of(const Value &value, ValueEnvironment &environment) const override;
  Result<Value> cast(const Value &value, const ValueType &type, ValueEnvironment &environment) const override;
  Result<Value> assert_type(const Value &value, const ValueType &type, ValueEnvironment &environment) const override;
  Result<std::uint64_t> length(const Value &value, ValueEnvironment &environment) const override;
  Result<std::uint64_t> capacity(const Value &value, ValueEnvironment &environment) const override;
  Result<Number> number(const Value &value, ValueEnvironment &environment) const override;
  Result<std::string> text(const Value &value, std::size_t limit, ValueEnvironment &environment) const override;
  Result<std::vector<std::byte>> encode(const Number &number, const ValueType &type,
                                        ValueEnvironment &environment) const override;
  ValueType pointer_to(const ValueType &type, ValueEnvironment &environment) const override;
  ValueType type_of_number(const Number &number, ValueEnvironment &environment) const override;
  std::optional<std::uint64_t> size_of(const ValueType &type, ValueEnvironment &environment) const override;
  std::string type_name(const ValueType &type, ValueEnvironment &environment) const override;
  std::string type_definition(const ValueType &type, ValueEnvironment &environment) const override;
};

} // namespace inspect
