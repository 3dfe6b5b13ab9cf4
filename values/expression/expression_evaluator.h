// What an expression is worth in a frame. The steps are those of ValueOperations; arithmetic follows the operands'
// language: C's usual conversions, Go's and Rust's refusal to mix types.
//
//     const auto value = evaluate("s.lookup[1]", scope);
//     if (!value) … value.error().message() is "at column 3: …", caret_line() points there …
//
// Text literals are arrays of char, in Go strings that are nowhere in the target. Nothing in the target is ever called;
// what is written as a call is a conversion, len, cap, or a container's size().
#pragma once

#include "values/expression/expression.h"
#include "values/expression/expression_parser.h"
#include "values/name_scope.h"

#include <string_view>

namespace inspect {

/// The frame's language, and its names to tell types by.
ExpressionSyntax expression_syntax(NameScope &scope);

/// usage, not_found, unreadable, corrupt, timed_out; with the column unless the expression is a single name.
Result<Value> evaluate(const Expression &expression, NameScope &scope);
Result<Value> evaluate(std::string_view text, NameScope &scope);

/// The type itself where the text is a type, else that of the expression's value: for whatis and ptype.
Result<ValueType> type_of_expression(std::string_view text, NameScope &scope);
/// What whatis names: of an expression its type, of a type that is itself, but of a typedef what that stands for.
Result<ValueType> named_type_of(std::string_view text, NameScope &scope);
Result<ValueType> find_type(const TypeSyntax &type, NameScope &scope);

} // namespace inspect
