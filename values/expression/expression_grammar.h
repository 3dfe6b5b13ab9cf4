// The parser's rules, by recursive descent: operators are in expression_parser.cpp, what they stand between in
// expression_operands.cpp.
#pragma once

#include "values/expression/expression_cursor.h"
#include "values/expression/expression_parser.h"
#include "values/expression/type_syntax_parser.h"

#include <optional>
#include <string_view>
#include <utility>

namespace inspect {

class ExpressionGrammar {
public:
  using Node = Result<ExpressionNode>;

  ExpressionGrammar(ExpressionCursor &cursor, const ExpressionSyntax &syntax) : cursor_(cursor), syntax_(syntax) {}

  /// From the cursor as far as it goes.
  Node expression();

private:
  template <typename Parse> Node nested(Parse parse) {
    // A level may take a bracket, an operator and what is in front of it.
    if (nesting_ >= 3 * max_expression_nesting)
      return std::unexpected(expression_error(cursor_.peek().offset, "the expression is nested too deeply"));
    ++nesting_;
    Node node = parse();
    --nesting_;
    return node;
  }
  /// The node with its place; an error where the tree becomes too deep for what evaluates and destroys it.
  Node made(ExpressionNode node, std::size_t begin, std::size_t mark) const;
  bool is_c_like() const { return syntax_.language != SourceLanguage::go && syntax_.language != SourceLanguage::rust; }

  Node conditional();
  Node binary(int lowest);
  int precedence_here() const;
  Node conversion_or_binary(ExpressionNode left, int precedence, std::size_t begin);
  Node unary();
  Node operand_of(std::string_view operator_text, std::size_t begin);
  Node typed_address();
  Node size_of();
  std::optional<Node> c_cast();
  Node cast_to(TypeSyntax type, std::size_t begin);
  bool begins_operand_only(const ExpressionToken &token) const;

  Node postfix();
  Node postfix_of(ExpressionNode operand, std::size_t begin);
  Node member_of(ExpressionNode operand, std::size_t begin);
  Node assertion_of(ExpressionNode operand, std::size_t begin);
  Node index_of(ExpressionNode operand, std::size_t begin);
  Node slice_of(ExpressionNode operand, std::size_t begin, std::optional<ExpressionNode> low);
  Node call_of(ExpressionNode operand, std::size_t begin);
  Node primary();
  Node named();
  std::optional<Node> keyword();
  std::optional<Node> conversion();
  Node cpp_cast(ExpressionNode::Kind kind);
  Node composite_of(TypeSyntax type, std::size_t begin);
  Node parenthesised();
  Node argument_of_conversion(TypeSyntax type, std::size_t begin);
  Result<std::string> path();
  bool takes_template_arguments(std::string &name);

  ExpressionCursor &cursor_;
  const ExpressionSyntax &syntax_;
  std::size_t nesting_ = 0;
};

} // namespace inspect
