#include "values/expression/type_syntax_parser.h"

#include "golang/types/type_grammar.h"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <map>
#include <ranges>
#include <utility>

namespace inspect {
namespace {

using TokenKind = ExpressionToken::Kind;
using Shape = TypeSyntax::Shape;

constexpr auto qualifiers = std::to_array<std::string_view>({"const", "volatile", "restrict", "__restrict", "_Atomic"});
constexpr auto elaborations = std::to_array<std::string_view>({"struct", "class", "union", "enum", "typename"});
constexpr auto builtin_words = std::to_array<std::string_view>(
    {"void", "bool", "_Bool", "char", "short", "int", "long", "signed", "unsigned", "float", "double", "__int128"});

template <typename Words> bool is_one_of(const ExpressionToken &token, const Words &words) {
  return token.kind == TokenKind::name && std::ranges::find(words, token.text) != words.end();
}

/// The one name of "int unsigned long": "unsigned long". Nothing where the words do not go together.
std::optional<std::string> builtin_name(std::map<std::string_view, int> words) {
  const auto take = [&words](std::string_view word) { return std::exchange(words[word], 0); };
  const bool is_unsigned = take("unsigned") != 0;
  const bool is_signed = take("signed") != 0;
  const int longs = take("long");
  const bool is_short = take("short") != 0;
  const bool with_int = take("int") != 0;
  std::string rest;
  for (const auto &[word, count] : words) {
    if (count == 0)
      continue;
    if (!rest.empty() || count > 1)
      return std::nullopt;
    rest = word;
  }
  if ((is_unsigned && is_signed) || longs > 2 || (longs != 0 && is_short))
    return std::nullopt;
  if (rest == "double" && longs == 1 && !is_short && !is_unsigned && !is_signed && !with_int)
    return "long double";
  const std::string sign = is_unsigned ? "unsigned " : "";
  if (rest == "char" && longs == 0 && !is_short && !with_int)
    return is_signed ? "signed char" : sign + "char";
  if (rest == "__int128" && longs == 0 && !is_short && !with_int)
    return sign + "__int128";
  if (!rest.empty())
    return is_unsigned || is_signed || longs != 0 || is_short || with_int ? std::nullopt : std::optional(rest);
  if (is_short)
    return sign + "short";
  return sign + (longs == 2 ? "long long" : longs == 1 ? "long" : "int");
}

class TypeParser {
public:
  TypeParser(ExpressionCursor &cursor, SourceLanguage language) : cursor_(cursor), language_(language) {}

  Result<ParsedType> parse() {
    if (++depth_ > max_expression_nesting)
      return std::unexpected(expression_error(cursor_.peek().offset, "the type is nested too deeply"));
    const std::size_t begin = cursor_.peek().offset;
    auto parsed = parse_any();
    --depth_;
    if (parsed) {
      parsed->type.begin = begin;
      parsed->type.end = cursor_.last_end();
    }
    return parsed;
  }

private:
  static ParsedType made_of(Shape shape, TypeSyntax part) {
    ParsedType parsed{.type = {.shape = shape}, .certain = true};
    parsed.type.begin = part.begin;
    parsed.type.end = part.end;
    parsed.type.parts.push_back(std::move(part));
    return parsed;
  }

  Result<ParsedType> parse_part(Shape shape) {
    auto part = parse();
    if (!part)
      return part;
    return made_of(shape, std::move(part->type));
  }

  Result<ParsedType> parse_any() {
    if (language_ == SourceLanguage::go)
      return parse_go();
    const bool outer_go = go_style_;
    if (cursor_.accept("*")) {
      if (cursor_.accept_name("const") || cursor_.accept_name("mut"))
        return parse_part(Shape::pointer);
      go_style_ = true;
      auto parsed = parse_part(Shape::pointer);
      go_style_ = outer_go;
      return parsed;
    }
    if (cursor_.peek().is_sign("["))
      return parse_brackets();
    if (language_ == SourceLanguage::rust && (cursor_.peek().is_sign("&") || cursor_.peek().is_sign("&&")))
      return parse_rust_reference();
    return go_style_ ? parse_go() : parse_c();
  }

  /// Go's []T and [4]T, which are understood in every language as *(*T)(address) is, and Rust's [T; 4].
  Result<ParsedType> parse_brackets() {
    cursor_.next();
    const bool outer_go = go_style_;
    if (cursor_.accept("]")) {
      go_style_ = true;
      auto parsed = parse_part(Shape::slice);
      go_style_ = outer_go;
      return parsed;
    }
    if (cursor_.peek().kind == TokenKind::number) {
      const auto length = parse_length();
      if (!length)
        return std::unexpected(length.error());
      if (auto closed = cursor_.expect("]"); !closed)
        return std::unexpected(closed.error());
      go_style_ = true;
      auto parsed = parse_part(Shape::array);
      go_style_ = outer_go;
      if (parsed)
        parsed->type.length = *length;
      return parsed;
    }
    auto parsed = parse_part(Shape::slice);
    if (!parsed)
      return parsed;
    if (cursor_.accept(";")) {
      const auto length = parse_length();
      if (!length)
        return std::unexpected(length.error());
      parsed->type.shape = Shape::array;
      parsed->type.length = *length;
    }
    if (auto closed = cursor_.expect("]"); !closed)
      return std::unexpected(closed.error());
    return parsed;
  }

