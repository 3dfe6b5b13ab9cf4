#include "golang/types/type_grammar.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>

namespace inspect {
namespace {

using Kind = GoToken::Kind;
using Shape = GoTypeSyntax::Shape;
using Part = GoTypeSyntax::Part;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Letters outside ASCII are taken as they are.
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

/// Of user space.
constexpr std::uint64_t max_array_size = std::uint64_t{1} << 47;

/// "10", "0x10", "0b1", "0o7", "07", "1_000".
std::optional<std::uint64_t> integer_literal(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '_');
  int base = 10;
  std::size_t prefix = 0;
  if (digits.size() > 1 && digits.front() == '0') {
    const char letter = static_cast<char>(digits[1] | 0x20);
    base = letter == 'x' ? 16 : letter == 'b' ? 2 : 8;
    prefix = letter == 'x' || letter == 'b' || letter == 'o' ? 2 : 1;
  }
  std::uint64_t value = 0;
  const char *const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data() + prefix, end, value, base);
  return parsed.ptr == end && parsed.ec == std::errc() ? std::optional(value) : std::nullopt;
}

/// Of a literal that may be a raw string: as strconv.Quote would write it.
std::string quoted_literal(std::string_view literal) {
  return literal.starts_with('`') ? quoted_tag(literal.substr(1, literal.size() - 2)) : std::string(literal);
}

/// A field is called as the type that it embeds, without package, pointer and type arguments.
std::string embedded_name(const GoTypeSyntax &type) {
  if (type.shape == Shape::pointer)
    return type.parts.empty() ? std::string() : embedded_name(type.parts.front().type);
  const std::string name = type.name.substr(0, type.name.find('['));
  return name.substr(name.rfind('.') + 1); // npos + 1 is 0
}

void weigh(GoTypeSyntax &type) {
  type.weight = sizeof(Part) + type.name.size();
  for (const Part &part : type.parts)
    type.weight += part.type.weight + part.name.size() + part.tag.size();
}

std::string part_text(const Part &part) {
  return (part.variadic ? "..." : part.underlying ? "~" : "") + go_type_text(part.type);
}

std::vector<std::string> texts(auto begin, auto end) {
  std::vector<std::string> all;
  std::transform(begin, end, std::back_inserter(all), part_text);
  return all;
}

std::string signature_of(const GoTypeSyntax &type) {
  const auto results = type.parts.end() - static_cast<std::ptrdiff_t>(type.result_count);
  return signature_text(texts(type.parts.begin(), results), texts(results, type.parts.end()));
}

/// Of a structure's field or an interface's method or type set.
std::string member_text(const GoTypeSyntax &of, const Part &part) {
  if (of.shape == Shape::structure)
    return field_text(part.embedded ? "" : part.name, part_text(part), part.tag);
  return part.name.empty() ? part_text(part) : part.name + signature_of(part.type);
}

} // namespace

const GoToken &GoTokens::peek(std::size_t ahead) {
  while (known_ <= ahead)
    next_[known_++] = read();
  return next_[ahead];
}

GoToken GoTokens::take() {
  const GoToken token = peek();
  if (token.kind == Kind::end || token.kind == Kind::invalid)
    return token;
  std::ranges::move(next_.begin() + 1, next_.end(), next_.begin());
  --known_;
  last_end_ = token.end();
  return token;
}

void GoTokens::stop() {
  at_ = text_.size();
  known_ = 0;
}

GoToken GoTokens::read() {
  skip_blanks();
  GoToken token{.kind = Kind::end, .text = {}, .offset = at_, .after_line_end = std::exchange(line_end_, false)};
  if (at_ < text_.size())
    measure(token);
  at_ = token.kind == Kind::invalid ? text_.size() : token.end();
  return token;
}

void GoTokens::skip_blanks() {
  while (at_ < text_.size()) {
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("//")) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (rest.starts_with("/*")) {
      const std::size_t end = text_.find("*/", at_ + 2);
      at_ = end == std::string_view::npos ? text_.size() : end + 2;
    } else if (std::string_view(" \t\r\n").contains(text_[at_])) {
      line_end_ = line_end_ || text_[at_] == '\n';
      ++at_;
    } else {
      return;
    }
  }
}

