#include "values/go/go_variables.h"

#include "values/go/go_reading.h"

namespace inspect {

ValueType go_value_type(const TypeHandle &handle, ValueEnvironment &environment) {
  if (!environment.go || environment.go->converter == nullptr)
    return {.native = handle, .go = nullptr};
  return {.native = {}, .go = environment.go->converter->convert(handle)};
}

Value go_value(const TypeHandle &handle, ValueSource source, bool escaped, ValueEnvironment &environment) {
  Value value;
  value.type = go_value_type(handle, environment);
  value.language = SourceLanguage::go;
  value.source = std::move(source);
  const GoType *type = value.type.go;
  if (!escaped || type == nullptr || type->kind != GoKind::pointer || type->element == nullptr)
    return value;
  value.type.go = type->element;
  const auto address = value.source->unsigned_at(0, 8);
  value.source.reset();
  // Before the variable's declaration has run there is no place for it yet.
  if (!address)
    value.missing = "where the variable was moved to on the heap is not known";
  else if (*address == 0)
    value.missing = "it has no place on the heap yet";
  else
    value.source = ValueSource::in_memory(environment.memory, RunAddress{*address}, type->element->size);
  return value;
}

Value go_value_at(const GoType &type, RunAddress address, const ValueEnvironment &environment) {
  Value value;
  value.type.go = &type;
  value.language = SourceLanguage::go;
  value.source = ValueSource::in_memory(environment.memory, address, type.size);
  return value;
}

} // namespace inspect
