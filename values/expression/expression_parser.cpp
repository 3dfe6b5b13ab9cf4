#include "values/expression/expression_parser.h"

#include "values/expression/expression_grammar.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <span>

namespace inspect {

using Kind = ExpressionNode::Kind;
using TokenKind = ExpressionToken::Kind;
using Node = ExpressionGrammar::Node;

namespace {

// How tightly binary operators bind in each language: C23 6.5 (the order of its subclauses), the Go specification
// ("Operator precedence"), the Rust reference ("Expression precedence"); gdb's @ stands between shifts and sums (its
// c-exp.y's order).
struct OperatorPrecedence {
  std::string_view text;
  int precedence; ///< higher binds tighter
};

/// Rust's `as`, above all binary operators.
constexpr int conversion_precedence = 12;

constexpr auto c_operators = std::to_array<OperatorPrecedence>({
    {"||", 1}, {"&&", 2}, {"|", 3},  {"^", 4}, {"&", 5},  {"==", 6}, {"!=", 6}, {"<", 7},  {">", 7},  {"<=", 7},
    {">=", 7}, {"<<", 8}, {">>", 8}, {"@", 9}, {"+", 10}, {"-", 10}, {"*", 11}, {"/", 11}, {"%", 11},
});
constexpr auto go_operators_table = std::to_array<OperatorPrecedence>({
    {"||", 1}, {"&&", 2}, {"==", 3}, {"!=", 3}, {"<", 3}, {">", 3}, {"<=", 3}, {">=", 3}, {"+", 4}, {"-", 4},
    {"|", 4},  {"^", 4},  {"@", 5},  {"*", 6},  {"/", 6}, {"%", 6}, {"<<", 6}, {">>", 6}, {"&", 6}, {"&^", 6},
});
constexpr auto rust_operators = std::to_array<OperatorPrecedence>({
    {"||", 1}, {"&&", 2}, {"==", 3}, {"!=", 3}, {"<", 3}, {">", 3}, {"<=", 3}, {">=", 3}, {"|", 4},  {"^", 5},
    {"&", 6},  {"<<", 7}, {">>", 7}, {"@", 8},  {"+", 9}, {"-", 9}, {"*", 10}, {"/", 10}, {"%", 10},
});

/// 0: it is not a binary operator of the language.
constexpr int binary_precedence(std::string_view text, SourceLanguage language) {
  std::span<const OperatorPrecedence> operators = c_operators;
  if (language == SourceLanguage::go)
    operators = go_operators_table;
  else if (language == SourceLanguage::rust)
    operators = rust_operators;
  const auto found = std::ranges::find(operators, text, &OperatorPrecedence::text);
  return found == operators.end() ? 0 : found->precedence;
}

/// C++'s ->* and .*, of which the dot and the star are two signs to the other languages.
bool is_member_pointer_sign(const ExpressionCursor &cursor, bool is_c_like) {
  if (!is_c_like)
    return false;
  return cursor.peek().is_sign("->*") ||
         (cursor.peek().is_sign(".") && cursor.peek(1).is_sign("*") && cursor.peek(1).offset == cursor.peek().end());
}

} // namespace

Node ExpressionGrammar::made(ExpressionNode node, std::size_t begin, std::size_t mark) const {
  unsigned deepest = 0;
  for (const ExpressionNode &operand : node.operands)
    deepest = std::max(deepest, operand.depth);
  node.depth = deepest + 1;
  node.begin = begin;
  node.mark = mark;
  node.end = cursor_.last_end();
  if (node.depth > max_expression_nesting)
    return std::unexpected(expression_error(
        mark, fmt::format("more than {} operators follow from each other here", max_expression_nesting)));
  return node;
}

Node ExpressionGrammar::expression() {
  return nested([this] { return conditional(); });
}

Node ExpressionGrammar::conditional() {
  const std::size_t begin = cursor_.peek().offset;
  auto condition = binary(1);
  if (!condition || !cursor_.peek().is_sign("?") || !is_c_like())
    return condition;
  const std::size_t mark = cursor_.next().offset;
  auto chosen = expression();
  if (!chosen)
    return chosen;
  if (auto colon = cursor_.expect(":"); !colon)
    return std::unexpected(colon.error());
  auto otherwise = expression();
  if (!otherwise)
    return otherwise;
  ExpressionNode node{.kind = Kind::conditional};
  node.operands.push_back(std::move(*condition));
  node.operands.push_back(std::move(*chosen));
  node.operands.push_back(std::move(*otherwise));
  return made(std::move(node), begin, mark);
}

int ExpressionGrammar::precedence_here() const {
  const ExpressionToken &token = cursor_.peek();
  if (syntax_.language == SourceLanguage::rust && token.is_name("as"))
    return conversion_precedence;
  if (is_member_pointer_sign(cursor_, is_c_like()))
    return conversion_precedence;
  return token.kind == TokenKind::sign ? binary_precedence(token.text, syntax_.language) : 0;
}

Node ExpressionGrammar::binary(int lowest) {
  const std::size_t begin = cursor_.peek().offset;
  auto left = unary();
  while (left) {
    const int precedence = precedence_here();
    if (precedence == 0 || precedence < lowest)
      return left;
    left = conversion_or_binary(std::move(*left), precedence, begin);
  }
  return left;
}

Node ExpressionGrammar::conversion_or_binary(ExpressionNode left, int precedence, std::size_t begin) {
  const bool through_member = is_member_pointer_sign(cursor_, is_c_like());
  const ExpressionToken &sign = cursor_.next();
  const std::size_t mark = sign.offset;
  ExpressionNode node{.kind = Kind::binary, .text = std::string(sign.text)};
  if (through_member) {
    node.text = sign.text == "." ? ".*" : "->*";
    if (sign.text == ".")
      cursor_.next();
  }
  node.operands.push_back(std::move(left));
  if (precedence == conversion_precedence && !through_member) {
    auto type = parse_type_at(cursor_, syntax_.language);
    if (!type)
      return std::unexpected(type.error());
    node.kind = Kind::cast;
    node.type = std::move(type->type);
    return made(std::move(node), begin, mark);
  }
  auto right = nested([this, precedence] { return binary(precedence + 1); });
  if (!right)
    return right;
  node.operands.push_back(std::move(*right));
  return made(std::move(node), begin, mark);
}

Node ExpressionGrammar::operand_of(std::string_view operator_text, std::size_t begin) {
  auto operand = nested([this] { return unary(); });
  if (!operand)
    return operand;
  ExpressionNode node{.kind = Kind::unary, .text = std::string(operator_text)};
  node.operands.push_back(std::move(*operand));
  return made(std::move(node), begin, begin);
}

Node ExpressionGrammar::unary() {
  const ExpressionToken &token = cursor_.peek();
  const std::size_t begin = token.offset;
  if (token.is_sign("++") || token.is_sign("--"))
    return std::unexpected(expression_error(begin, "expressions change nothing, set does"));
  // As AT&T's assemblers write registers.
  if (token.is_sign("%") && cursor_.peek(1).kind == TokenKind::name && cursor_.peek(1).offset == begin + 1) {
    cursor_.next();
    ExpressionNode node{.kind = Kind::register_name, .text = std::string(cursor_.next().text)};
    return made(std::move(node), begin, begin);
  }
  for (const std::string_view sign : {"+", "-", "!", "~", "*", "&", "^"}) {
    if (!token.is_sign(sign) || (sign == "^" && syntax_.language != SourceLanguage::go))
      continue;
    cursor_.next();
    if (sign == "&" && syntax_.language == SourceLanguage::rust)
      static_cast<void>(cursor_.accept_name("mut"));
    return operand_of(sign == "^" ? "~" : sign, begin);
  }
  if (token.is_name("sizeof"))
    return size_of();
  if (token.is_sign("{"))
    return typed_address();
  if (token.is_sign("(")) {
    if (auto cast = c_cast())
      return std::move(*cast);
  }
  return postfix();
}

/// gdb's {type} address: what lies there, as that type.
Node ExpressionGrammar::typed_address() {
  const std::size_t begin = cursor_.next().offset;
  auto type = parse_type_at(cursor_, syntax_.language);
  if (!type)
    return std::unexpected(type.error());
  if (auto closed = cursor_.expect("}"); !closed)
    return std::unexpected(closed.error());
  TypeSyntax pointer{.shape = TypeSyntax::Shape::pointer, .begin = type->type.begin, .end = type->type.end};
  pointer.parts.push_back(std::move(type->type));
  auto cast = cast_to(std::move(pointer), begin);
  if (!cast)
    return cast;
  ExpressionNode node{.kind = Kind::unary, .text = "*"};
  node.operands.push_back(std::move(*cast));
  return made(std::move(node), begin, begin);
}

Node ExpressionGrammar::cast_to(TypeSyntax type, std::size_t begin) {
  auto operand = nested([this] { return unary(); });
  if (!operand)
    return operand;
  ExpressionNode node{.kind = Kind::cast};
  node.type = std::move(type);
  node.operands.push_back(std::move(*operand));
  return made(std::move(node), begin, begin);
}

Node ExpressionGrammar::size_of() {
  const std::size_t begin = cursor_.next().offset;
  ExpressionNode node{.kind = Kind::size_of};
  const ExpressionCursor::Position position = cursor_.position();
  ExpressionCursor::Position after_type;
  if (cursor_.accept("(")) {
    const bool cursor_at_star = cursor_.peek().is_sign("*");
    auto type = parse_type_at(cursor_, syntax_.language);
    if (type && cursor_.accept(")")) {
      node.type = std::move(type->type);
      after_type = cursor_.position();
      // In C the type that *x would be in Go's way of writing is a value.
      const bool is_value = is_c_like() && cursor_at_star;
      if (is_value)
        node.type.reset();
      else if (type->certain)
        return made(std::move(node), begin, begin);
    }
    cursor_.rewind(position);
  }
  auto operand = nested([this] { return unary(); });
  if (!operand)
    return operand;
  // sizeof(x)[0] can only be an expression, sizeof(x) may be either.
  if (node.type && cursor_.position() != after_type)
    node.type.reset();
  node.operands.push_back(std::move(*operand));
  return made(std::move(node), begin, begin);
}

/// Whether the token can begin an operand, and nothing that goes on with the one before.
bool ExpressionGrammar::begins_operand_only(const ExpressionToken &token) const {
  if (token.kind == TokenKind::name)
    return syntax_.language != SourceLanguage::rust || token.text != "as";
  if (token.kind != TokenKind::sign)
    return token.kind != TokenKind::end;
  return token.text == "!" || token.text == "~" || token.text == "{";
}

/// "(Foo *)p", "(unsigned long)-1"; Go's "(*T)(p)" binds as tightly as a call and is parenthesised()'s. Nothing, and
/// the cursor is where it was, where the bracket is not a cast.
std::optional<Node> ExpressionGrammar::c_cast() {
  const ExpressionCursor::Position position = cursor_.position();
  const std::size_t begin = cursor_.next().offset;
  const bool go_style =
      cursor_.peek().is_sign("*") || cursor_.peek().is_sign("[") || syntax_.language == SourceLanguage::go;
  auto type = parse_type_at(cursor_, syntax_.language);
  bool is_cast = false;
  if (type && cursor_.accept(")")) {
    const ExpressionToken &next = cursor_.peek();
    is_cast = begins_operand_only(next);
    constexpr auto either = std::to_array<std::string_view>({"(", "-", "+", "*", "&"});
    if (!go_style && next.kind == TokenKind::sign && std::ranges::find(either, next.text) != either.end())
      is_cast = type->certain ||
                (is_c_like() && syntax_.is_type && !type->type.name.empty() && syntax_.is_type(type->type.name));
  }
  if (!is_cast) {
    cursor_.rewind(position);
    return std::nullopt;
  }
  return cast_to(std::move(type->type), begin);
}

namespace {

/// The tokens from `begin` to before `end`, as a text of their own with the same offsets.
Result<ExpressionNode> parse_range(std::string_view text, std::vector<ExpressionToken> tokens,
                                   const ExpressionSyntax &syntax) {
  ExpressionCursor cursor(text, tokens);
  if (cursor.peek().kind == TokenKind::end)
    return std::unexpected(expression_error(cursor.peek().offset, "an expression is missing"));
  auto node = ExpressionGrammar(cursor, syntax).expression();
  if (node && cursor.peek().kind != TokenKind::end)
    return std::unexpected(cursor.expected("an operator or the end"));
  return node;
}

/// Outside of all brackets; tokens.size() where there is none.
std::size_t find_assignment(const std::vector<ExpressionToken> &tokens) {
  constexpr auto assignments =
      std::to_array<std::string_view>({"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "&^="});
  int depth = 0;
  for (std::size_t at = 0; at < tokens.size(); ++at) {
    if (tokens[at].kind != TokenKind::sign)
      continue;
    const std::string_view sign = tokens[at].text;
    if (sign == "(" || sign == "[" || sign == "{")
      ++depth;
    else if (sign == ")" || sign == "]" || sign == "}")
      --depth;
    else if (depth == 0 && std::ranges::find(assignments, sign) != assignments.end())
      return at;
  }
  return tokens.size();
}

} // namespace

Result<Expression> parse_expression(std::string_view text, const ExpressionSyntax &syntax) {
  auto tokens = expression_tokens(text, syntax.language);
  if (!tokens)
    return std::unexpected(tokens.error());
  auto root = parse_range(text, std::move(*tokens), syntax);
  if (!root)
    return std::unexpected(root.error());
  return Expression{std::string(text), std::move(*root)};
}

Result<TypeSyntax> parse_type(std::string_view text, const ExpressionSyntax &syntax) {
  auto tokens = expression_tokens(text, syntax.language);
  if (!tokens)
    return std::unexpected(tokens.error());
  ExpressionCursor cursor(text, *tokens);
  auto parsed = parse_type_at(cursor, syntax.language);
  if (!parsed)
    return std::unexpected(parsed.error());
  if (cursor.peek().kind != TokenKind::end)
    return std::unexpected(cursor.expected("the end of the type"));
  return std::move(parsed->type);
}

Result<AssignmentSyntax> parse_assignment_expression(std::string_view text, const ExpressionSyntax &syntax) {
  const auto tokens = expression_tokens(text, syntax.language);
  if (!tokens)
    return std::unexpected(tokens.error());
  const std::size_t at = find_assignment(*tokens);
  if (at == tokens->size())
    return std::unexpected(Error(ErrorKind::not_found, "set needs PLACE = VALUE", "help set"));
  const ExpressionToken &sign = (*tokens)[at];
  const auto place = [&tokens](std::size_t index) { return tokens->begin() + static_cast<std::ptrdiff_t>(index); };
  // gdb's "set var x = 5"; a variable named var is still one in "var = 5".
  std::size_t begin = 0;
  if (at > 1 && ((*tokens)[0].is_name("var") || (*tokens)[0].is_name("variable")) &&
      ((*tokens)[1].kind != TokenKind::sign || (*tokens)[1].is_sign("*") || (*tokens)[1].is_sign("{")))
    begin = 1;
  std::vector<ExpressionToken> before(place(begin), place(at));
  before.push_back({.kind = TokenKind::end, .text = {}, .offset = sign.offset});
  auto target = parse_range(text, std::move(before), syntax);
  if (!target)
    return std::unexpected(target.error());
  auto value = parse_range(text, {place(at + 1), tokens->end()}, syntax);
  if (!value)
    return std::unexpected(value.error());
  if (sign.text != "=") {
    ExpressionNode both{.kind = Kind::binary, .text = std::string(sign.text.substr(0, sign.text.size() - 1))};
    both.begin = target->begin;
    both.end = value->end;
    both.mark = sign.offset;
    both.depth = std::max(target->depth, value->depth) + 1;
    both.operands.push_back(*target);
    both.operands.push_back(std::move(*value));
    value = std::move(both);
  }
  return AssignmentSyntax{{std::string(text), std::move(*target)}, {std::string(text), std::move(*value)}};
}

} // namespace inspect