void GoTokens::measure(GoToken &token) const {
  const std::string_view rest = text_.substr(at_);
  const char first = rest.front();
  token.kind = Kind::invalid;
  token.text = rest.substr(0, 1);
  if (begins_name(first) || is_digit(first)) {
    token.kind = begins_name(first) ? Kind::name : Kind::number;
    const auto stop = std::ranges::find_if_not(rest, [](char c) { return begins_name(c) || is_digit(c); });
    token.text = rest.substr(0, static_cast<std::size_t>(stop - rest.begin()));
  } else if (first == '"' || first == '`' || first == '\'') {
    std::size_t end = 1;
    while (end < rest.size() && rest[end] != first)
      end += first != '`' && rest[end] == '\\' ? 2 : 1;
    if (end >= rest.size())
      return;
    token.kind = Kind::text;
    token.text = rest.substr(0, end + 1);
  } else {
    for (const std::string_view sign : {"...", "<-"})
      if (rest.starts_with(sign)) {
        token.kind = Kind::sign;
        token.text = rest.substr(0, sign.size());
        return;
      }
    if (std::string_view("()[]{},;.*=~|&:+-/<>!%^@#$?").contains(first))
      token.kind = Kind::sign;
  }
}

std::string place_in_text(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const std::size_t line_start = before.rfind('\n') + 1; // npos + 1 is 0
  const std::size_t column = before.size() - line_start + 1;
  if (text.find('\n') == std::string_view::npos)
    return fmt::format("column {}", column);
  return fmt::format("line {}, column {}", std::ranges::count(before, '\n') + 1, column);
}

std::string go_type_text(const GoTypeSyntax &type) {
  const auto part = [&type](std::size_t index) {
    return index < type.parts.size() ? part_text(type.parts[index]) : std::string();
  };
  switch (type.shape) {
  case Shape::named:
    return std::string(printed_predeclared(type.name));
  case Shape::pointer:
    return "*" + part(0);
  case Shape::slice:
    return "[]" + part(0);
  case Shape::array:
    return fmt::format("[{}]{}", type.length, part(0));
  case Shape::map:
    return fmt::format("map[{}]{}", part(0), part(1));
  case Shape::channel:
    return channel_text(type.name, part(0));
  case Shape::function:
    return "func" + signature_of(type);
  case Shape::type_set:
    return fmt::format("{}", fmt::join(texts(type.parts.begin(), type.parts.end()), " | "));
  case Shape::structure:
  case Shape::interface:
    break;
  }
  std::vector<std::string> members;
  for (const Part &member : type.parts)
    members.push_back(member_text(type, member));
  return members_text(type.shape == Shape::structure ? "struct" : "interface", members);
}

const GoToken &GoTypeParser::next() {
  if (const GoToken &token = tokens_.peek(); token.kind == Kind::invalid)
    fail(token.offset,
         std::string_view("\"'`").contains(token.text)
             ? "a string without end"
             : fmt::format("byte 0x{:02x} has no meaning in Go", static_cast<unsigned char>(token.text.front())));
  return tokens_.peek();
}

GoToken GoTypeParser::take() {
  next();
  return tokens_.take();
}

bool GoTypeParser::accept(std::string_view what) {
  if (!next().is(what))
    return false;
  tokens_.take();
  return true;
}

bool GoTypeParser::expect(std::string_view what, std::string_view where) {
  if (accept(what))
    return true;
  fail_here(fmt::format("'{}' {}", what, where));
  return false;
}

std::string GoTypeParser::take_name(std::string_view what) {
  if (next().kind == Kind::name)
    return std::string(tokens_.take().text);
  fail_here(what);
  return {};
}

void GoTypeParser::fail(std::size_t offset, std::string what) {
  if (!failure_)
    failure_ = Failure{offset, std::move(what)};
  tokens_.stop();
}

