#include "tests/commands/truth/go_types.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <limits>

namespace inspect::test {
namespace {

bool is_named(const GoTestType &type) {
  return type.name.starts_with("@");
}

} // namespace

GoTypes::GoTypes(RandomChoice &choose) : choose_(choose) {
  add_numbers();
  boolean_ = &add({.kind = GoTypeKind::boolean, .name = "bool"});
  text_ = &add({.kind = GoTypeKind::text, .name = "string"});
  any_ = &add({.kind = GoTypeKind::any, .name = "interface{}"});
  error_ = &add({.kind = GoTypeKind::error, .name = "error"});
  function_ = &add({.kind = GoTypeKind::function, .name = "func(int) int", .is_comparable = false});
  simple_ = numbers_;
  simple_.insert(simple_.end(), {boolean_, text_, text_});
  add_named();
  for (int i = 0; i < 5; ++i)
    add_structure(i);
}

const GoTestType &GoTypes::add(GoTestType type) {
  for (const GoTestType &known : all_)
    if (known.name == type.name)
      return known;
  return all_.emplace_back(std::move(type));
}

void GoTypes::add_numbers() {
  for (const int bits : {8, 16, 32, 64}) {
    numbers_.push_back(
        &add({.kind = GoTypeKind::integer, .name = fmt::format("int{}", bits), .bits = bits, .is_signed = true}));
    numbers_.push_back(&add({.kind = GoTypeKind::integer, .name = fmt::format("uint{}", bits), .bits = bits}));
  }
  numbers_.push_back(&add({.kind = GoTypeKind::integer, .name = "int", .bits = 64, .is_signed = true}));
  numbers_.push_back(&add({.kind = GoTypeKind::integer, .name = "uint", .bits = 64}));
  numbers_.push_back(&add({.kind = GoTypeKind::integer, .name = "uintptr", .bits = 64}));
  for (const int bits : {32, 64}) {
    numbers_.push_back(&add({.kind = GoTypeKind::floating, .name = fmt::format("float{}", bits), .bits = bits}));
    numbers_.push_back(
        &add({.kind = GoTypeKind::complex_number, .name = fmt::format("complex{}", 2 * bits), .bits = 2 * bits}));
  }
}

/// Types with constants of their own, and time.Duration.
void GoTypes::add_named() {
  static const std::array<std::string_view, 4> colors = {"Red", "Green", "Blue", "Grey"};
  static const std::array<std::string_view, 4> rights = {"Read", "Write", "Run", "Own"};
  for (const bool flags : {false, true}) {
    const GoTestType &under = integer(choose_.one_of(std::vector<std::string>{"int", "uint8", "int16", "uint32"}));
    GoTestType type{.kind = GoTypeKind::integer,
                    .name = flags ? "@right" : "@color",
                    .bits = under.bits,
                    .is_signed = under.is_signed};
    declarations_ += fmt::format("type {} {}\n\nconst (\n", type.name, under.name);
    for (const std::string_view name : flags ? rights : colors) {
      declarations_ += type.constants.empty() ? fmt::format("\t{} {} = {}\n", name, type.name,
                                                            flags ? std::string("1 << iota")
                                                                  : fmt::format("iota + {}", 1 + choose_.below(9)))
                                              : fmt::format("\t{}\n", name);
      type.constants.emplace_back(name);
    }
    declarations_ += ")\n\n";
    simple_.push_back(&add(std::move(type)));
  }
  declarations_ += "type @title string\n\n";
  simple_.push_back(&add({.kind = GoTypeKind::text, .name = "@title"}));
  simple_.push_back(&add({.kind = GoTypeKind::integer, .name = "time.Duration", .bits = 64, .is_signed = true}));
}

void GoTypes::add_structure(int number) {
  static const std::array<std::string_view, 8> names = {"Id", "name", "Count", "part", "Rest", "key", "Left", "state"};
  GoTestType type{.kind = GoTypeKind::structure, .name = fmt::format("@s{}", number)};
  declarations_ += fmt::format("type {} struct {{\n", type.name);
  const auto field = [&](std::string name, const GoTestType &of, bool embedded) {
    declarations_ += embedded ? fmt::format("\t{}\n", of.name) : fmt::format("\t{} {}\n", name, of.name);
    type.is_comparable = type.is_comparable && of.is_comparable;
    if (embedded)
      type.promoted.push_back(name);
    type.fields.emplace_back(std::move(name), &of);
  };
  if (number > 1 && choose_.once_in(2)) {
    const GoTestType &of = *structures_[static_cast<std::size_t>(number) - 1];
    const bool by_pointer = choose_.once_in(3);
    field(of.name.substr(1), by_pointer ? pointer_to(of) : of, true);
  }
  const std::size_t count = 1 + choose_.below(4);
  for (std::size_t i = 0; i < count; ++i)
    field(fmt::format("{}{}", choose_.one_of(names), i), number == 0 ? *choose_.one_of(simple_) : any_type(1), false);
  if (number == 3)
    field("_", *numbers_.front(), false);
  declarations_ += "}\n\n";
  structures_.push_back(&add(std::move(type)));
}

const GoTestType &GoTypes::integer(const std::string &name) const {
  return *std::find_if(all_.begin(), all_.end(), [&](const GoTestType &type) { return type.name == name; });
}

const GoTestType &GoTypes::slice_of(const GoTestType &element) {
  return add({.kind = GoTypeKind::slice, .name = "[]" + element.name, .element = &element, .is_comparable = false});
}

const GoTestType &GoTypes::pointer_to(const GoTestType &element) {
  return add({.kind = GoTypeKind::pointer, .name = "*" + element.name, .element = &element});
}

const GoTestType &GoTypes::key_type() {
  const GoTestType *key = choose_.once_in(2) ? text_ : choose_.one_of(numbers_);
  return key->kind == GoTypeKind::integer || key->kind == GoTypeKind::text ? *key : *text_;
}

const GoTestType &GoTypes::composed(int depth) {
  const GoTestType &element = any_type(depth - 1);
  switch (choose_.below(7)) {
  case 0:
    if (const int length = 1 + static_cast<int>(choose_.below(4)); length > 0)
      return add({.kind = GoTypeKind::array,
                  .name = fmt::format("[{}]{}", length, element.name),
                  .element = &element,
                  .length = length,
                  .is_comparable = element.is_comparable});
    [[fallthrough]];
  case 1:
  case 2: {
    const GoTestType &key = key_type();
    return add({.kind = GoTypeKind::map,
                .name = fmt::format("map[{}]{}", key.name, element.name),
                .element = &element,
                .key = &key,
                .is_comparable = false});
  }
  case 3:
  case 4:
    return pointer_to(element);
  case 5:
    return add({.kind = GoTypeKind::channel, .name = "chan " + element.name, .element = &element});
  default:
    return slice_of(element);
  }
}

const GoTestType &GoTypes::any_type(int depth) {
  if (depth <= 0 || choose_.once_in(3))
    return *choose_.one_of(simple_);
  switch (choose_.below(9)) {
  case 0:
    return *any_;
  case 1:
    return *error_;
  case 2:
    return *function_;
  case 3:
  case 4:
    return structures_.empty() ? *choose_.one_of(simple_) : structure();
  default:
    return composed(depth);
  }
}

std::string GoTypes::number_literal(const GoTestType &type) {
  const auto some = static_cast<std::int64_t>(choose_.below(120));
  if (type.kind == GoTypeKind::floating) {
    static const std::array<std::string_view, 6> unusual = {"1e21", "2.5e-7", "1e20", "16777216", "0.1", "-0.5"};
    return choose_.once_in(4) ? fmt::format("{}({})", type.name, choose_.one_of(unusual))
                              : fmt::format("{}({}.{})", type.name, some - 60, 25 * choose_.below(4));
  }
  if (type.kind == GoTypeKind::complex_number)
    return fmt::format("{}(complex({}.5, {}))", type.name, some, static_cast<std::int64_t>(choose_.below(9)) - 4);
  if (!type.constants.empty() && !choose_.once_in(4))
    return choose_.once_in(3) && type.name == "@right"
               ? fmt::format("{}|{}", type.constants[0], type.constants[1 + choose_.below(3)])
               : choose_.one_of(type.constants);
  if (type.name == "time.Duration")
    return fmt::format("{}({})", type.name, some * (choose_.once_in(2) ? 250'000'000 : 37));
  const bool large = choose_.once_in(4);
  if (!type.is_signed)
    return fmt::format("{}({})", type.name,
                       large ? std::numeric_limits<std::uint64_t>::max() >> (64 - type.bits)
                             : static_cast<std::uint64_t>(some));
  const std::int64_t largest = std::numeric_limits<std::int64_t>::max() >> (64 - type.bits);
  return fmt::format("{}({})", type.name, large ? (choose_.once_in(2) ? largest : -largest - 1) : some - 60);
}

std::string GoTypes::text_literal() {
  static const std::array<std::string_view, 9> texts = {
      R"("alpha")",
      R"("beta gamma")",
      R"("")",
      R"("tab\there")",
      R"("caf\u00e9")",
      R"("\u65e5\u672c\u8a9e")",
      R"("a\"b")",
      R"("back\\slash")",
      R"("a line that is longer than what is printed of a text by default: it goes on for a while")"};
  return std::string(choose_.one_of(texts));
}

