#include "tests/commands/truth/go_questions.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect::test {
namespace {

/// A field of its own hides one that would be promoted.
bool has_field(const GoTestType &type, const std::string &name) {
  return std::any_of(type.fields.begin(), type.fields.end(), [&](const auto &field) { return field.first == name; });
}

} // namespace

GoQuestions::Path GoQuestions::variable() const {
  const GoTestVariable &one = choose_.one_of(scope_);
  return {one.name, one.type, one.held, true};
}

/// One step into a value, or the path itself where there is none.
GoQuestions::Path GoQuestions::step(const Path &from) const {
  const GoTestType &type = *from.type;
  const std::string index = fmt::format("{}", choose_.below(3));
  switch (type.kind) {
  case GoTypeKind::structure: {
    const auto &[name, of] = choose_.one_of(type.fields);
    if (name == "_")
      return from;
    for (const std::string &embedded : type.promoted)
      if (embedded == name && of->kind == GoTypeKind::structure && choose_.once_in(2)) // one of its own, promoted
        if (const auto &[inner, inner_type] = choose_.one_of(of->fields); inner != "_" && !has_field(type, inner))
          return {fmt::format("{}.{}", from.text, inner), inner_type, nullptr, from.has_address};
    return {fmt::format("{}.{}", from.text, name), of, nullptr, from.has_address};
  }
  case GoTypeKind::pointer:
    if (type.element->kind == GoTypeKind::structure && choose_.once_in(2)) {
      const auto &[name, of] = choose_.one_of(type.element->fields);
      return name == "_" ? from : Path{fmt::format("{}.{}", from.text, name), of, nullptr, true};
    }
    return {fmt::format("(*{})", from.text), type.element, nullptr, true};
  case GoTypeKind::slice:
    return {fmt::format("{}[{}]", from.text, index), type.element, nullptr, true};
  case GoTypeKind::array:
    return {fmt::format("{}[{}]", from.text, choose_.below(static_cast<std::size_t>(type.length))), type.element,
            nullptr, from.has_address};
  case GoTypeKind::map:
    return {
        fmt::format("{}[{}]", from.text, type.key->kind == GoTypeKind::text ? fmt::format("\"k{}\"", index) : index),
        type.element, nullptr, false};
  case GoTypeKind::any:
    if (from.held != nullptr)
      return {fmt::format("{}.({})", from.text, from.held->name), from.held, nullptr, false};
    return from;
  default:
    return from;
  }
}

GoQuestions::Path GoQuestions::path(std::size_t steps) const {
  Path at = variable();
  for (std::size_t i = 0; i < steps; ++i)
    at = step(at);
  return at;
}

std::optional<GoQuestions::Path> GoQuestions::path_of_kind(GoTypeKind kind) const {
  for (int i = 0; i < 40; ++i)
    if (Path found = path(choose_.below(4)); found.type->kind == kind)
      return found;
  return std::nullopt;
}

GoTestQuestion GoQuestions::about(const Path &path) const {
  const GoTestType &type = *path.type;
  const bool has_length = type.kind == GoTypeKind::slice || type.kind == GoTypeKind::array ||
                          type.kind == GoTypeKind::map || type.kind == GoTypeKind::text ||
                          type.kind == GoTypeKind::channel;
  if (has_length && choose_.once_in(4))
    return {"print", fmt::format("len({})", path.text)};
  if ((type.kind == GoTypeKind::slice || type.kind == GoTypeKind::channel) && choose_.once_in(4))
    return {"print", fmt::format("cap({})", path.text)};
  if (type.kind == GoTypeKind::slice && choose_.once_in(4))
    return {"print", fmt::format("{}[{}:]", path.text, choose_.below(2))};
  if (type.kind == GoTypeKind::array && path.has_address && choose_.once_in(4))
    return {"print", fmt::format("{}[:1]", path.text)};
  if (type.kind == GoTypeKind::text && choose_.once_in(4))
    return {"print", fmt::format("{}[{}]", path.text, choose_.below(3))};
  if ((type.kind == GoTypeKind::integer || type.kind == GoTypeKind::text) && choose_.once_in(6)) {
    static const std::array<std::string_view, 3> of_number = {"print %x", "print %d", "print %o"};
    static const std::array<std::string_view, 3> of_text = {"print %x", "print %q", "print %s"};
    return {std::string(choose_.one_of(type.kind == GoTypeKind::integer ? of_number : of_text)), path.text};
  }
  if (choose_.once_in(8) && type.kind != GoTypeKind::any && type.kind != GoTypeKind::error)
    return {"whatis", path.text};
  if (choose_.once_in(12) && path.has_address)
    return {"print", "&" + path.text, false};
  return {"print", path.text};
}

