#include "values/go/go_operations.h"

#include "values/go/go_conversion.h"
#include "values/go/go_variables.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

Error no_step(const GoType &type, std::string_view what) {
  return {ErrorKind::usage, fmt::format("{} {}", type.name, what)};
}

Error beyond(std::string_view what, std::uint64_t index, std::uint64_t length) {
  return {ErrorKind::usage, fmt::format("{} {} is beyond the length of {}", what, index, length)};
}

const GoType &unsigned_byte(ValueEnvironment &environment) {
  return *environment.go->pool->predeclared("uint8");
}

Result<std::uint64_t> list_index(const Value &index, std::uint64_t length, ValueEnvironment &environment) {
  const auto number = any_number(index, environment);
  if (!number)
    return std::unexpected(number.error());
  if (number->kind == Number::Kind::floating || number->kind == Number::Kind::boolean)
    return std::unexpected(Error(ErrorKind::usage, "an index must be a whole number"));
  if (number->integer < 0 || number->integer >= static_cast<__int128>(length))
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("index {} is beyond the length of {}", number->integer, length)));
  return static_cast<std::uint64_t>(number->integer);
}

Result<std::uint64_t> part_of(const Result<GoList> &list, std::uint64_t GoList::*part) {
  return list ? Result<std::uint64_t>((*list).*part) : std::unexpected(list.error());
}

/// Of a nil channel 0.
Result<std::uint64_t> channel_part(const ValueSource &source, std::uint64_t GoChannel::*part,
                                   ValueEnvironment &environment) {
  const auto address = read_number(source, 0, 8);
  if (!address || *address == 0)
    return address;
  const auto channel = read_go_channel(RunAddress{*address}, go_version_of(environment), environment.memory);
  if (!channel)
    return std::unexpected(channel.error());
  return (*channel).*part;
}

/// A literal's part is a literal, too.
Value part_of_string(const Value &value, const GoList &list, std::uint64_t low, std::uint64_t high,
                     ValueEnvironment &environment) {
  if (list.address)
    return go_value_of_words(*value.type.go, {list.address->value + low, high - low});
  const auto text = read_go_text(list, static_cast<std::size_t>(high), environment.memory);
  return go_text_literal(text ? std::string_view(*text).substr(static_cast<std::size_t>(low)) : std::string_view(),
                         environment);
}

class GoOperations final : public ValueOperations {
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

private:
  Result<Value> slice_array(const Value &value, std::uint64_t low, std::optional<std::uint64_t> high,
                            ValueEnvironment &environment) const;
  Result<Value> slice_pointer(const Value &value, std::uint64_t low, std::optional<std::uint64_t> high,
                              ValueEnvironment &environment) const;
};

Result<Value> GoOperations::member(const Value &value, std::string_view name, ValueEnvironment &environment) const {
  return go_member(value, name, environment);
}

std::vector<std::string> GoOperations::member_names(const Value &value, ValueEnvironment &environment) const {
  return go_member_names(*value.type.go, environment);
}

Result<Value> GoOperations::element(const Value &value, const Value &index, ValueEnvironment &environment) const {
  const GoType &type = whole(*value.type.go, environment);
  const auto source = source_of(value);
  if (!source)
    return std::unexpected(source.error());
  if (type.kind == GoKind::map)
    return go_map_element(value, index, environment);
  if (type.kind == GoKind::pointer || type.kind == GoKind::interface) {
    const auto target =
        type.kind == GoKind::pointer ? dereference(value, environment) : go_dynamic_value(value, environment);
    if (!target)
      return std::unexpected(target.error());
    const GoKind kind = target->type.go->kind;
    if (type.kind == GoKind::pointer && kind != GoKind::array)
      return std::unexpected(no_step(type, "has no elements"));
    return kind == GoKind::interface ? std::unexpected(no_step(type, "has no elements"))
                                     : element(*target, index, environment);
  }
  if (type.kind == GoKind::array && type.element != nullptr) {
    const auto at = list_index(index, type.length, environment);
    if (!at)
      return std::unexpected(at.error());
    Value part = value;
    part.type.go = type.element;
    part.source = source->at(*at * type.element->size);
    part.register_number.reset();
    return part;
  }
  const bool is_string = type.kind == GoKind::string;
  if (!is_string && (type.kind != GoKind::slice || type.element == nullptr))
    return std::unexpected(no_step(type, "has no elements"));
  const auto list = is_string ? read_go_string(*source) : read_go_slice(*source);
  if (!list)
    return std::unexpected(list.error());
  const auto at = list_index(index, list->length, environment);
  if (!at)
    return std::unexpected(at.error());
  Value part;
  part.type.go = is_string ? &unsigned_byte(environment) : type.element;
  part.language = SourceLanguage::go;
  part.source = list->element(*at, part.type.go->size, environment.memory);
  return part;
}

