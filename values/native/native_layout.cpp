#include "values/native/native_layout.h"

#include <fmt/format.h>

namespace inspect {
namespace {

constexpr int max_references = 8;
constexpr int max_aliases = 64;

} // namespace

Value value_at(RunAddress address, const TypeHandle &type, SourceLanguage language, ValueEnvironment &environment) {
  Value value{.type = {.native = type}, .language = language, .source = std::nullopt};
  value.source = ValueSource::in_memory(environment.memory, address, environment.types.size_of(type).value_or(0));
  return value;
}

Value part_of(const Value &whole, std::uint64_t offset, const TypeHandle &type, ValueEnvironment &environment) {
  Value part{.type = {.native = type}, .language = whole.language, .source = std::nullopt, .missing = whole.missing};
  part.at_entry = whole.at_entry;
  if (!whole.source)
    return part;
  const std::uint64_t size = environment.types.size_of(type).value_or(0);
  const std::uint64_t available = size_of(whole, environment).value_or(0);
  const std::optional<RunAddress> address = whole.source->address();
  // The source may have copied no more than the whole.
  if (address && (offset > available || size > available - offset))
    part.source = ValueSource::in_memory(environment.memory, *address + offset, size);
  else
    part.source = whole.source->at(offset);
  return part;
}

Value computed_value(std::vector<std::byte> bytes, const TypeHandle &type, SourceLanguage language) {
  auto image = std::make_shared<ValueImage>(bytes.size());
  image->bytes = std::move(bytes);
  image->known.assign(image->bytes.size(), ValueImage::whole_byte);
  return {.type = {.native = type}, .language = language, .source = ValueSource::of_image(std::move(image))};
}

std::vector<std::byte> low_bytes(unsigned __int128 bits, std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size && i < sizeof bits; ++i)
    bytes[i] = static_cast<std::byte>(static_cast<unsigned>(bits >> (8 * i)) & 0xffU);
  return bytes;
}

Value without_references(const Value &value, ValueEnvironment &environment) {
  Value current = value;
  for (int steps = 0; steps < max_references; ++steps) {
    const DwarfType &type = environment.types.underlying(current.type.native);
    if (!is_reference(type) || !current.source)
      return current;
    const auto address = pointer_target(current, environment);
    if (!address)
      return missing_value({.native = type.target}, value.language, address.error().message());
    const bool at_entry = current.at_entry;
    current = value_at(*address, type.target, value.language, environment);
    current.at_entry = at_entry;
  }
  return current;
}

std::optional<std::uint64_t> size_of(const Value &value, ValueEnvironment &environment) {
  return environment.types.size_of(value.type.native);
}

Result<RunAddress> pointer_target(const Value &value, ValueEnvironment &environment) {
  if (!value.source)
    return std::unexpected(missing_error(value));
  const std::uint64_t size = size_of(value, environment).value_or(8);
  const auto word = value.source->unsigned_at(0, size < 8 ? static_cast<std::size_t>(size) : 8);
  if (!word)
    return std::unexpected(unreadable_error(value, environment));
  return RunAddress{*word};
}

Value completed(const Value &value, ValueEnvironment &environment) {
  const DwarfType *type = &environment.types.underlying(value.type.native);
  if (!is_structure(*type) || !type->is_declaration || !environment.find_type)
    return value;
  const TypeHandle handle = without_aliases(value.type.native, environment.types);
  const auto found = environment.find_type(environment.types.qualified_name(handle), value.language);
  if (!found || found->go != nullptr)
    return value;
  const DwarfType &definition = environment.types.underlying(found->native);
  if (!is_structure(definition) || definition.is_declaration)
    return value;
  Value whole = value;
  whole.type = *found;
  // What was read had no size.
  if (value.source && value.source->address())
    whole.source = ValueSource::in_memory(environment.memory, *value.source->address(),
                                          environment.types.size_of(found->native).value_or(0));
  return whole;
}

TypeHandle without_aliases(TypeHandle type, TypeReader &types) {
  for (int steps = 0; steps < max_aliases; ++steps) {
    const DwarfType &one = types.read(type);
    if (one.kind != DwarfTypeKind::alias && one.kind != DwarfTypeKind::qualified)
      break;
    type = one.target;
  }
  return type;
}

TypeHandle element_type(const DwarfType &array, TypeReader &types) {
  TypeHandle type = array.target;
  for (std::size_t i = array.dimensions.size(); i-- > 1;)
    type = types.array_of(type, array.dimensions[i].value_or(0));
  return type;
}

bool is_structure(const DwarfType &type) {
  return type.kind == DwarfTypeKind::structure || type.kind == DwarfTypeKind::class_type ||
         type.kind == DwarfTypeKind::union_type;
}

bool is_pointer(const DwarfType &type) {
  return type.kind == DwarfTypeKind::pointer;
}

bool is_reference(const DwarfType &type) {
  return type.kind == DwarfTypeKind::reference || type.kind == DwarfTypeKind::rvalue_reference;
}

Error missing_error(const Value &value) {
  return {ErrorKind::not_found,
          fmt::format("the value is not there: {}", value.missing.empty() ? "not known" : value.missing)};
}

Error unreadable_error(const Value &value, ValueEnvironment &environment) {
  const std::uint64_t size = size_of(value, environment).value_or(0);
  if (value.source && value.source->address())
    return {ErrorKind::unreadable, fmt::format("cannot read {} bytes at 0x{:x}", size, value.source->address()->value)};
  return {ErrorKind::unreadable, "some of the value's bytes are not known"};
}

} // namespace inspect
