#include "values/go/go_conversion.h"
#include "values/go/go_operations.h"
#include "values/go/go_variables.h"

#include <fmt/format.h>

namespace inspect {
namespace {

constexpr int max_compared_nesting = 32;
/// Of strings and arrays: what is compared at most.
constexpr std::uint64_t max_compared = 1 << 24;

class Equality {
public:
  explicit Equality(ValueEnvironment &environment) : environment_(environment) {}

  Result<bool> equal(const Value &left, const Value &right, int nesting = 0);

private:
  Result<bool> strings(const Value &left, const Value &right);
  Result<bool> arrays(const Value &left, const Value &right, int nesting);
  Result<bool> structures(const Value &left, const Value &right, int nesting);
  Result<bool> interfaces(const Value &left, const Value &right, int nesting);
  Value part(const Value &whole_value, const GoType &type, std::uint64_t offset, std::uint64_t index) const;

  ValueEnvironment &environment_;
};

Value Equality::part(const Value &whole_value, const GoType &type, std::uint64_t offset, std::uint64_t index) const {
  if (whole_value.parts && index < whole_value.parts->size())
    return (*whole_value.parts)[index];
  Value value = whole_value;
  value.type.go = &type;
  value.source = value.source->at(offset);
  return value;
}

Result<bool> Equality::strings(const Value &left, const Value &right) {
  const auto one = read_go_string(*left.source);
  const auto other = read_go_string(*right.source);
  if (!one || !other)
    return std::unexpected(!one ? one.error() : other.error());
  if (one->length != other->length)
    return false;
  if (one->length > max_compared)
    return std::unexpected(Error(ErrorKind::unsupported, fmt::format("{} bytes are too many to compare", one->length)));
  const auto first = read_go_text(*one, max_compared, environment_.memory);
  const auto second = read_go_text(*other, max_compared, environment_.memory);
  if (!first || !second)
    return std::unexpected(!first ? first.error() : second.error());
  return *first == *second;
}

Result<bool> Equality::arrays(const Value &left, const Value &right, int nesting) {
  const GoType &type = *left.type.go;
  if (type.element == nullptr || type.length != right.type.go->length)
    return false;
  if (type.length > max_compared)
    return std::unexpected(Error(ErrorKind::unsupported, "the arrays are too long to compare"));
  for (std::uint64_t i = 0; i < type.length; ++i) {
    const auto same = equal(part(left, *type.element, i * type.element->size, i),
                            part(right, *type.element, i * type.element->size, i), nesting);
    if (!same || !*same)
      return same;
    if (environment_.out_of_time())
      return std::unexpected(Error(ErrorKind::timed_out, "no time is left to compare the arrays"));
  }
  return true;
}

Result<bool> Equality::structures(const Value &left, const Value &right, int nesting) {
  const GoType &type = *left.type.go;
  if (type.fields.size() != right.type.go->fields.size())
    return false;
  for (std::size_t i = 0; i < type.fields.size(); ++i) {
    const GoField &field = type.fields[i];
    if (field.name == "_" || field.type == nullptr)
      continue;
    const auto same =
        equal(part(left, *field.type, field.offset, i), part(right, *field.type, field.offset, i), nesting);
    if (!same || !*same)
      return same;
  }
  return true;
}

/// One of them may be no interface: then it is what the other's dynamic value is compared with.
Result<bool> Equality::interfaces(const Value &left, const Value &right, int nesting) {
  const auto held = [&](const Value &value) -> Result<std::optional<Value>> {
    if (value.type.go->kind != GoKind::interface)
      return value;
    if (value.source->unsigned_at(0, 8) == 0U)
      return std::nullopt;
    auto dynamic = go_dynamic_value(value, environment_);
    return dynamic ? Result<std::optional<Value>>(*dynamic) : std::unexpected(dynamic.error());
  };
  const auto one = held(left);
  const auto other = held(right);
  if (!one || !other)
    return std::unexpected(!one ? one.error() : other.error());
  if (!*one || !*other)
    return one->has_value() == other->has_value();
  if (!same_go_type(*(*one)->type.go, *(*other)->type.go))
    return false;
  return equal(**one, **other, nesting);
}

Result<bool> Equality::equal(const Value &left, const Value &right, int nesting) {
  if (nesting > max_compared_nesting)
    return std::unexpected(Error(ErrorKind::unsupported, "the values are nested too deeply to compare"));
  if (left.type.go == nullptr || right.type.go == nullptr)
    return std::unexpected(Error(ErrorKind::usage, "values of different languages cannot be compared"));
  for (const Value *value : {&left, &right})
    if (const auto source = source_of(*value); !source)
      return std::unexpected(source.error());
  const GoType &type = whole(*left.type.go, environment_);
  const GoType &other = whole(*right.type.go, environment_);
  if (type.kind == GoKind::interface || other.kind == GoKind::interface)
    return interfaces(left, right, nesting + 1);
  if (type.kind == GoKind::string && other.kind == GoKind::string)
    return strings(left, right);
  const bool numbers = (is_go_number(type) || is_go_address(type) || type.kind == GoKind::boolean) &&
                       (is_go_number(other) || is_go_address(other) || other.kind == GoKind::boolean);
  if (numbers) {
    const auto one = go_number(left);
    const auto two = go_number(right);
    if (!one || !two)
      return std::unexpected(!one ? one.error() : two.error());
    if (one->kind != Number::Kind::floating && two->kind != Number::Kind::floating)
      return one->integer == two->integer;
    const auto real = [](const Number &number) {
      return number.kind == Number::Kind::floating ? number.real : static_cast<long double>(number.integer);
    };
    return !(real(*one) < real(*two)) && !(real(*one) > real(*two)) && real(*one) == real(*one) &&
           real(*two) == real(*two);
  }
  if (!same_go_type(type, other))
    return std::unexpected(Error(ErrorKind::usage, fmt::format("{} and {} cannot be compared", type.name, other.name)));
  if (type.kind == GoKind::array)
    return arrays(left, right, nesting + 1);
  if (type.kind == GoKind::structure)
    return structures(left, right, nesting + 1);
  if (type.kind == GoKind::complex64 || type.kind == GoKind::complex128) {
    const std::size_t half = static_cast<std::size_t>(type.size / 2);
    const GoType &real = *environment_.go->pool->predeclared(half == 4 ? "float32" : "float64");
    const auto same = equal(part(left, real, 0, 0), part(right, real, 0, 0), nesting + 1);
    return same && *same ? equal(part(left, real, half, 1), part(right, real, half, 1), nesting + 1) : same;
  }
  return std::unexpected(Error(ErrorKind::usage, fmt::format("Go cannot compare {}", type.name)));
}

} // namespace

Result<bool> go_equal(const Value &left, const Value &right, ValueEnvironment &environment) {
  return Equality(environment).equal(left, right);
}

} // namespace inspect
