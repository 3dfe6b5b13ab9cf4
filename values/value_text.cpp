#include "values/value_text.h"

namespace inspect {

std::string value_text(const Value &value, ValueEnvironment &environment, const PrintOptions &options) {
  return value.type.go != nullptr ? go_value_text(value, environment, options)
                                  : native_value_text(value, environment, options);
}

} // namespace inspect
