#include "tests/commands/truth/native_questions.h"

#include <fmt/format.h>

namespace inspect::test {
namespace {

const std::vector<std::string> integer_formats{"/x", "/d", "/u", "/o", "/t", "/c", "/z"};
const std::vector<std::string> any_formats{"/x", "/d", "/t"};
const std::vector<std::string> arithmetic{"+", "-", "*", "/"};
const std::vector<std::string> bitwise{"&", "|", "^", "%"};
const std::vector<std::string> comparisons{"==", "!=", "<", ">", "<=", ">="};
const std::vector<std::string> casts{"char",         "unsigned char", "short", "unsigned short", "int",
                                     "unsigned int", "long",          "float", "double",         "unsigned long"};
const std::vector<std::string> casts_to_integers{"char", "unsigned char", "short", "int", "unsigned int", "long"};

bool is_number(const NativeTypeRef &type) {
  return type->kind == NativeKind::integer || type->kind == NativeKind::floating;
}

} // namespace

NativeQuestions::NativeQuestions(SeededChoice &choice, std::string function, const std::vector<NativeVariable> &visible)
    : choice_(choice), function_(std::move(function)), visible_(visible) {}

std::vector<NativeQuestion> NativeQuestions::about_each_variable() {
  std::vector<NativeQuestion> questions;
  for (const auto &[name, type] : visible_) {
    const bool is_generated = type->values.empty(); // of a class the two write its functions differently
    for (const std::string &command : {"p " + name, "whatis " + name, "p sizeof(" + name + ")"})
      questions.push_back({function_, command, {}});
    if (is_generated && (type->kind == NativeKind::structure || type->kind == NativeKind::one_of))
      questions.push_back({function_, "ptype " + name, {}});
  }
  return questions;
}

NativeQuestions::Path NativeQuestions::step_into(Path path) {
  // A pointer's target is asked for in two ways.
  while (true) {
    switch (path.type->kind) {
    case NativeKind::structure:
    case NativeKind::one_of: {
      if (choice_.one_in(5))
        return path;
      const NativeField &field = choice_.of(path.type->fields);
      path = {path.text + "." + field.name, field.type, field.bits > 0};
      break;
    }
    case NativeKind::array:
      if (choice_.one_in(5))
        return path;
      path = {fmt::format("{}[{}]", path.text, choice_.below(path.type->count)), path.type->target};
      break;
    case NativeKind::pointer: {
      if (choice_.one_in(4))
        return path;
      const NativeTypeRef target = path.type->target;
      const bool has_members = target->kind == NativeKind::structure || target->kind == NativeKind::one_of;
      if (has_members && choice_.one_in(2)) {
        const NativeField &field = choice_.of(target->fields);
        path = {path.text + "->" + field.name, field.type, field.bits > 0};
      } else {
        path = {"(*" + path.text + ")", target};
      }
      break;
    }
    default:
      return path;
    }
  }
}

NativeQuestions::Path NativeQuestions::path() {
  const NativeVariable &variable = choice_.of(visible_);
  return step_into({variable.name, variable.type});
}

NativeQuestions::Path NativeQuestions::scalar_path(bool whole) {
  for (int tries = 0; tries < 50; ++tries)
    if (Path found = path(); is_number(found.type) && (!whole || found.type->kind == NativeKind::integer) &&
                             !(without_bit_fields_ && found.is_bit_field))
      return found;
  return {"1", nullptr};
}

NativeQuestions::Path NativeQuestions::path_of_kind(NativeType::Kind kind) {
  for (int tries = 0; tries < 50; ++tries)
    if (Path found = path(); found.type->kind == kind)
      return found;
  return {};
}

std::string NativeQuestions::literal(bool whole) {
  static const std::vector<std::string> integers{"0",   "1",    "2",  "7",   "-3", "100",   "0x7f",  "077", "31",
                                                 "255", "40ul", "1u", "'a'", "3l", "'\\n'", "65536", "'0'", "0xffff"};
  static const std::vector<std::string> fractions{"1.5", "0.25", "1e3", "2.5f", "1.0l"};
  return choice_.of(whole || !choice_.one_in(4) ? integers : fractions);
}

std::string NativeQuestions::operand(std::size_t depth, bool whole) {
  if (depth == 0 || choice_.one_in(3))
    return choice_.one_in(3) ? literal(whole) : scalar_path(whole).text;
  return "(" + number(depth - 1, whole) + ")";
}

std::string NativeQuestions::number(std::size_t depth, bool whole) {
  switch (choice_.below(10)) {
  case 0:
    return fmt::format("{} {} {}", operand(depth, true), choice_.of(bitwise), operand(depth, true));
  case 1:
    return fmt::format("{} {} {}", operand(depth, false), choice_.of(comparisons), operand(depth, false));
  case 2:
    return fmt::format("{} {} {}", operand(depth, false), choice_.one_in(2) ? "&&" : "||", operand(depth, false));
  case 3:
    return fmt::format("({}){}", choice_.of(whole ? casts_to_integers : casts), operand(depth, true));
  case 4:
    return choice_.of(std::vector<std::string>{"-", "~", "!"}) + operand(depth, true);
  case 5:
    return fmt::format("{} {} {}", operand(depth, true), choice_.one_in(2) ? "<<" : ">>", choice_.below(20));
  default:
    return fmt::format("{} {} {}", operand(depth, whole), choice_.of(arithmetic), operand(depth, whole));
  }
}

std::string NativeQuestions::of_pointers_and_arrays() {
  const Path pointer = path_of_kind(NativeKind::pointer);
  const Path array = path_of_kind(NativeKind::array);
  const bool on_pointer = !pointer.text.empty() && (array.text.empty() || choice_.one_in(2));
  if (!on_pointer && array.text.empty())
    return "p 1";
  const Path &path = on_pointer ? pointer : array;
  if (is_wide_character(path.type->target))
    return "p " + path.text;
  switch (choice_.below(9)) {
  case 0:
    return fmt::format("p {} + {}", path.text, choice_.below(4));
  case 1:
    return fmt::format("p *({} + {})", path.text, on_pointer ? 0 : choice_.below(path.type->count));
  case 2:
    return fmt::format("p *{}@{}", path.text, on_pointer ? 1 : path.type->count);
  case 3:
    return fmt::format("whatis {} + 1", path.text);
  case 4:
    return fmt::format("whatis *{}", path.text);
  case 5:
    return fmt::format("p/x {}", path.text);
  case 6:
    return fmt::format("p &{}[0] == {}", path.text, path.text);
  case 7:
    return fmt::format("p sizeof(*{})", path.text);
  default:
    return fmt::format("p &{}[{}]", path.text, on_pointer ? 0 : choice_.below(path.type->count));
  }
}

NativeQuestion NativeQuestions::one_question() {
  const auto asked = [this](std::string command) { return NativeQuestion{function_, std::move(command), {}}; };
  switch (choice_.below(14)) {
  case 0:
    return asked("p " + path().text);
  case 1:
    return asked("p " + scalar_path(false).text);
  case 2:
    return asked("p" + choice_.of(integer_formats) + " " + scalar_path(false).text);
  case 3: {
    const Path whole = path();
    return asked((whole.type->kind == NativeKind::library ? "p " : "p" + choice_.of(any_formats) + " ") + whole.text);
  }
  case 4:
    return asked("whatis " + path().text);
  case 5: {
    without_bit_fields_ = true;
    std::string expression = number(1, false);
    without_bit_fields_ = false;
    return asked("whatis " + expression);
  }
  case 6:
    return asked("p sizeof(" + path().text + ")");
  case 7: {
    const Path place = path();
    return asked((place.type->kind == NativeKind::library || place.is_bit_field || is_wide_character(place.type)
                      ? "p "
                      : "p &") +
                 place.text);
  }
  case 8:
    return asked(of_pointers_and_arrays());
  case 9:
    return asked(of_pointers_and_arrays());
  case 10:
    return asked("p" + choice_.of(integer_formats) + " " + number(1, true));
  default: {
    const std::string expression = number(2, false);
    return {function_, "p " + expression, expression};
  }
  }
}

std::vector<NativeQuestion> NativeQuestions::expressions(std::size_t count) {
  std::vector<NativeQuestion> questions;
  while (questions.size() < count)
    questions.push_back(one_question());
  return questions;
}

} // namespace inspect::test
