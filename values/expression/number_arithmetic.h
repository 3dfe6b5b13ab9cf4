// Arithmetic on Numbers as the target's machine would do it: results wrap to the width of their type, floating-point
// ones are rounded to it.
//
// Sources: C23 6.3.1 (conversions: promotions, 6.3.1.8 the usual ones), 6.5; the Go specification ("Arithmetic
// operators", "Constant expressions"); the Rust reference ("Operator expressions").
#pragma once

#include "machine/error.h"
#include "values/number.h"

#include <string_view>

namespace inspect {

/// What a Number is once C has promoted it: nothing narrower than int, nothing but integers and floats.
Number promoted(Number number);
/// The number as one of that kind and size: truncated, sign-extended, rounded.
Number converted(const Number &number, Number::Kind kind, unsigned size);
/// Both as C's usual arithmetic conversions make them, of one kind and size.
struct NumberPair {
  Number left;
  Number right;
};
NumberPair usual_conversions(const Number &left, const Number &right);

bool is_comparison(std::string_view operator_text);
bool is_shift(std::string_view operator_text);

/// + - * / % & | ^ &^ of two numbers of one kind and size, with a result of the same. usage: division by zero, a
/// fraction where the operator wants bits.
Result<Number> arithmetic(std::string_view operator_text, const Number &left, const Number &right);
/// Rust's % of floating-point numbers, which the other languages do not have.
Number real_remainder(const Number &left, const Number &right);
/// Of two of one kind and size.
bool compare(std::string_view operator_text, const Number &left, const Number &right);

enum class WideShift {
  refused, ///< C, Rust: as many bits as the number has or more
  emptied, ///< Go: nothing is left, or only the sign
};
Result<Number> shift(std::string_view operator_text, const Number &left, const Number &count, WideShift wide);
/// - ~ +, with the number's own kind and size.
Result<Number> unary_arithmetic(std::string_view operator_text, const Number &number);
bool is_zero(const Number &number);

} // namespace inspect
