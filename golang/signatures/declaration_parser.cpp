#include "golang/signatures/declared_types.h"
#include "golang/signatures/signatures.h"
#include "golang/types/type_grammar.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <optional>
#include <span>

namespace inspect {
namespace {

constexpr std::size_t max_text = 1 << 20;

using Kind = GoToken::Kind;
using Part = GoTypeSyntax::Part;

class DeclarationParser : GoTypeParser {
public:
  DeclarationParser(GoTokens &tokens, GoTypePool &pool) : GoTypeParser(tokens), pool_(pool), types_(pool) {}

  Result<std::vector<GoDeclaration>> run(std::string_view text);

private:
  void skip_balanced();

  void declaration();
  void type_declarations();
  void type_declaration();
  void function_declaration();
  std::string function_name();
  void type_parameters();

  const GoType *made(const GoTypeSyntax &syntax);
  std::vector<GoParameter> parameters_of(std::span<const Part> parts);

  GoTypePool &pool_;
  std::vector<GoDeclaration> found_;
  DeclaredTypes types_;
};

/// Past the bracket that closes the one here.
void DeclarationParser::skip_balanced() {
  const GoToken opened = next();
  int depth = 0;
  do {
    const GoToken token = take();
    if (token.is("(") || token.is("[") || token.is("{"))
      ++depth;
    else if (token.is(")") || token.is("]") || token.is("}"))
      --depth;
    else if (token.kind == Kind::end)
      return fail(opened.offset, fmt::format("'{}' is never closed", opened.text));
  } while (depth > 0);
}

/// Their names stand for unknown types until the declaration ends; what may stand for them does not matter.
void DeclarationParser::type_parameters() {
  const GoToken opened = take();
  bool begins_group = true;
  for (int depth = 1; depth > 0;) {
    const GoToken token = take();
    if (token.is("(") || token.is("[") || token.is("{"))
      ++depth;
    else if (token.is(")") || token.is("]") || token.is("}"))
      --depth;
    else if (token.kind == Kind::end)
      return fail(opened.offset, fmt::format("'{}' is never closed", opened.text));
    else if (begins_group && token.kind == Kind::name)
      types_.add_parameter(std::string(token.text));
    begins_group = depth == 1 && token.is(",");
  }
}

/// Null after a failure.
const GoType *DeclarationParser::made(const GoTypeSyntax &syntax) {
  if (failure())
    return nullptr;
  const auto type = types_.resolve(syntax);
  if (!type)
    fail(syntax.begin, type.error().message());
  return type ? *type : nullptr;
}

std::vector<GoParameter> DeclarationParser::parameters_of(std::span<const Part> parts) {
  std::vector<GoParameter> parameters;
  for (const Part &part : parts) {
    const GoType *type = made(part.type);
    if (type == nullptr)
      return {};
    parameters.push_back({part.name, part.variadic ? pool_.slice_of(*type) : type, std::nullopt});
  }
  return parameters;
}

/// "f", "pkg.f", "host.com/path/pkg.f"; with the rest of "pkg.(*T).f" for those who copy it out of a trace.
std::string DeclarationParser::function_name() {
  std::string name = take_name("a function's name");
  while (!failure() && (next().is(".") || next().is("/") || next().is("-"))) {
    name += take().text;
    if (next().is("(") && name.ends_with(".")) {
      while (next().kind != Kind::end && !name.ends_with(")"))
        name += take().text;
    } else if (next().kind == Kind::name || next().kind == Kind::number) {
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
    signature.parameters = parameters_of(parameter_list());
    if (!failure() && signature.parameters.size() != 1)
      fail(place, "a method has exactly one receiver");
    signature.has_receiver = true;
    accept(".");
  }
  std::string name = function_name();
  if (!signature.has_receiver && name.find(".(*") != std::string::npos && name.find(')') != std::string::npos) {
    const std::size_t begin = name.find(".(*") + 3;
    signature.parameters.push_back({{}, pool_.pointer_to(types_.at(name.substr(begin, name.find(')') - begin))), {}});
    signature.has_receiver = true;
  } else if (signature.has_receiver && !failure()) {
    const std::string &receiver = signature.parameters[0].type->name;
    name = receiver.starts_with("*") ? fmt::format("({}).{}", receiver, name) : fmt::format("{}.{}", receiver, name);
  }
  signature.function = name;
  if (next().is("["))
    type_parameters();
  const GoTypeSyntax type = GoTypeParser::signature();
  const std::span<const Part> parts(type.parts);
  std::ranges::move(parameters_of(parts.first(parts.size() - type.result_count)),
                    std::back_inserter(signature.parameters));
  signature.results = parameters_of(parts.last(type.result_count));
  if (next().is("{") && after_next().kind != Kind::end)
    skip_balanced();
  else
    accept("{"); // a line copied out of the source
  if (!failure())
    found_.push_back(std::move(declared));
}

void DeclarationParser::type_declaration() {
  const GoToken place = next();
  const std::string name = take_name("a type's name");
  if (types_.is_declared(name))
    fail(place.offset, fmt::format("'{}' is declared twice", name));
  if (next().is("[") && after_next().kind == Kind::name)
    type_parameters();
  accept("=");
  const GoType *underlying = made(type());
  types_.forget_parameters();
  if (underlying)
    types_.declare(name, *underlying, place.offset);
}

void DeclarationParser::type_declarations() {
  if (!accept("(")) {
    type_declaration();
    return;
  }
  while (!failure() && !accept(")"))
    if (!accept(";"))
      type_declaration();
}

void DeclarationParser::declaration() {
  if (accept("type"))
    type_declarations();
  else if (accept("func") || (next().kind == Kind::name && !next().is("package")) || next().is("("))
    function_declaration();
  else if (accept("package"))
    take_name("a package's name");
  else
    fail_here("'func' or 'type'");
  if (!failure() && next().kind != Kind::end && !next().after_line_end && !accept(";"))
    fail_here("the end of the declaration");
}

Result<std::vector<GoDeclaration>> DeclarationParser::run(std::string_view text) {
  while (!failure() && next().kind != Kind::end)
    if (!accept(";"))
      declaration();
  if (!failure() && found_.empty())
    fail(0, "there is no function in it");
  if (!failure())
    if (const auto impossible = types_.complete())
      fail(impossible->offset, impossible->what);
  if (const auto &failed = failure())
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("{}: {}", place_in_text(text, failed->offset), failed->what)));
  for (GoDeclaration &declared : found_)
    declared.assumptions = unknown_types(declared.signature);
  return std::move(found_);
}

} // namespace

Result<std::vector<GoDeclaration>> parse_go_declarations(std::string_view text, GoTypePool &pool) {
  if (text.size() > max_text)
    return std::unexpected(Error(ErrorKind::usage, "the declarations are longer than a megabyte"));
  GoTokens tokens(text);
  return DeclarationParser(tokens, pool).run(text);
}

} // namespace inspect
