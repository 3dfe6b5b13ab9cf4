#include "golang/signatures/declaration_tokens.h"
#include "golang/signatures/declared_types.h"
#include "golang/signatures/signatures.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>

namespace inspect {
namespace {

/// Of types in types; a person writes three.
constexpr int max_nesting = 100;
constexpr std::size_t max_text = 1 << 20;

using Token = DeclarationToken;

/// One entry of a parameter list before it is known whether a lone name is a parameter's or a type's.
struct Entry {
  std::string name;
  const GoType *type = nullptr; ///< null: a name alone
};

class DeclarationParser {
public:
  DeclarationParser(std::string_view text, std::vector<Token> tokens, GoTypePool &pool)
      : text_(text), tokens_(std::move(tokens)), pool_(pool) {}

  Result<std::vector<GoDeclaration>> run();

private:
  const Token &next() const { return tokens_[at_]; }
  const Token &after_next() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  Token take() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_[at_]; }
  bool accept(std::string_view what);
  bool expect(std::string_view what, std::string_view where);
  std::string take_name(std::string_view what);
  /// Keeps the first failure; everything after it does nothing until run() sees it.
  void fail(std::size_t offset, const std::string &what);
  void fail_here(std::string_view expected);
  void skip_balanced();
  bool begins_type() const;

  void declaration();
  void type_declarations();
  void type_declaration();
  void function_declaration();
  std::string function_name();
  bool is_method_name() const;
  void type_parameters();
  std::vector<GoParameter> parameter_list();
  Entry entry();
  std::vector<GoParameter> results();