  Result<std::uint64_t> parse_length() {
    const ExpressionToken &token = cursor_.peek();
    if (token.kind != TokenKind::number || token.number.kind == Number::Kind::floating || token.number.integer < 0 ||
        token.number.integer > INT64_MAX)
      return std::unexpected(cursor_.expected("a length"));
    return static_cast<std::uint64_t>(cursor_.next().number.integer);
  }

  /// &str, &[u8] and &mut [u8] are structures whose names DWARF spells so; of the others it has pointers.
  Result<ParsedType> parse_rust_reference() {
    const std::size_t begin = cursor_.peek().offset;
    cursor_.next();
    const bool mutable_one = cursor_.accept_name("mut");
    auto target = parse();
    if (!target)
      return target;
    const bool wide = target->type.shape == Shape::slice || target->type.name == "str";
    if (!wide)
      return made_of(Shape::pointer, std::move(target->type));
    const std::size_t target_begin = target->type.begin;
    ParsedType parsed{.type = {.shape = Shape::named}, .certain = true};
    parsed.type.name = fmt::format("&{}{}", mutable_one ? "mut " : "",
                                   cursor_.text().substr(target_begin, cursor_.last_end() - target_begin));
    parsed.type.begin = begin;
    return parsed;
  }

  /// By Go's own grammar. Pointers, slices and arrays of a name are taken apart, because the name may be another
  /// language's; all else keeps its text.
  Result<ParsedType> parse_go() {
    const bool other_name = is_one_of(cursor_.peek(), builtin_words) || cursor_.peek().is_sign("::") ||
                            cursor_.peek(1).is_sign("::") || cursor_.peek(1).is_sign("<");
    if (language_ != SourceLanguage::go && other_name)
      return parse_c_named();
    GoTokens tokens(cursor_.text(), cursor_.peek().offset);
    GoTypeParser parser(tokens,
                        go_style_ ? GoTypeParser::Around::type_in_expression : GoTypeParser::Around::expression);
    const GoTypeSyntax read = parser.type();
    if (const auto &failed = parser.failure())
      return std::unexpected(expression_error(failed->offset, failed->what));
    while (cursor_.peek().kind != TokenKind::end && cursor_.peek().offset < read.end)
      cursor_.next();
    if (cursor_.last_end() != read.end)
      return std::unexpected(cursor_.expected("a type"));
    return ParsedType{.type = written(read), .certain = read.shape != GoTypeSyntax::Shape::named};
  }

  static TypeSyntax written(const GoTypeSyntax &type) {
    using Go = GoTypeSyntax::Shape;
    TypeSyntax result{.begin = type.begin, .end = type.end};
    result.length = type.length;
    if (type.shape == Go::pointer || type.shape == Go::slice || type.shape == Go::array) {
      result.shape = type.shape == Go::pointer ? Shape::pointer : type.shape == Go::slice ? Shape::slice : Shape::array;
      result.parts.push_back(written(type.parts.front().type));
    } else {
      result.name = type.shape == Go::named ? type.name : go_type_text(type);
    }
    return result;
  }

  Result<ParsedType> parse_c() {
    auto parsed = parse_c_named();
    // In Rust a * behind a type is a product: x as f64 * 2.0.
    return parsed && language_ != SourceLanguage::rust ? parse_declarator(std::move(*parsed)) : parsed;
  }

  Result<ParsedType> parse_c_named() {
    ParsedType parsed{.type = {.shape = Shape::named}, .certain = false};
    const std::size_t begin = cursor_.peek().offset;
    std::map<std::string_view, int> words;
    std::vector<std::string> named_qualifiers;
    while (cursor_.peek().kind == TokenKind::name || (cursor_.peek().is_sign("::") && parsed.type.name.empty())) {
      const ExpressionToken &token = cursor_.peek();
      if (is_one_of(token, qualifiers)) {
        parsed.certain = true;
        add_qualifier(named_qualifiers, cursor_.next().text);
      } else if (is_one_of(token, elaborations)) {
        parsed.certain = true;
        cursor_.next();
      } else if (is_one_of(token, builtin_words) && parsed.type.name.empty()) {
        parsed.certain = true;
        ++words[cursor_.next().text];
      } else if (words.empty() && parsed.type.name.empty()) {
        auto named = parse_path(parsed);
        if (!named)
          return std::unexpected(named.error());
      } else {
        break;
      }
    }
    if (!words.empty()) {
      auto name = builtin_name(std::move(words));
      if (!name)
        return std::unexpected(expression_error(begin, "these words are not a type together"));
      parsed.type.name = std::move(*name);
    }
    if (parsed.type.name.empty())
      return std::unexpected(cursor_.expected("a type"));
    parsed.type.begin = begin;
    parsed.type.end = cursor_.last_end();
    parsed.type = qualified(std::move(parsed.type), named_qualifiers);
    return parsed;
  }