void GoTypeParser::fail_here(std::string_view expected) {
  const GoToken found = next();
  const std::string what = found.kind == Kind::end ? "the text ends" : fmt::format("there is '{}'", found.text);
  fail(found.offset, fmt::format("expected {}, but {} here", expected, what));
}

GoTypeSyntax GoTypeParser::type() {
  const std::size_t begin = next().offset;
  if (++nesting_ > max_go_type_nesting)
    fail(begin, "types are nested too deeply");
  GoTypeSyntax result = failure_ ? GoTypeSyntax() : any_type();
  --nesting_;
  result.begin = begin;
  result.end = tokens_.last_end();
  weigh(result);
  return result;
}

/// For each of "a, b, c T". Types that repeat types that repeat others grow exponentially, so there is a limit.
GoTypeSyntax GoTypeParser::repeated(const GoTypeSyntax &type) {
  repeatable_ -= std::min(repeatable_, type.weight);
  if (repeatable_ > 0)
    return type;
  fail(type.begin, "this type is repeated too often");
  return {};
}

GoTypeSyntax GoTypeParser::made(Shape shape, GoTypeSyntax of) {
  GoTypeSyntax result;
  result.shape = shape;
  result.parts.push_back({.type = std::move(of)});
  return result;
}

GoTypeSyntax GoTypeParser::any_type() {
  const bool map_type = next().is("map") && after_next().is("[");
  const bool plain_name = (next().kind == Kind::name && !next().is("chan") && !next().is("func") &&
                           !next().is("interface") && !next().is("struct") && !map_type) ||
                          next().kind == Kind::text;
  if (plain_name)
    return named();
  paths_ = true;
  if (accept("*"))
    return made(Shape::pointer, type());
  if (accept("(")) {
    GoTypeSyntax inner = type();
    expect(")", "after the type");
    return inner;
  }
  if (next().is("["))
    return bracketed();
  if (next().is("chan") || next().is("<-"))
    return channel();
  if (map_type)
    return map();
  if (accept("func"))
    return signature();
  if (accept("struct"))
    return structure();
  if (accept("interface"))
    return interface();
  fail_here("a type");
  return {};
}

GoTypeSyntax GoTypeParser::bracketed() {
  take();
  if (accept("]"))
    return made(Shape::slice, type());
  const GoToken written = next();
  const auto length = written.kind == Kind::number ? integer_literal(written.text) : std::nullopt;
  if (!length) {
    fail(written.offset, written.kind == Kind::end
                             ? "expected an array's length, but the text ends here"
                             : fmt::format("an array's length must be written as a number, not as '{}'", written.text));
    return {};
  }
  take();
  expect("]", "after the array's length");
  GoTypeSyntax result = made(Shape::array, type());
  result.length = *length;
  return result;
}

GoTypeSyntax GoTypeParser::map() {
  take();
  take();
  GoTypeSyntax result = made(Shape::map, type());
  expect("]", "after the map's key type");
  result.parts.push_back({.type = type()});
  return result;
}

GoTypeSyntax GoTypeParser::channel() {
  std::string direction = "chan";
  if (accept("<-")) {
    direction = "<-chan";
    expect("chan", "after '<-'");
  } else {
    take();
    if (accept("<-"))
      direction = "chan<-";
  }
  GoTypeSyntax result = made(Shape::channel, type());
  result.name = std::move(direction);
  return result;
}

GoTypeSyntax GoTypeParser::signature() {
  GoTypeSyntax result;
  result.shape = Shape::function;
  result.parts = parameter_list();
  // On a line of its own it is something else: what follows a declaration.
  if (failure_ || next().after_line_end)
    return result;
  std::vector<Part> results;
  if (next().is("("))
    results = parameter_list();
  else if (next().kind == Kind::name || next().is("*") || next().is("[") || next().is("<-"))
    results.push_back({.type = type()});
  result.result_count = results.size();
  std::ranges::move(results, std::back_inserter(result.parts));
  return result;
}

/// Reads a type. True if it is one identifier, which may be the name of what has a type behind it.
bool GoTypeParser::takes_lone_name(GoTypeSyntax &into) {
  const GoToken first = next();
  into = type();
  return first.kind == Kind::name && tokens_.last_end() == first.end();
}