std::string GoTypes::list_literal(const GoTestType &type, int depth) {
  if (type.kind == GoTypeKind::slice && choose_.once_in(6))
    return fmt::format("{}(nil)", type.name);
  if (type.kind == GoTypeKind::slice && choose_.once_in(6))
    return fmt::format("make({}, {}, {})", type.name, choose_.below(3), 3 + choose_.below(3));
  std::string text = type.name + "{";
  const std::size_t count = type.kind == GoTypeKind::array ? static_cast<std::size_t>(type.length) : choose_.below(5);
  for (std::size_t i = 0; i < count; ++i)
    text += (i == 0 ? "" : ", ") + literal(*type.element, depth - 1);
  return text + "}";
}

std::string GoTypes::map_literal(const GoTestType &type, int depth) {
  if (choose_.once_in(7))
    return fmt::format("{}(nil)", type.name);
  std::string text = type.name + "{";
  const std::size_t count = choose_.below(4);
  for (std::size_t i = 0; i < count; ++i)
    text += fmt::format("{}{}: {}", i == 0 ? "" : ", ",
                        type.key->kind == GoTypeKind::text ? fmt::format("\"k{}\"", i) : fmt::format("{}", i),
                        literal(*type.element, depth - 1));
  return text + "}";
}

std::string GoTypes::structure_literal(const GoTestType &type, int depth) {
  std::string text = type.name + "{";
  for (const auto &[name, of] : type.fields)
    if (name != "_")
      text += fmt::format("{}: {}, ", name, literal(*of, depth - 1));
  return text + "}";
}