  /// Those that are told in a type's name: restrict and _Atomic change nothing of what is seen.
  static void add_qualifier(std::vector<std::string> &all, std::string_view word) {
    if ((word == "const" || word == "volatile") && std::ranges::find(all, word) == all.end())
      all.emplace_back(word);
  }

  static TypeSyntax qualified(TypeSyntax type, std::vector<std::string> &words) {
    std::ranges::sort(words, std::greater<>()); // "const volatile": the outer one is written first
    for (const std::string &word : words) {
      TypeSyntax outer{.shape = Shape::qualified, .name = word, .begin = type.begin, .end = type.end};
      outer.parts.push_back(std::move(type));
      type = std::move(outer);
    }
    return type;
  }

  /// ns::Foo<int>::Bar.
  Result<void> parse_path(ParsedType &parsed) {
    cursor_.accept("::");
    while (true) {
      if (cursor_.peek().kind != TokenKind::name)
        return std::unexpected(cursor_.expected("a name"));
      parsed.type.name += cursor_.next().text;
      if (cursor_.peek().is_sign("::") && cursor_.peek(1).is_sign("<"))
        cursor_.next();
      if (cursor_.peek().is_sign("<")) {
        auto arguments = template_arguments(cursor_, language_);
        if (!arguments)
          return std::unexpected(cursor_.expected("template arguments"));
        parsed.type.name += *arguments;
        parsed.certain = true;
      }
      if (!cursor_.accept("::"))
        return {};
      parsed.type.name += "::";
    }
  }

  /// What a declarator makes of the type in front of it, outermost last.
  struct DeclaratorStep {
    Shape shape = Shape::pointer;
    std::uint64_t length = 0;
    std::vector<std::string> qualifiers = {};
    std::vector<TypeSyntax> parameters = {};
    bool is_variadic = false;
  };

  /// The part of a type name behind its specifiers: "*const *", "&", "[4]", "(*)[4]", "(*)(int)", "(*(*)())[23]".
  Result<ParsedType> parse_declarator(ParsedType parsed) {
    std::vector<DeclaratorStep> steps;
    bool certain = parsed.certain;
    if (auto read = parse_abstract(steps, certain, 0); !read)
      return std::unexpected(read.error());
    for (DeclaratorStep &step : steps) {
      if (step.shape == Shape::qualified) {
        parsed.type = qualified(std::move(parsed.type), step.qualifiers);
        continue;
      }
      const std::size_t begin = parsed.type.begin;
      parsed = made_of(step.shape, std::move(parsed.type));
      parsed.type.begin = begin;
      parsed.type.end = cursor_.last_end();
      parsed.type.length = step.length;
      parsed.type.is_variadic = step.is_variadic;
      std::ranges::move(step.parameters, std::back_inserter(parsed.type.parts));
      parsed.type = qualified(std::move(parsed.type), step.qualifiers);
    }
    parsed.certain = certain;
    return parsed;
  }

  /// Whether the "(" here begins a declarator in brackets, not parameters or an expression.
  bool begins_inner_declarator() const {
    return cursor_.peek().is_sign("(") &&
           (cursor_.peek(1).is_sign("*") || cursor_.peek(1).is_sign("&") || cursor_.peek(1).is_sign("&&"));
  }

  Result<void> parse_abstract(std::vector<DeclaratorStep> &steps, bool &certain, std::size_t depth) {
    if (depth > max_expression_nesting)
      return std::unexpected(expression_error(cursor_.peek().offset, "the type is nested too deeply"));
    std::size_t levels = 0;
    while (cursor_.peek().is_sign("*") || cursor_.peek().is_sign("&") || cursor_.peek().is_sign("&&") ||
           is_one_of(cursor_.peek(), qualifiers)) {
      if (++levels > max_expression_nesting)
        return std::unexpected(expression_error(cursor_.peek().offset, "the type is nested too deeply"));
      const ExpressionToken &token = cursor_.next();
      certain = true;
      if (token.is_sign("*"))
        steps.push_back({.shape = Shape::pointer});
      else if (token.kind == TokenKind::sign)
        steps.push_back({.shape = Shape::reference});
      else if (steps.empty())
        steps.push_back({.shape = Shape::qualified}); // "int const"
      if (token.kind == TokenKind::name)
        add_qualifier(steps.back().qualifiers, token.text);
    }
    std::vector<DeclaratorStep> inner;
    bool has_inner = false;
    if (begins_inner_declarator()) {
      cursor_.next();
      if (auto read = parse_abstract(inner, certain, depth + 1); !read)
        return read;
      if (auto closed = cursor_.expect(")"); !closed)
        return closed;
      has_inner = true;
    }
    if (auto read = parse_suffixes(steps, has_inner || depth > 0); !read)
      return read;
    std::ranges::move(inner, std::back_inserter(steps));
    return {};
  }

