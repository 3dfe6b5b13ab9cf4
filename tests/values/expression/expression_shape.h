// An expression's tree as a text with brackets, for tables of tests: "(+ a (* b 2))".
#pragma once

#include "values/expression/expression.h"

#include <fmt/format.h>
#include <string>

namespace inspect::test {

inline std::string shape_of(const TypeSyntax &type) {
  std::string parts;
  for (const TypeSyntax &part : type.parts)
    parts += (parts.empty() ? "" : " ") + shape_of(part);
  switch (type.shape) {
  case TypeSyntax::Shape::named:
    return "<" + type.name + ">";
  case TypeSyntax::Shape::pointer:
    return parts + "*";
  case TypeSyntax::Shape::reference:
    return parts + "&";
  case TypeSyntax::Shape::array:
    return fmt::format("{}[{}]", parts, type.length);
  case TypeSyntax::Shape::slice:
    return "[]" + parts;
  case TypeSyntax::Shape::qualified:
    return type.name + " " + parts;
  case TypeSyntax::Shape::function:
    return "fn(" + parts + (type.is_variadic ? " ...)" : ")");
  default:
    return "?";
  }
}

inline std::string number_shape(const ExpressionNode &node) {
  const Number &number = node.number;
  const std::string_view open = node.untyped ? "?" : "";
  switch (number.kind) {
  case Number::Kind::floating:
    return fmt::format("{}f{}{}", static_cast<double>(number.real), number.size * 8, open);
  case Number::Kind::imaginary:
    return fmt::format("{}im{}", static_cast<double>(number.real), open);
  case Number::Kind::boolean:
    return number.integer != 0 ? "true" : "false";
  default:
    break;
  }
  const std::string_view letter = number.kind == Number::Kind::character        ? "c"
                                  : number.kind == Number::Kind::signed_integer ? "i"
                                                                                : "u";
  return fmt::format("{}{}{}{}", static_cast<std::uint64_t>(number.integer), letter, number.size * 8, open);
}

inline std::string shape_of(const ExpressionNode &node) {
  using Kind = ExpressionNode::Kind;
  std::string head;
  switch (node.kind) {
  case Kind::number:
    return number_shape(node);
  case Kind::text:
    return "\"" + node.text + "\"";
  case Kind::null_pointer:
    return "null";
  case Kind::name:
    return node.text;
  case Kind::register_name:
    return "$" + node.text;
  case Kind::unary:
  case Kind::binary:
    head = node.text;
    break;
  case Kind::conditional:
    head = "?:";
    break;
  case Kind::member:
    head = "." + node.text;
    break;
  case Kind::element:
    head = "[]";
    break;
  case Kind::slice:
    head = fmt::format("[{}:{}]", node.has_low ? "a" : "", node.has_high ? "b" : "");
    break;
  case Kind::cast:
    head = "cast";
    break;
  case Kind::dynamic_cast_:
    head = "dynamic_cast";
    break;
  case Kind::type_assertion:
    head = "assert";
    break;
  case Kind::type_data:
    head = "data";
    break;
  case Kind::call:
    head = "call";
    break;
  case Kind::composite:
    head = "composite " + node.text;
    break;
  case Kind::size_of:
    head = "sizeof";
    break;
  }
  std::string text = "(" + head;
  if (node.type)
    text += " " + shape_of(*node.type);
  for (const ExpressionNode &operand : node.operands)
    text += " " + shape_of(operand);
  return text + ")";
}

} // namespace inspect::test
