// How tightly binary operators bind in each language.
//
// Sources: C23 6.5 (the order of its subclauses), the Go specification ("Operator precedence"), the Rust reference
// ("Expression precedence"); gdb's @ stands between shifts and sums (its c-exp.y's order).
#pragma once

#include "values/value.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace inspect {

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

/// 0: it is no binary operator of the language.
constexpr int binary_precedence(std::string_view text, SourceLanguage language) {
  std::span<const OperatorPrecedence> operators = c_operators;
  if (language == SourceLanguage::go)
    operators = go_operators_table;
  else if (language == SourceLanguage::rust)
    operators = rust_operators;
  const auto found = std::ranges::find(operators, text, &OperatorPrecedence::text);
  return found == operators.end() ? 0 : found->precedence;
}

} // namespace inspect