  /// "[3][4]" and, where no call can be meant, "(int, char)". The last one binds tightest.
  Result<void> parse_suffixes(std::vector<DeclaratorStep> &steps, bool may_be_function) {
    std::vector<DeclaratorStep> suffixes;
    while (suffixes.size() < 8) {
      const bool is_array =
          cursor_.peek().is_sign("[") && ((cursor_.peek(1).kind == TokenKind::number && cursor_.peek(2).is_sign("]")) ||
                                          (may_be_function && cursor_.peek(1).is_sign("]")));
      if (is_array) {
        cursor_.next();
        DeclaratorStep step{.shape = Shape::array};
        if (!cursor_.peek().is_sign("]")) {
          const auto length = parse_length();
          if (!length)
            return std::unexpected(length.error());
          step.length = *length;
        }
        cursor_.next();
        suffixes.push_back(std::move(step));
      } else if (may_be_function && cursor_.peek().is_sign("(")) {
        auto step = parse_parameters();
        if (!step)
          return std::unexpected(step.error());
        suffixes.push_back(std::move(*step));
      } else {
        break;
      }
    }
    std::ranges::move(suffixes | std::views::reverse, std::back_inserter(steps));
    return {};
  }

  Result<DeclaratorStep> parse_parameters() {
    DeclaratorStep step{.shape = Shape::function};
    cursor_.next();
    if (cursor_.peek().is_name("void") && cursor_.peek(1).is_sign(")"))
      cursor_.next();
    while (!cursor_.accept(")")) {
      if (!step.parameters.empty())
        if (auto comma = cursor_.expect(","); !comma)
          return std::unexpected(comma.error());
      if (cursor_.accept("...")) {
        step.is_variadic = true;
        continue;
      }
      auto parameter = parse();
      if (!parameter)
        return std::unexpected(parameter.error());
      step.parameters.push_back(std::move(parameter->type));
    }
    return step;
  }

  ExpressionCursor &cursor_;
  SourceLanguage language_;
  std::size_t depth_ = 0;
  bool go_style_ = false;
};

bool belongs_to_arguments(const ExpressionToken &token) {
  constexpr auto signs = std::to_array<std::string_view>(
      {"::", "*", "&", "&&", ",", "-", "(", ")", "[", "]", "<", ">", ">>", ";", "...", "->", "="});
  switch (token.kind) {
  case TokenKind::name:
  case TokenKind::number:
  case TokenKind::text:
    return true;
  case TokenKind::sign:
    return std::ranges::find(signs, token.text) != signs.end();
  default:
    return false;
  }
}

bool is_word(const ExpressionToken &token) {
  return token.kind == TokenKind::name || token.kind == TokenKind::number;
}

} // namespace

Result<ParsedType> parse_type_at(ExpressionCursor &cursor, SourceLanguage language) {
  return TypeParser(cursor, language).parse();
}

std::optional<std::string> template_arguments(ExpressionCursor &cursor, SourceLanguage language) {
  std::string text;
  int angles = 0;
  int others = 0;
  bool word_before = false;
  do {
    if (cursor.peek().is_sign(">>") && others == 0)
      cursor.split_angle();
    const ExpressionToken &token = cursor.peek();
    if (!belongs_to_arguments(token))
      return std::nullopt;
    const bool opens = token.is_sign("(") || token.is_sign("[");
    const bool closes = token.is_sign(")") || token.is_sign("]");
    others += opens ? 1 : closes ? -1 : 0;
    if (others < 0)
      return std::nullopt;
    if (others == 0)
      angles += token.is_sign("<") ? 1 : token.is_sign(">") ? -1 : 0;
    const bool closes_twice = token.is_sign(">") && text.ends_with('>') && language != SourceLanguage::rust;
    if ((word_before && is_word(token)) || text.ends_with(',') || text.ends_with(';') || closes_twice)
      text += ' ';
    text += token.text;
    word_before = is_word(token);
    cursor.next();
  } while (angles > 0);
  return text;
}

} // namespace inspect