/// Of the type, and never a constant.
std::string GoQuestions::number_tree(const GoTestType &type, int depth) const {
  std::vector<Path> leaves;
  for (int i = 0; i < 30 && leaves.empty(); ++i)
    if (const Path one = path(choose_.below(4)); one.type == &type)
      leaves.push_back(one);
  std::string left = leaves.empty() ? std::string() : leaves.front().text;
  if (leaves.empty() || (depth > 0 && choose_.once_in(4))) {
    const bool is_complex = type.kind == GoTypeKind::complex_number;
    const auto other = path_of_kind(is_complex ? GoTypeKind::complex_number
                                    : type.kind == GoTypeKind::floating && choose_.once_in(2) ? GoTypeKind::floating
                                                                                              : GoTypeKind::integer);
    left = other ? fmt::format("{}({})", type.name, other->text) : left;
    if (left.empty())
      return {};
  }
  if (depth <= 0)
    return left;
  if (choose_.once_in(5))
    return fmt::format("{}{}", type.kind == GoTypeKind::integer && choose_.once_in(2) ? "^" : "-", left);
  const std::string literal = fmt::format("{}", 1 + choose_.below(100));
  std::string right = choose_.once_in(2) ? number_tree(type, depth - 1) : literal;
  if (right.empty())
    right = literal;
  if (type.kind == GoTypeKind::integer) {
    static const std::array<std::string_view, 7> operators = {"+", "-", "*", "&", "|", "^", "&^"};
    static const std::array<std::string_view, 4> by_constant = {"/", "%", "<<", ">>"};
    if (choose_.once_in(3)) {
      const std::string_view by = choose_.one_of(by_constant);
      return fmt::format("({} {} {})", left, by, by.size() == 2 ? 1 + choose_.below(7) : 1 + choose_.below(20));
    }
    return fmt::format("({} {} {})", left, choose_.one_of(operators), right);
  }
  static const std::array<std::string_view, 3> operators = {"+", "-", "*"};
  return choose_.once_in(4) ? fmt::format("({} / {})", left, literal)
                            : fmt::format("({} {} {})", left, choose_.one_of(operators), right);
}

std::string GoQuestions::text_tree(int depth) const {
  const auto one = path_of_kind(GoTypeKind::text);
  if (!one)
    return {};
  std::string text = one->type == &types_.text() ? one->text : fmt::format("string({})", one->text);
  if (choose_.once_in(4))
    text += fmt::format("[:{}]", choose_.below(4));
  if (depth <= 0)
    return text;
  const std::string other = text_tree(depth - 1);
  return !other.empty() && choose_.once_in(2) ? fmt::format("{} + {}", text, other) : fmt::format("\"<\" + {}", text);
}

std::string GoQuestions::condition(int depth) const {
  static const std::array<std::string_view, 6> orders = {"==", "!=", "<", "<=", ">", ">="};
  const auto both = [&](const std::string &left, std::string_view by, const std::string &right) {
    return left.empty() || right.empty() ? std::string() : fmt::format("{} {} {}", left, by, right);
  };
  switch (choose_.below(depth > 0 ? 6 : 4)) {
  case 0: {
    const GoTestType &type = types_.number();
    const bool ordered = type.kind != GoTypeKind::complex_number;
    const std::string left = number_tree(type, 1);
    return both(left, ordered ? choose_.one_of(orders) : "==", number_tree(type, 1));
  }
  case 1:
    return both(text_tree(0), choose_.one_of(orders), text_tree(0));
  case 2: {
    static const std::array<GoTypeKind, 7> nilable = {GoTypeKind::slice,  GoTypeKind::map,      GoTypeKind::pointer,
                                                      GoTypeKind::any,    GoTypeKind::function, GoTypeKind::error,
                                                      GoTypeKind::channel};
    const auto one = path_of_kind(choose_.one_of(nilable));
    return one ? fmt::format("{} {} nil", one->text, choose_.once_in(2) ? "==" : "!=") : std::string();
  }
  case 3: {
    const auto one = path_of_kind(GoTypeKind::boolean);
    return one ? fmt::format("!{}", one->text) : std::string();
  }
  default: {
    const std::string left = condition(depth - 1);
    const std::string right = condition(depth - 1);
    return left.empty() || right.empty() ? left
                                         : fmt::format("({}) {} ({})", left, choose_.once_in(2) ? "&&" : "||", right);
  }
  }
}

std::string GoQuestions::whole_number(int depth) const {
  return number_tree(types_.integer("int"), depth);
}

GoTestQuestion GoQuestions::tree() const {
  switch (choose_.below(8)) {
  case 0:
    return {"print", text_tree(1)};
  case 1:
  case 2:
    return {"print", condition(1)};
  case 3: {
    const auto number = path_of_kind(GoTypeKind::complex_number);
    return {"print",
            number ? fmt::format("{}({})", choose_.once_in(2) ? "real" : "imag", number->text) : std::string()};
  }
  case 4: {
    const auto text = path_of_kind(GoTypeKind::text);
    return {"print",
            text ? fmt::format("{}({})", choose_.once_in(2) ? "[]byte" : "[]rune", text->text) : std::string()};
  }
  case 5:
    return {"print", whole_number(2)};
  default:
    return {choose_.once_in(8) ? "whatis" : "print", number_tree(types_.number(), 2)};
  }
}

std::vector<GoTestQuestion> GoQuestions::all(std::size_t paths, std::size_t trees) {
  std::vector<GoTestQuestion> questions;
  for (const GoTestVariable &one : scope_) {
    questions.push_back({"print", one.name});
    if (one.type->kind == GoTypeKind::any && one.held != nullptr)
      questions.push_back({"print", fmt::format("{}.({})", one.name, one.held->name)});
    else if (one.type->kind == GoTypeKind::any || one.type->kind == GoTypeKind::error)
      questions.push_back({"print", one.name, true, true});
  }
  for (std::size_t i = 0; i < paths; ++i)
    questions.push_back(about(path(1 + choose_.below(3))));
  for (std::size_t i = 0; i < trees; ++i)
    if (GoTestQuestion one = tree(); !one.expression.empty())
      questions.push_back(std::move(one));
  return questions;
}

} // namespace inspect::test
