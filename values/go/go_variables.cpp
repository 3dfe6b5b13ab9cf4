#include "values/go/go_variables.h"

#include <algorithm>

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

const GoType &whole(const GoType &type, const ValueEnvironment &environment) {
  if (environment.go && environment.go->converter != nullptr)
    environment.go->converter->complete(type);
  return type; // NOLINT(bugprone-return-const-ref-from-parameter): types live as long as their pool
}

ValueContext go_value_context(const ValueEnvironment &environment) {
  ValueContext context;
  context.memory = &environment.memory;
  if (environment.go) {
    context.types = environment.go->types;
    context.classify = environment.go->classify;
    context.version = environment.go->version;
  }
  return context;
}

GoVersion go_version_of(const ValueEnvironment &environment) {
  return environment.go ? environment.go->version : GoVersion{};
}

Value go_value_of_bytes(const GoType &type, std::span<const std::byte> bytes) {
  auto image = std::make_shared<ValueImage>(bytes.size());
  std::ranges::copy(bytes, image->bytes.begin());
  image->known.assign(bytes.size(), ValueImage::whole_byte);
  Value value;
  value.type.go = &type;
  value.language = SourceLanguage::go;
  value.source = ValueSource::of_image(std::move(image));
  return value;
}

Value go_value_of_words(const GoType &type, std::initializer_list<std::uint64_t> words) {
  const std::span<const std::uint64_t> all(words.begin(), words.size());
  return go_value_of_bytes(type, std::as_bytes(all));
}

Value zero_go_value(const GoType &type, ValueEnvironment &environment) {
  constexpr std::uint64_t max_size = 1 << 20;
  const std::vector<std::byte> bytes(static_cast<std::size_t>(std::min(whole(type, environment).size, max_size)));
  return go_value_of_bytes(type, bytes);
}

Result<ValueSource> source_of(const Value &value) {
  if (value.source)
    return *value.source;
  return std::unexpected(
      Error(ErrorKind::not_found, value.missing.empty() ? std::string("the value is not known") : value.missing));
}

} // namespace inspect