Result<Value> GoOperations::slice_array(const Value &value, std::uint64_t low, std::optional<std::uint64_t> high,
                                        ValueEnvironment &environment) const {
  const GoType &type = *value.type.go;
  const std::uint64_t end = high.value_or(type.length);
  const auto address = value.source->address();
  if (end > type.length)
    return std::unexpected(beyond("bound", end, type.length));
  if (low > end)
    return std::unexpected(Error(ErrorKind::usage, fmt::format("the bounds {}:{} are the wrong way round", low, end)));
  if (!address)
    return std::unexpected(Error(ErrorKind::usage, "the array is not in memory, so it cannot be sliced"));
  return go_value_of_words(*environment.go->pool->slice_of(*type.element),
                           {address->value + low * type.element->size, end - low, type.length - low});
}

/// Of a pointer to an array that array's; of another what lies behind it, of which nobody knows how much there is.
Result<Value> GoOperations::slice_pointer(const Value &value, std::uint64_t low, std::optional<std::uint64_t> high,
                                          ValueEnvironment &environment) const {
  const GoType &type = *value.type.go;
  const auto target = dereference(value, environment);
  if (!target)
    return std::unexpected(target.error());
  if (whole(*target->type.go, environment).kind == GoKind::array && target->type.go->element != nullptr)
    return slice_array(*target, low, high, environment);
  if (!high)
    return std::unexpected(no_step(type, "has no length, so the end must be given"));
  const std::uint64_t size = type.element->size;
  std::uint64_t end = 0;
  if (low > *high || *high >= max_go_list_length || __builtin_mul_overflow(*high, size, &end) ||
      end >= max_go_list_length)
    return std::unexpected(Error(ErrorKind::usage, fmt::format("the bounds {}:{} are invalid", low, *high)));
  const auto address = target->source->address();
  if (!address)
    return std::unexpected(no_step(type, "does not point to memory"));
  return go_value_of_words(*environment.go->pool->slice_of(*type.element),
                           {address->value + low * size, *high - low, *high - low});
}

Result<Value> GoOperations::slice(const Value &value, std::uint64_t low, std::optional<std::uint64_t> high,
                                  ValueEnvironment &environment) const {
  const GoType &type = whole(*value.type.go, environment);
  const auto source = source_of(value);
  if (!source)
    return std::unexpected(source.error());
  if (type.kind == GoKind::pointer)
    return slice_pointer(value, low, high, environment);
  if (type.kind == GoKind::array && type.element != nullptr)
    return slice_array(value, low, high, environment);
  const bool is_string = type.kind == GoKind::string;
  if (!is_string && (type.kind != GoKind::slice || type.element == nullptr))
    return std::unexpected(no_step(type, "cannot be sliced"));
  const auto list = is_string ? read_go_string(*source) : read_go_slice(*source);
  if (!list)
    return std::unexpected(list.error());
  const std::uint64_t end = high.value_or(list->length);
  if (end > list->capacity)
    return std::unexpected(beyond("bound", end, list->capacity));
  if (low > end)
    return std::unexpected(Error(ErrorKind::usage, fmt::format("the bounds {}:{} are the wrong way round", low, end)));
  if (is_string)
    return part_of_string(value, *list, low, end, environment);
  if (list->literal) {
    std::vector<std::byte> elements(static_cast<std::size_t>((end - low) * type.element->size));
    if (!list->literal->read(low * type.element->size, elements))
      return std::unexpected(Error(ErrorKind::not_found, "the slice's elements are not known"));
    return go_slice_literal(type, elements, end - low);
  }
  return go_value_of_words(
      type, {list->address.value_or(RunAddress{}).value + low * type.element->size, end - low, list->capacity - low});
}

