#include "golang/arguments/interface_value.h"

namespace inspect {

std::optional<InterfaceValue> interface_value(const GoType &type, const ValueSource &source,
                                              const ValueContext &context) {
  const auto first = source.unsigned_at(0, 8);
  const auto data = source.unsigned_at(8, 8);
  if (!first || !data)
    return std::nullopt;
  InterfaceValue value{*first, *data, nullptr};
  if (*first == 0 || !context.types)
    return value;
  if (!type.has_methods)
    value.type = context.types->at(RunAddress{*first});
  else if (const auto table = context.types->interface_table(RunAddress{*first}))
    value.type = table->type;
  return value;
}

std::optional<ValueSource> dynamic_source(const InterfaceValue &value, const ValueContext &context) {
  if (!value.type)
    return std::nullopt;
  if (is_pointer_shaped(*value.type, context.version)) {
    auto image = std::make_shared<ValueImage>(8);
    image->set(0, value.data, 8);
    return ValueSource::of_image(std::move(image));
  }
  if (!context.memory)
    return std::nullopt;
  return ValueSource::in_memory(*context.memory, RunAddress{value.data}, value.type->size);
}

std::string short_go_type_name(std::string_view name) {
  std::string text;
  // Each path in "map[a/b.K]*c/d.V" loses what stands before its last slash.
  std::size_t word = 0;
  for (std::size_t i = 0; i <= name.size(); ++i) {
    const bool ends = i == name.size() || std::string_view("[]*(){} ,;").contains(name[i]);
    if (!ends)
      continue;
    const std::string_view path = name.substr(word, i - word);
    text += path.substr(path.rfind('/') + 1); // npos + 1 is 0
    if (i < name.size())
      text += name[i];
    word = i + 1;
  }
  return text;
}

} // namespace inspect