std::string GoTypes::pointer_literal(const GoTestType &type, int depth) {
  if (depth <= 0 || choose_.once_in(7))
    return fmt::format("({})(nil)", type.name);
  if (type.element->kind == GoTypeKind::structure)
    return "&" + structure_literal(*type.element, depth);
  return fmt::format("pointerTo({})", literal(*type.element, depth - 1));
}

std::string GoTypes::error_literal() {
  switch (choose_.below(4)) {
  case 0:
    return fmt::format("errors.New({})", text_literal());
  case 1:
    return fmt::format("error(&@failure{{Code: {}, Why: {}}})", choose_.below(100), text_literal());
  case 2:
    return fmt::format("error(@fault({}))", choose_.below(100));
  default:
    return "error(nil)";
  }
}

std::string GoTypes::held_literal(const GoTestType *&held, int depth) {
  do
    held = &any_type(depth);
  while (held->kind == GoTypeKind::any || held->kind == GoTypeKind::error);
  return fmt::format("interface{{}}({})", literal(*held, depth));
}

std::string GoTypes::literal(const GoTestType &type, int depth) {
  const GoTestType *held = nullptr;
  switch (type.kind) {
  case GoTypeKind::integer:
  case GoTypeKind::floating:
  case GoTypeKind::complex_number:
    return number_literal(type);
  case GoTypeKind::boolean:
    return choose_.once_in(2) ? "true" : "false";
  case GoTypeKind::text:
    return is_named(type) ? fmt::format("{}({})", type.name, text_literal()) : text_literal();
  case GoTypeKind::slice:
  case GoTypeKind::array:
    return list_literal(type, depth);
  case GoTypeKind::map:
    return map_literal(type, depth);
  case GoTypeKind::structure:
    return structure_literal(type, depth);
  case GoTypeKind::pointer:
    return pointer_literal(type, depth);
  case GoTypeKind::any:
    return choose_.once_in(6) ? "interface{}(nil)" : held_literal(held, std::min(depth - 1, 2));
  case GoTypeKind::error:
    return error_literal();
  case GoTypeKind::function:
    return choose_.once_in(3)   ? fmt::format("adder({})", choose_.below(50))
           : choose_.once_in(5) ? "(func(int) int)(nil)"
                                : "double";
  case GoTypeKind::channel:
    return choose_.once_in(5) ? fmt::format("(chan {})(nil)", type.element->name)
                              : fmt::format("filled(make(chan {}, {}), {})", type.element->name, 1 + choose_.below(3),
                                            literal(*type.element, depth - 1));
  }
  return {};
}

} // namespace inspect::test