Result<Value> GoOperations::dereference(const Value &value, ValueEnvironment &environment) const {
  const GoType &type = whole(*value.type.go, environment);
  const auto source = source_of(value);
  if (!source)
    return std::unexpected(source.error());
  if (type.kind == GoKind::interface) {
    const auto held = go_dynamic_value(value, environment);
    if (held && held->type.go->kind != GoKind::pointer)
      return std::unexpected(no_step(type, fmt::format("holds a {}, which is not a pointer", held->type.go->name)));
    return held ? dereference(*held, environment) : held;
  }
  if (type.kind == GoKind::unsafe_pointer)
    return std::unexpected(no_step(type, "does not say what it points to: convert it first, as in *(*int)(p)"));
  if (type.kind != GoKind::pointer || type.element == nullptr)
    return std::unexpected(no_step(type, "is not a pointer"));
  const auto address = read_number(*source, 0, 8);
  if (!address)
    return std::unexpected(address.error());
  if (*address == 0)
    return std::unexpected(Error(ErrorKind::unreadable, fmt::format("the {} is nil", type.name)));
  return go_value_at(*type.element, RunAddress{*address}, environment);
}

Result<Value> GoOperations::address_of(const Value &value, ValueEnvironment &environment) const {
  const auto source = source_of(value);
  if (!source)
    return std::unexpected(source.error());
  const auto address = source->address();
  if (!address)
    return std::unexpected(Error(ErrorKind::usage, value.register_number
                                                       ? "the value is in a register, so it has no address"
                                                       : "the value is not in memory, so it has no address"));
  return go_value_of_words(*environment.go->pool->pointer_to(*value.type.go), {address->value});
}

Result<Value> GoOperations::cast(const Value &value, const ValueType &type, ValueEnvironment &environment) const {
  if (type.go == nullptr)
    return native_operations().cast(value, type, environment);
  return convert_go_value(value, *type.go, environment);
}

Result<Value> GoOperations::assert_type(const Value &value, const ValueType &type,
                                        ValueEnvironment &environment) const {
  const auto held = go_dynamic_value(value, environment);
  if (!held)
    return held;
  if (type.go == nullptr)
    return std::unexpected(Error(ErrorKind::usage, "an interface holds no type of another language"));
  if (type.go->kind == GoKind::interface)
    return std::unexpected(Error(ErrorKind::unsupported, fmt::format("whether {} has the methods of {} is not known",
                                                                     held->type.go->name, type.go->name)));
  if (!same_go_type(*held->type.go, *type.go))
    return std::unexpected(Error(ErrorKind::usage, fmt::format("the {} holds a {}, not a {}", value.type.go->name,
                                                               held->type.go->name, type.go->name)));
  return held;
}

Result<std::uint64_t> GoOperations::length(const Value &value, ValueEnvironment &environment) const {
  const GoType &type = whole(*value.type.go, environment);
  const auto source = source_of(value);
  if (!source)
    return std::unexpected(source.error());
  switch (type.kind) {
  case GoKind::array:
    return type.length;
  case GoKind::string:
    return part_of(read_go_string(*source), &GoList::length);
  case GoKind::slice:
    return part_of(read_go_slice(*source), &GoList::length);
  case GoKind::map:
    return go_map_length(value, environment);
  case GoKind::channel:
    return channel_part(*source, &GoChannel::count, environment);
  case GoKind::pointer:
    if (type.element != nullptr && whole(*type.element, environment).kind == GoKind::array)
      return type.element->length;
    break;
  default:
    break;
  }
  return std::unexpected(no_step(type, "has no length"));
}

Result<std::uint64_t> GoOperations::capacity(const Value &value, ValueEnvironment &environment) const {
  const GoType &type = whole(*value.type.go, environment);
  const auto source = source_of(value);
  if (!source)
    return std::unexpected(source.error());
  if (type.kind == GoKind::slice)
    return part_of(read_go_slice(*source), &GoList::capacity);
  if (type.kind == GoKind::channel)
    return channel_part(*source, &GoChannel::capacity, environment);
  if (type.kind == GoKind::array || type.kind == GoKind::pointer)
    return length(value, environment);
  return std::unexpected(no_step(type, "has no capacity"));
}