  const GoType *type();
  const GoType *type_by_first_token();
  const GoType *bracketed();
  const GoType *channel();
  const GoType *function_type();
  const GoType *interface_type();
  GoType *structure();
  void structure_fields(GoType &into);
  const GoType *qualified_name();
  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  GoTypePool &pool_;
  int nesting_ = 0;
  std::optional<Error> failure_;
  std::vector<GoDeclaration> found_;
  DeclaredTypes types_{pool_};
};

void DeclarationParser::fail(std::size_t offset, const std::string &what) {
  if (!failure_)
    failure_ = Error(ErrorKind::usage, fmt::format("{}: {}", place_in_text(text_, offset), what));
  at_ = tokens_.size() - 1;
}

void DeclarationParser::fail_here(std::string_view expected) {
  const Token &found = next();
  const std::string what = found.kind == Token::Kind::end ? "the text ends" : fmt::format("there is '{}'", found.text);
  fail(found.offset, fmt::format("expected {}, but {} here", expected, what));
}

bool DeclarationParser::accept(std::string_view what) {
  if (!next().is(what))
    return false;
  take();
  return true;
}

bool DeclarationParser::expect(std::string_view what, std::string_view where) {
  if (accept(what))
    return true;
  fail_here(fmt::format("'{}' {}", what, where));
  return false;
}

std::string DeclarationParser::take_name(std::string_view what) {
  if (next().kind == Token::Kind::name)
    return std::string(take().text);
  fail_here(what);
  return {};
}

/// Past the bracket that closes the one here.
void DeclarationParser::skip_balanced() {
  const Token opened = next();
  int depth = 0;
  do {
    const Token token = take();
    if (token.is("(") || token.is("[") || token.is("{"))
      ++depth;
    else if (token.is(")") || token.is("]") || token.is("}"))
      --depth;
    else if (token.kind == Token::Kind::end)
      return fail(opened.offset, fmt::format("'{}' is never closed", opened.text));
  } while (depth > 0);
}

bool DeclarationParser::begins_type() const {
  return next().kind == Token::Kind::name || next().is("*") || next().is("[") || next().is("(") || next().is("<-");
}

/// "T", "pkg.T", "pkg.T[int, string]".
const GoType *DeclarationParser::qualified_name() {
  const std::size_t begin = next().offset;
  std::string name = take_name("a type");
  if (accept("."))
    name += "." + take_name("a type's name after '.'");
  // What follows the name of an array's length is not type arguments, but a blank stands before it only there.
  if (!next().is("[") || next().after_line_end)
    return types_.named(name);
  name += "[";
  take();
  do {
    if (const GoType *argument = type())
      name += (name.ends_with("[") ? "" : ",") + argument->name;
  } while (accept(","));
  expect("]", fmt::format("after the type arguments that begin at {}", place_in_text(text_, begin)));
  return types_.named(name + "]");
}

const GoType *DeclarationParser::type() {
  if (failure_)
    return nullptr;
  if (++nesting_ > max_nesting)
    fail(next().offset, "types are nested too deeply");
  const GoType *result = failure_ ? nullptr : type_by_first_token();
  --nesting_;
  return failure_ ? nullptr : result;
}

const GoType *DeclarationParser::type_by_first_token() {
  if (accept("*")) {
    const GoType *element = type();
    return element ? pool_.pointer_to(*element) : nullptr;
  }
  if (next().is("["))
    return bracketed();
  if (accept("(")) {
    const GoType *inner = type();
    expect(")", "after the type");
    return inner;
  }
  if (next().is("chan") || next().is("<-"))
    return channel();
  if (accept("func"))
    return function_type();
  if (accept("interface"))
    return interface_type();
  if (accept("struct"))
    return structure();
  if (next().is("map") && after_next().is("[")) {
    take();
    take();
    const GoType *key = type();
    expect("]", "after the map's key type");
    const GoType *value = type();
    return key && value ? pool_.map_of(*key, *value) : nullptr;
  }
  return qualified_name();
}

const GoType *DeclarationParser::bracketed() {
  take();
  if (accept("]")) {
    const GoType *element = type();
    return element ? pool_.slice_of(*element) : nullptr;
  }
  const Token length = take();
  std::uint64_t count = 0;
  const auto end = length.text.data() + length.text.size();
  const auto parsed = std::from_chars(length.text.data(), end, count);
  if (length.kind != Token::Kind::number || parsed.ptr != end || parsed.ec != std::errc{})
    fail(length.offset, fmt::format("an array's length must be written as a number, not as '{}'", length.text));
  expect("]", "after the array's length");
  const GoType *element = type();
  if (!element)
    return nullptr;
  GoType &array = types_.add(GoKind::array, fmt::format("[{}]{}", count, element->name));
  array.element = element;
  array.length = count;
  return &array;
}

const GoType *DeclarationParser::channel() {
  std::string_view prefix = "chan";
  if (accept("<-")) {
    prefix = "<-chan";
    expect("chan", "after '<-'");
  } else {
    take();
    if (accept("<-"))
      prefix = "chan<-";
  }
  const GoType *element = type();
  return element ? pool_.channel_of(*element, prefix) : nullptr;
}

const GoType *DeclarationParser::function_type() {
  const auto types_of = [](const std::vector<GoParameter> &parameters) {
    std::string text;
    for (const GoParameter &one : parameters)
      text += (text.empty() ? "" : ", ") + (one.type ? one.type->name : std::string());
    return text;
  };
  const std::vector<GoParameter> parameters = parameter_list();
  const std::vector<GoParameter> returned = results();
  std::string name = "func(" + types_of(parameters) + ")";
  if (returned.size() == 1)
    name += " " + types_of(returned);
  else if (!returned.empty())
    name += " (" + types_of(returned) + ")";
  return &types_.add(GoKind::function, std::move(name));
}

const GoType *DeclarationParser::interface_type() {
  if (!next().is("{")) {
    fail_here("'{' after 'interface'");
    return nullptr;
  }
  const std::size_t first = at_;
  skip_balanced();
  if (failure_)
    return nullptr;
  if (at_ - first == 2)
    return pool_.predeclared("any");
  std::string name = "interface {";
  for (std::size_t i = first + 1; i + 1 < at_; ++i)
    name += (tokens_[i].after_line_end && i > first + 1 ? "; "
             : i == first + 1                           ? " "
                                                        : "") +
            std::string(tokens_[i].text) + (tokens_[i].is(",") || tokens_[i].is(";") ? " " : "");
  GoType &type = types_.add(GoKind::interface, name + " }");
  type.has_methods = true;
  return &type;
}

GoType *DeclarationParser::structure() {
  GoType &type = types_.add(GoKind::structure, {});
  if (expect("{", "after 'struct'")) {
    structure_fields(type);
    if (!failure_)
      type.name = structure_name(type.fields);
  }
  return &type;
}

void DeclarationParser::structure_fields(GoType &into) {
  while (!failure_ && !accept("}")) {
    if (accept(";"))
      continue;
    std::vector<std::string> names;
    const bool embedded = next().is("*") || after_next().is(".") || after_next().is(";") || after_next().is("}") ||
                          after_next().kind == Token::Kind::text || after_next().after_line_end;
    if (!embedded) {
      do
        names.push_back(take_name("a field's name"));
      while (accept(","));
    }
    const GoType *field_type = type();
    if (!field_type)
      return;
    if (embedded) { // the field is called as its type without package and pointer
      const std::string &name = field_type->name;
      const std::size_t dot = name.rfind('.', name.find('['));
      names.push_back(name.substr(dot != std::string::npos ? dot + 1 : name.starts_with("*") ? 1 : 0));
    }
    for (std::string &name : names)
      into.fields.push_back({std::move(name), field_type, 0});
    if (next().kind == Token::Kind::text)
      take();
    if (!next().is("}") && !next().is(";") && !next().after_line_end)
      fail_here("';' or '}' after a field");
  }
}

/// Their names stand for unknown types until the declaration ends.
void DeclarationParser::type_parameters() {
  const std::size_t begin = at_;
  skip_balanced();
  for (std::size_t i = begin + 1; i + 1 < at_; ++i) {
    const bool first_of_group = tokens_[i - 1].is(",") || i == begin + 1;
    if (first_of_group && tokens_[i].kind == Token::Kind::name) {
      const std::string name(tokens_[i].text);
      types_.add_parameter(name);
    }
  }
}

Entry DeclarationParser::entry() {
  Entry result;
  const bool lone = after_next().is(",") || after_next().is(")");
  // "a []T", "a [4]T" and "a ...T" against "T[int]" and "pkg.T".
  const bool is_name = next().kind == Token::Kind::name && !next().is("func") && !next().is("chan") &&
                       !next().is("map") && !next().is("struct") && !next().is("interface") && !after_next().is(".") &&
                       (!after_next().is("[") || tokens_[std::min(at_ + 2, tokens_.size() - 1)].is("]") ||
                        tokens_[std::min(at_ + 2, tokens_.size() - 1)].kind == Token::Kind::number);
  if (is_name)
    result.name = take().text;
  if (is_name && lone)
    return result;
  if (accept("...")) {
    const GoType *element = type();
    result.type = element ? pool_.slice_of(*element) : nullptr;
  } else {
    result.type = type();
  }
  return result;
}

std::vector<GoParameter> DeclarationParser::parameter_list() {
  std::vector<Entry> entries;
  if (!expect("(", "before the parameters"))
    return {};
  while (!failure_ && !accept(")")) {
    entries.push_back(entry());
    if (!next().is(")") && !failure_)
      expect(",", "or ')' after a parameter");
  }
  if (failure_)
    return {};
  const bool have_names =
      std::ranges::any_of(entries, [](const Entry &one) { return !one.name.empty() && one.type != nullptr; });
  std::vector<GoParameter> parameters(entries.size());
  const GoType *following = nullptr;
  for (std::size_t i = entries.size(); i-- > 0;) {
    if (entries[i].type)
      following = entries[i].type;
    if (!have_names) {
      parameters[i].type = entries[i].type ? entries[i].type : types_.named(entries[i].name);
    } else if (!following) {
      fail(next().offset, fmt::format("the parameter '{}' has no type", entries[i].name));
    } else {
      parameters[i].name = entries[i].name;
      parameters[i].type = following;
    }
  }
  return parameters;
}

std::vector<GoParameter> DeclarationParser::results() {
  if (failure_ || next().after_line_end || !begins_type())
    return {};
  if (next().is("("))
    return parameter_list();
  const GoType *only = type();
  return only ? std::vector<GoParameter>{{{}, only, std::nullopt}} : std::vector<GoParameter>{};
}

/// "f", "pkg.f", "host.com/path/pkg.f"; with the rest of "pkg.(*T).f" for those who copy it out of a trace.
std::string DeclarationParser::function_name() {
  std::string name = take_name("a function's name");
  while (!failure_ && (next().is(".") || next().is("/") || next().is("-"))) {
    name += take().text;
    if (next().is("(") && name.ends_with(".")) {
      while (next().kind != Token::Kind::end && !name.ends_with(")"))
        name += take().text;
    } else if (next().kind == Token::Kind::name || next().kind == Token::Kind::number) {
      name += take().text;
    } else {
      fail_here("the rest of the function's name");
    }
  }
  return name;
}

void DeclarationParser::function_declaration() {
  GoDeclaration declared;
  GoSignature &signature = declared.signature;
  types_.forget_parameters();
  if (next().is("(")) {
    const std::size_t place = next().offset;
    // The receiver's type parameters, if any, stand in brackets after its type.
    signature.parameters = parameter_list();
    if (!failure_ && signature.parameters.size() != 1)
      fail(place, "a method has exactly one receiver");
    signature.has_receiver = true;
    accept(".");
  }
  std::string name = function_name();
  if (!signature.has_receiver && name.find(".(*") != std::string::npos && name.find(')') != std::string::npos) {
    const std::size_t begin = name.find(".(*") + 3;
    signature.parameters.push_back(
        {{}, pool_.pointer_to(*types_.named(name.substr(begin, name.find(')') - begin))), {}});
    signature.has_receiver = true;
  } else if (signature.has_receiver && !failure_) {
    const std::string &receiver = signature.parameters[0].type->name;
    name = receiver.starts_with("*") ? fmt::format("({}).{}", receiver, name) : fmt::format("{}.{}", receiver, name);
  }
  signature.function = name;
  if (next().is("["))
    type_parameters();
  for (GoParameter &parameter : parameter_list())
    signature.parameters.push_back(std::move(parameter));
  signature.results = results();
  if (next().is("{") && after_next().kind != Token::Kind::end)
    skip_balanced();
  else
    accept("{"); // a line copied out of the source
  if (!failure_)
    found_.push_back(std::move(declared));
}

void DeclarationParser::type_declaration() {
  const Token place = next();
  const std::string name = take_name("a type's name");
  if (types_.is_declared(name))
    fail(place.offset, fmt::format("'{}' is declared twice", name));
  if (next().is("[") && after_next().kind == Token::Kind::name)
    type_parameters();
  accept("=");
  const GoType *underlying = type();
  types_.forget_parameters();
  if (underlying)
    types_.declare(name, *underlying, place.offset);
}

void DeclarationParser::type_declarations() {
  if (!accept("(")) {
    type_declaration();
    return;
  }
  while (!failure_ && !accept(")"))
    if (!accept(";"))
      type_declaration();
}

void DeclarationParser::declaration() {
  if (accept("type"))
    type_declarations();
  else if (accept("func") || (next().kind == Token::Kind::name && !next().is("package")) || next().is("("))
    function_declaration();
  else if (accept("package"))
    take_name("a package's name");
  else
    fail_here("'func' or 'type'");
  if (!failure_ && next().kind != Token::Kind::end && !next().after_line_end && !accept(";"))
    fail_here("the end of the declaration");
}

Result<std::vector<GoDeclaration>> DeclarationParser::run() {
  while (!failure_ && next().kind != Token::Kind::end)
    if (!accept(";"))
      declaration();
  if (!failure_ && found_.empty())
    fail(0, "there is no function in it");
  if (!failure_)
    if (const auto impossible = types_.complete())
      fail(impossible->offset, impossible->what);
  if (failure_)
    return std::unexpected(std::move(*failure_));
  for (GoDeclaration &declared : found_)
    declared.assumptions = unknown_types(declared.signature);
  return std::move(found_);
}

} // namespace

Result<std::vector<GoDeclaration>> parse_go_declarations(std::string_view text, GoTypePool &pool) {
  if (text.size() > max_text)
    return std::unexpected(Error(ErrorKind::usage, "the declarations are longer than a megabyte"));
  auto tokens = declaration_tokens(text);
  if (!tokens)
    return std::unexpected(tokens.error());
  return DeclarationParser(text, std::move(*tokens), pool).run();
}

} // namespace inspect