std::vector<Part> GoTypeParser::parameter_list() {
  std::vector<Part> parts;
  std::vector<bool> lone; ///< a name or a type: the rest of the list says which
  if (!expect("(", "before the parameters"))
    return {};
  bool have_names = false;
  while (!failure_ && !accept(")")) {
    Part part{.variadic = accept("...")};
    bool alone = takes_lone_name(part.type) && !part.variadic;
    if (alone && !next().is(",") && !next().is(")")) {
      part.name = std::move(part.type.name);
      part.variadic = accept("...");
      part.type = type();
      have_names = true;
      alone = false;
    }
    lone.push_back(alone);
    parts.push_back(std::move(part));
    if (!next().is(")") && !failure_)
      expect(",", "or ')' after a parameter");
  }
  if (!have_names || failure_)
    return parts;
  const Part *following = nullptr;
  for (std::size_t i = parts.size(); i-- > 0;) {
    if (!lone[i]) {
      following = &parts[i];
    } else if (following == nullptr) {
      fail(next().offset, fmt::format("the parameter '{}' has no type", parts[i].type.name));
      break;
    } else {
      parts[i].name = std::move(parts[i].type.name);
      parts[i].type = repeated(following->type);
    }
  }
  return parts;
}

bool GoTypeParser::ends_member() {
  return next().is(";") || next().is("}") || next().after_line_end;
}

GoTypeSyntax GoTypeParser::structure() {
  GoTypeSyntax result;
  result.shape = Shape::structure;
  if (!expect("{", "after 'struct'"))
    return result;
  while (!failure_ && !accept("}")) {
    if (accept(";"))
      continue;
    std::ranges::move(fields_of_line(), std::back_inserter(result.parts));
    if (!ends_member())
      fail_here("';' or '}' after a field");
  }
  return result;
}

std::vector<Part> GoTypeParser::fields_of_line() {
  std::vector<Part> fields(1);
  const bool alone = takes_lone_name(fields[0].type);
  if (failure_)
    return {};
  if (!alone || ends_member() || next().kind == Kind::text) {
    fields[0].embedded = true;
    fields[0].name = embedded_name(fields[0].type);
  } else {
    fields[0].name = std::move(fields[0].type.name);
    while (accept(","))
      fields.push_back({.name = take_name("a field's name")});
    const GoTypeSyntax of = type();
    for (Part &field : fields)
      field.type = repeated(of);
  }
  if (next().kind == Kind::text) {
    const std::string tag = quoted_literal(take().text);
    for (Part &field : fields)
      field.tag = tag;
  }
  return fields;
}

GoTypeSyntax GoTypeParser::interface() {
  GoTypeSyntax result;
  result.shape = Shape::interface;
  if (!expect("{", "after 'interface'"))
    return result;
  while (!failure_ && !accept("}")) {
    if (accept(";"))
      continue;
    if (next().kind == Kind::name && after_next().is("(")) {
      std::string name(take().text);
      result.parts.push_back({.name = std::move(name), .type = signature()});
    } else {
      result.parts.push_back({.type = type_set()});
    }
    weigh(result.parts.back().type);
    if (!ends_member())
      fail_here("';' or '}' after a method");
  }
  return result;
}

GoTypeSyntax GoTypeParser::type_set() {
  GoTypeSyntax result;
  result.shape = Shape::type_set;
  do {
    const bool underlying = accept("~");
    result.parts.push_back({.type = type(), .underlying = underlying});
  } while (accept("|"));
  return result;
}

/// Goes on with an unquoted path: "/x" of "net/http", "-b" of "a-b/c", "%2ev2".
bool GoTypeParser::takes_path_sign(std::string &name) {
  const auto is_path_sign = [this](const GoToken &token) {
    return token.is("/") || (!in_expression_ && (token.is("-") || token.is("~") || token.is("%")));
  };
  const auto is_word = [](const GoToken &token) { return token.kind == Kind::name || token.kind == Kind::number; };
  const GoToken sign = next();
  const GoToken &rest = after_next();
  if (!paths_ || !is_path_sign(sign) || sign.offset != tokens_.last_end() || rest.offset != sign.end() ||
      (!is_word(rest) && !is_path_sign(rest)))
    return false;
  name += take().text;
  if (is_word(next()))
    name += take().text;
  return true;
}

