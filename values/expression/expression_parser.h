// Makes an Expression of a text. Bounded: in length, in nesting, and in time linear in the text.
//
// C cannot be parsed without knowing which names are types: (a)-(b) is a subtraction or a cast. `is_type` is asked
// then, and only then; a name that is a variable and a type is a variable. (a)(b) needs no answer: it is a call until
// it is evaluated, and a call of a type is a cast.
#pragma once

#include "values/expression/expression.h"
#include "values/value.h"

#include <functional>
#include <string_view>

namespace inspect {

struct ExpressionSyntax {
  SourceLanguage language = SourceLanguage::unknown; ///< unknown: C++
  std::function<bool(std::string_view name)> is_type = {};
};

/// usage with the column where it stops being valid.
Result<Expression> parse_expression(std::string_view text, const ExpressionSyntax &syntax);
/// The whole text as a type: "const ns::Foo<int> *", "[]string", "&mut [u8]".
Result<TypeSyntax> parse_type(std::string_view text, const ExpressionSyntax &syntax);

struct AssignmentSyntax {
  Expression target;
  Expression value; ///< its offsets, too, count from the beginning of the whole text
};

/// "x = 5", "var x = 5", "p->next = nil", "x += 1" (as x = x + 1). not_found where the text holds no = at all.
Result<AssignmentSyntax> parse_assignment_expression(std::string_view text, const ExpressionSyntax &syntax);

} // namespace inspect