Result<Number> GoOperations::number(const Value &value, ValueEnvironment &) const {
  return go_number(value);
}

Result<std::string> GoOperations::text(const Value &value, std::size_t limit, ValueEnvironment &environment) const {
  if (value.type.go->kind != GoKind::string)
    return std::unexpected(no_step(*value.type.go, "is not a string"));
  const auto source = source_of(value);
  if (!source)
    return std::unexpected(source.error());
  const auto list = read_go_string(*source);
  return list ? read_go_text(*list, limit, environment.memory) : std::unexpected(list.error());
}

Result<std::vector<std::byte>> GoOperations::encode(const Number &number, const ValueType &type,
                                                    ValueEnvironment &) const {
  return encode_go_number(number, *type.go);
}

ValueType GoOperations::pointer_to(const ValueType &type, ValueEnvironment &environment) const {
  return {.native = {}, .go = environment.go->pool->pointer_to(*type.go)};
}

ValueType GoOperations::type_of_number(const Number &number, ValueEnvironment &environment) const {
  std::string_view name = "int";
  if (number.kind == Number::Kind::floating)
    name = "float64";
  else if (number.kind == Number::Kind::boolean)
    name = "bool";
  else if (number.kind == Number::Kind::character)
    name = "int32";
  else if (number.kind == Number::Kind::address)
    name = "uintptr";
  else if (number.kind == Number::Kind::unsigned_integer || number.integer > INT64_MAX)
    name = number.integer > INT64_MAX || number.size == 8 ? "uint64" : "uint";
  return {.native = {}, .go = environment.go->pool->predeclared(name)};
}

std::optional<std::uint64_t> GoOperations::size_of(const ValueType &type, ValueEnvironment &environment) const {
  const GoType &known = whole(*type.go, environment);
  return known.kind == GoKind::unknown ? std::nullopt : std::optional(known.size);
}

std::string GoOperations::type_name(const ValueType &type, ValueEnvironment &) const {
  return type.go->name;
}

std::string GoOperations::type_definition(const ValueType &type, ValueEnvironment &environment) const {
  return go_type_definition(*type.go, environment);
}

} // namespace

const ValueOperations &go_operations() {
  static const GoOperations operations;
  return operations;
}

Value go_text_literal(std::string_view text, ValueEnvironment &environment) {
  // A string whose address is not known, with the bytes behind its two words: what read_go_string takes for a literal.
  auto image = std::make_shared<ValueImage>(16 + text.size());
  image->set(8, text.size(), 8);
  for (std::size_t i = 0; i < text.size(); ++i)
    image->set(16 + i, static_cast<unsigned char>(text[i]), 1);
  Value value;
  value.type.go = environment.go->pool->predeclared("string");
  value.language = SourceLanguage::go;
  value.source = ValueSource::of_image(std::move(image));
  return value;
}

Result<Value> go_dynamic_value(const Value &interface, ValueEnvironment &environment) {
  const GoType &type = *interface.type.go;
  if (type.kind != GoKind::interface)
    return std::unexpected(no_step(type, "is not an interface"));
  const auto source = source_of(interface);
  if (!source)
    return std::unexpected(source.error());
  const ValueContext context = go_value_context(environment);
  const auto held = interface_value(whole(type, environment), *source, context);
  if (!held)
    return std::unexpected(source->address() ? unreadable_at(*source->address())
                                             : Error(ErrorKind::not_found, "only parts of the value are known"));
  if (held->type_word == 0)
    return std::unexpected(no_step(type, "is nil"));
  if (held->type == nullptr)
    return std::unexpected(Error(
        ErrorKind::corrupt, fmt::format("the {}'s first word, {:#x}, leads to no type", type.name, held->type_word)));
  const auto data = dynamic_source(*held, context);
  if (!data)
    return std::unexpected(unreadable_at(RunAddress{held->data}));
  Value value;
  value.type.go = held->type;
  value.language = SourceLanguage::go;
  // What an interface holds itself lies in it.
  const bool inside = is_pointer_shaped(*held->type, context.version) && source->address();
  value.source = inside ? source->at(8) : *data;
  return value;
}

} // namespace inspect
