#include "values/expression/expression_grammar.h"

#include <array>
#include <fmt/format.h>

namespace inspect {

using Kind = ExpressionNode::Kind;
using TokenKind = ExpressionToken::Kind;
using Node = ExpressionGrammar::Node;

Node ExpressionGrammar::postfix() {
  const std::size_t begin = cursor_.peek().offset;
  auto operand = primary();
  return operand ? postfix_of(std::move(*operand), begin) : operand;
}

Node ExpressionGrammar::postfix_of(ExpressionNode operand, std::size_t begin) {
  Node node = std::move(operand);
  while (node) {
    const ExpressionToken &token = cursor_.peek();
    const bool is_member_pointer = token.is_sign(".") && cursor_.peek(1).is_sign("*") && is_c_like();
    if (is_member_pointer)
      return node;
    if (token.is_sign(".") || token.is_sign("->"))
      node = member_of(std::move(*node), begin);
    else if (token.is_sign("["))
      node = index_of(std::move(*node), begin);
    else if (token.is_sign("("))
      node = call_of(std::move(*node), begin);
    else if (token.is_sign("++") || token.is_sign("--"))
      return std::unexpected(expression_error(token.offset, "expressions change nothing, set does"));
    else
      return node;
  }
  return node;
}

Node ExpressionGrammar::member_of(ExpressionNode operand, std::size_t begin) {
  const bool dot = cursor_.next().is_sign(".");
  if (dot && cursor_.peek().is_sign("("))
    return assertion_of(std::move(operand), begin);
  ExpressionNode node{.kind = Kind::member};
  const std::size_t mark = cursor_.peek().offset;
  if (dot && cursor_.peek().kind == TokenKind::number) {
    node.text = cursor_.next().text;
  } else {
    if (cursor_.peek().kind != TokenKind::name)
      return std::unexpected(cursor_.expected("a member's name"));
    auto name = path();
    if (!name)
      return std::unexpected(name.error());
    node.text = std::move(*name);
  }
  node.operands.push_back(std::move(operand));
  return made(std::move(node), begin, mark);
}

/// Behind the dot of x.(T).
Node ExpressionGrammar::assertion_of(ExpressionNode operand, std::size_t begin) {
  const std::size_t mark = cursor_.next().offset;
  ExpressionNode node{.kind = Kind::type_assertion};
  node.operands.push_back(std::move(operand));
  if (cursor_.peek().is_name("data") && cursor_.peek(1).is_sign(")")) {
    cursor_.next();
    node.kind = Kind::type_data;
  } else {
    auto type = parse_type_at(cursor_, syntax_.language);
    if (!type)
      return std::unexpected(type.error());
    node.type = std::move(type->type);
  }
  if (auto closed = cursor_.expect(")"); !closed)
    return std::unexpected(closed.error());
  return made(std::move(node), begin, mark);
}

Node ExpressionGrammar::index_of(ExpressionNode operand, std::size_t begin) {
  const std::size_t mark = cursor_.next().offset;
  const auto ranges = [this] {
    return cursor_.peek().is_sign(":") || cursor_.peek().is_sign("..") || cursor_.peek().is_sign("..=");
  };
  if (ranges())
    return slice_of(std::move(operand), begin, std::nullopt);
  auto index = expression();
  if (!index)
    return index;
  if (ranges())
    return slice_of(std::move(operand), begin, std::move(*index));
  if (auto closed = cursor_.expect("]"); !closed)
    return std::unexpected(closed.error());
  ExpressionNode node{.kind = Kind::element};
  node.operands.push_back(std::move(operand));
  node.operands.push_back(std::move(*index));
  return made(std::move(node), begin, mark);
}

/// From the sign between the bounds: ":", "..", "..=".
Node ExpressionGrammar::slice_of(ExpressionNode operand, std::size_t begin, std::optional<ExpressionNode> low) {
  const std::size_t mark = cursor_.peek().offset;
  const bool inclusive = cursor_.next().is_sign("..=");
  ExpressionNode node{.kind = Kind::slice};
  node.operands.push_back(std::move(operand));
  if (low) {
    node.has_low = true;
    node.operands.push_back(std::move(*low));
  }
  if (!cursor_.peek().is_sign("]")) {
    auto high = expression();
    if (!high)
      return high;
    if (inclusive) {
      ExpressionNode one{.kind = Kind::number, .number = {.integer = 1, .size = 4}, .untyped = true};
      one.begin = one.end = one.mark = mark;
      ExpressionNode sum{.kind = Kind::binary, .text = "+"};
      sum.operands.push_back(std::move(*high));
      sum.operands.push_back(std::move(one));
      high = made(std::move(sum), mark, mark);
      if (!high)
        return high;
    }
    node.has_high = true;
    node.operands.push_back(std::move(*high));
  } else if (inclusive) {
    return std::unexpected(cursor_.expected("an end behind '..='"));
  }
  if (auto closed = cursor_.expect("]"); !closed)
    return std::unexpected(closed.error());
  return made(std::move(node), begin, mark);
}

Node ExpressionGrammar::call_of(ExpressionNode operand, std::size_t begin) {
  const std::size_t mark = cursor_.next().offset;
  ExpressionNode node{.kind = Kind::call};
  node.operands.push_back(std::move(operand));
  while (!cursor_.peek().is_sign(")")) {
    if (node.operands.size() > 1) {
      if (auto comma = cursor_.expect(","); !comma)
        return std::unexpected(cursor_.expected("',' or ')'"));
    }
    auto argument = expression();
    if (!argument)
      return argument;
    node.operands.push_back(std::move(*argument));
  }
  cursor_.next();
  return made(std::move(node), begin, mark);
}

Node ExpressionGrammar::primary() {
  const ExpressionToken &token = cursor_.peek();
  const std::size_t begin = token.offset;
  ExpressionNode node;
  switch (token.kind) {
  case TokenKind::number:
    node.kind = Kind::number;
    node.number = token.number;
    node.untyped = token.untyped;
    node.text = token.type_name;
    break;
  case TokenKind::text:
  case TokenKind::quoted_name:
  case TokenKind::name:
    return named();
  case TokenKind::register_name:
    node.kind = Kind::register_name;
    node.text = token.characters;
    break;
  default:
    if (token.is_sign("(") && !(cursor_.peek(1).is_name("anonymous") && cursor_.peek(2).is_name("namespace")))
      return parenthesised();
    if (token.is_sign("[")) {
      if (auto converted = conversion())
        return std::move(*converted);
    }
    if (token.is_sign("::") || token.is_sign("("))
      return named();
    return std::unexpected(cursor_.expected("a value"));
  }
  cursor_.next();
  return made(std::move(node), begin, begin);
}

/// Names, and what begins like one: keywords, conversions, strings that are a package's path.
Node ExpressionGrammar::named() {
  const ExpressionToken &token = cursor_.peek();
  const std::size_t begin = token.offset;
  if (token.kind == TokenKind::name) {
    if (auto node = keyword())
      return std::move(*node);
    if (auto node = conversion())
      return std::move(*node);
  }
  if (token.kind == TokenKind::text && (!cursor_.peek(1).is_sign(".") || cursor_.peek(2).kind != TokenKind::name)) {
    ExpressionNode node{.kind = Kind::text, .text = token.characters, .is_bytes = token.is_bytes};
    cursor_.next();
    return made(std::move(node), begin, begin);
  }
  ExpressionNode node{.kind = Kind::name};
  if (token.kind == TokenKind::text) {
    node.text = token.characters + ".";
    cursor_.next();
    cursor_.next();
    node.text += cursor_.next().text;
    return made(std::move(node), begin, begin);
  }
  auto name = path();
  if (!name)
    return std::unexpected(name.error());
  node.text = std::move(*name);
  return made(std::move(node), begin, begin);
}

std::optional<Node> ExpressionGrammar::keyword() {
  const ExpressionToken &token = cursor_.peek();
  const std::size_t begin = token.offset;
  ExpressionNode node;
  if (token.text == "true" || token.text == "false") {
    node.kind = Kind::number;
    node.number = {.kind = Number::Kind::boolean, .integer = token.text == "true" ? 1 : 0, .real = 0, .size = 1};
    node.untyped = !is_c_like();
  } else if (token.text == "nil" || token.text == "NULL" || token.text == "nullptr") {
    // Variables may have these names where they are not keywords: evaluation looks first.
    node.kind = Kind::null_pointer;
    node.text = token.text;
  } else if ((token.text == "alignof" || token.text == "_Alignof") && cursor_.peek(1).is_sign("(")) {
    return std::unexpected(expression_error(begin, "the debug information does not tell alignments reliably"));
  } else if (cursor_.peek(1).is_sign("<")) {
    if (token.text == "static_cast" || token.text == "reinterpret_cast" || token.text == "const_cast")
      return cpp_cast(Kind::cast);
    if (token.text == "dynamic_cast")
      return cpp_cast(Kind::dynamic_cast_);
    return std::nullopt;
  } else {
    return std::nullopt;
  }
  cursor_.next();
  return made(std::move(node), begin, begin);
}

Node ExpressionGrammar::cpp_cast(ExpressionNode::Kind kind) {
  const std::size_t begin = cursor_.next().offset;
  cursor_.next();
  auto type = parse_type_at(cursor_, syntax_.language);
  if (!type)
    return std::unexpected(type.error());
  cursor_.split_angle();
  if (auto closed = cursor_.expect(">"); !closed)
    return std::unexpected(closed.error());
  if (!cursor_.peek().is_sign("("))
    return std::unexpected(cursor_.expected("'('"));
  auto node = argument_of_conversion(std::move(type->type), begin);
  if (node)
    node->kind = kind;
  return node;
}

/// From the "(" behind a type: exactly one value, in brackets.
Node ExpressionGrammar::argument_of_conversion(TypeSyntax type, std::size_t begin) {
  cursor_.next();
  auto operand = expression();
  if (!operand)
    return operand;
  if (auto closed = cursor_.expect(")"); !closed)
    return std::unexpected(closed.error());
  ExpressionNode node{.kind = Kind::cast};
  node.type = std::move(type);
  node.operands.push_back(std::move(*operand));
  return made(std::move(node), begin, begin);
}

/// "[]byte(s)", "unsigned(x)", "map[string]int(m)": of what can only be a type, which a call of a name is not.
std::optional<Node> ExpressionGrammar::conversion() {
  const ExpressionCursor::Position position = cursor_.position();
  const std::size_t begin = cursor_.peek().offset;
  auto type = parse_type_at(cursor_, syntax_.language);
  const bool names_only = type && !type->certain;
  if (type && syntax_.language == SourceLanguage::go && cursor_.peek().is_sign("{"))
    return composite_of(std::move(type->type), begin);
  if (!type || names_only || !cursor_.peek().is_sign("(") ||
      (type->type.shape == TypeSyntax::Shape::pointer || type->type.shape == TypeSyntax::Shape::reference)) {
    cursor_.rewind(position);
    return std::nullopt;
  }
  // Foo<a>(b) may be two comparisons.
  if (type->type.name.ends_with('>') && !(syntax_.is_type && syntax_.is_type(type->type.name))) {
    cursor_.rewind(position);
    return std::nullopt;
  }
  return argument_of_conversion(std::move(type->type), begin);
}

/// From the "{" behind a type: values, or names of fields with theirs.
Node ExpressionGrammar::composite_of(TypeSyntax type, std::size_t begin) {
  cursor_.next();
  ExpressionNode node{.kind = Kind::composite};
  node.type = std::move(type);
  while (!cursor_.accept("}")) {
    if (!node.operands.empty()) {
      if (auto comma = cursor_.expect(","); !comma)
        return std::unexpected(cursor_.expected("',' or '}'"));
      if (cursor_.accept("}"))
        break;
    }
    const bool named = cursor_.peek().kind == TokenKind::name && cursor_.peek(1).is_sign(":");
    if (!node.operands.empty() && named == node.text.empty())
      return std::unexpected(expression_error(cursor_.peek().offset, "all fields have names here, or none"));
    if (named) {
      node.text += std::string(cursor_.next().text) + " ";
      cursor_.next();
    }
    auto part = expression();
    if (!part)
      return part;
    node.operands.push_back(std::move(*part));
  }
  return made(std::move(node), begin, begin);
}

/// "(*pkg.T)(address)", in any language because dlv's users write it, Go's "(chan int)(c)", or an expression in
/// brackets.
Node ExpressionGrammar::parenthesised() {
  const ExpressionCursor::Position position = cursor_.position();
  const std::size_t begin = cursor_.next().offset;
  const bool composed = cursor_.peek().is_sign("*") || cursor_.peek().is_sign("[");
  if (composed || syntax_.language == SourceLanguage::go) {
    auto type = parse_type_at(cursor_, syntax_.language);
    if (type && type->certain && cursor_.accept(")") && cursor_.peek().is_sign("("))
      return argument_of_conversion(std::move(type->type), begin);
    cursor_.rewind(position);
    cursor_.next();
  }
  auto node = expression();
  if (!node)
    return node;
  if (auto closed = cursor_.expect(")"); !closed)
    return std::unexpected(closed.error());
  return node;
}

/// "ns::Foo<int, 3>::member", "::x", "'file.c'::x", "(anonymous namespace)::x".
Result<std::string> ExpressionGrammar::path() {
  std::string name;
  if (cursor_.accept("::"))
    name = "::";
  while (true) {
    const ExpressionToken &token = cursor_.peek();
    if (token.kind == TokenKind::quoted_name) {
      name += token.characters;
      cursor_.next();
    } else if (token.kind == TokenKind::name) {
      name += token.text;
      cursor_.next();
      if (takes_template_arguments(name))
        return std::unexpected(cursor_.expected("template arguments"));
    } else if (token.is_sign("(") && cursor_.peek(1).is_name("anonymous") && cursor_.peek(2).is_name("namespace") &&
               cursor_.peek(3).is_sign(")")) {
      name += "(anonymous namespace)";
      for (int count = 0; count < 4; ++count)
        cursor_.next();
    } else {
      return std::unexpected(cursor_.expected("a name"));
    }
    if (!cursor_.accept("::"))
      return name;
    name += "::";
    if (cursor_.accept("~"))
      name += "~";
  }
}

/// Appends "<…>" where it is there and can be no comparison. True: it was to be template arguments (Rust's ::<) and
/// is none.
bool ExpressionGrammar::takes_template_arguments(std::string &name) {
  const ExpressionCursor::Position position = cursor_.position();
  const bool explicit_ones = cursor_.peek().is_sign("::") && cursor_.peek(1).is_sign("<");
  if (explicit_ones)
    cursor_.next();
  if (!cursor_.peek().is_sign("<") || !cursor_.adjacent())
    return false;
  const auto arguments = template_arguments(cursor_, syntax_.language);
  const ExpressionToken &after = cursor_.peek();
  const bool ends = after.kind == TokenKind::end || after.is_sign(")") || after.is_sign("]") || after.is_sign(",") ||
                    after.is_sign("::");
  if (arguments && (explicit_ones || ends)) {
    name += *arguments;
    return false;
  }
  cursor_.rewind(position);
  return explicit_ones;
}

} // namespace inspect