GoTypeSyntax GoTypeParser::named() {
  const std::size_t begin = next().offset;
  GoTypeSyntax result;
  const bool in_quotes = next().kind == Kind::text;
  std::string &name = result.name;
  name = take().text;
  if (in_quotes)
    name = name.substr(1, name.size() - 2);
  while (!failure_ && (next().is(".") || takes_path_sign(name))) {
    if (!next().is("."))
      continue;
    if (after_next().is("(")) // x.(T)
      return result;
    name += take().text;
    if (name == "go.shape.")
      return name += go_type_text(type()), result;
    if (next().kind == Kind::number && next().offset == tokens_.last_end())
      name += take().text;
    else
      name += take_name("a type's name after '.'");
  }
  // What follows the name of a parameter or a field may be a slice or an array.
  if (next().is("[") && !next().after_line_end && !after_next().is("]") && after_next().kind != Kind::number)
    name += type_arguments(begin);
  return result;
}

std::string GoTypeParser::type_arguments(std::size_t begin) {
  paths_ = true;
  take();
  std::string text = "[";
  do
    text += (text.size() > 1 ? "," : "") + (accept("...") ? "..." : go_type_text(type()));
  while (accept(","));
  expect("]", fmt::format("after the type arguments that begin at {}", place_in_text(tokens_.text(), begin)));
  return text + "]";
}

Result<const GoType *> GoTypeResolver::resolve(const GoTypeSyntax &type) {
  std::vector<const GoType *> parts;
  const bool made_of_parts = type.shape != Shape::function && type.shape != Shape::interface;
  for (const Part &part : type.parts) {
    if (!made_of_parts)
      break;
    const auto resolved = resolve(part.type);
    if (!resolved)
      return resolved;
    parts.push_back(*resolved);
  }
  const std::size_t needed = type.shape == Shape::map ? 2 : 1;
  const bool composed = type.shape >= Shape::pointer && type.shape <= Shape::channel;
  if (type.shape == Shape::type_set || (composed && parts.size() != needed))
    return std::unexpected(Error(ErrorKind::usage, fmt::format("'{}' is not one type", go_type_text(type))));
  switch (type.shape) {
  case Shape::pointer:
    return pool_.pointer_to(*parts[0]);
  case Shape::slice:
    return pool_.slice_of(*parts[0]);
  case Shape::array:
    return array_of(*parts[0], type.length);
  case Shape::map:
    return pool_.map_of(*parts[0], *parts[1]);
  case Shape::channel:
    return pool_.channel_of(*parts[0], type.name);
  case Shape::function:
    return &pool_.add(GoKind::function, go_type_text(type));
  case Shape::interface: {
    if (type.parts.empty())
      return pool_.predeclared("any");
    GoType &made = pool_.add(GoKind::interface, go_type_text(type));
    made.has_methods = true;
    return &made;
  }
  case Shape::structure: {
    std::vector<GoField> fields;
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const Part &part = type.parts[i];
      texts.push_back(field_text(part.embedded ? "" : part.name, parts[i]->name, part.tag));
      fields.push_back({part.name, parts[i], 0, part.embedded});
    }
    return structure_of(std::move(fields), members_text("struct", texts));
  }
  default:
    return named(type.name);
  }
}

Result<const GoType *> GoTypeResolver::array_of(const GoType &element, std::uint64_t length) {
  std::uint64_t size = 0;
  if (__builtin_mul_overflow(length, element.size, &size) || size >= max_array_size || length >= max_array_size)
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("the array [{}]{} is longer than memory", length, element.name)));
  return pool_.array_of(element, length);
}

const GoType *GoTypeResolver::structure_of(std::vector<GoField> fields, std::string name) {
  return &pool_.structure_of(std::move(fields), std::move(name));
}

} // namespace inspect
