// One evaluation of an expression: a walk over its tree. What operators do is in expression_operators.cpp, calls,
// casts and sizes are in expression_conversions.cpp, the rest is in expression_evaluator.cpp.
#pragma once

#include "values/expression/expression.h"
#include "values/name_scope.h"
#include "values/value_operations.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// A value, or a literal that has no type until its neighbour or the end decides.
struct EvaluationOperand {
  enum class Kind : std::uint8_t { value, untyped_number, text, null_pointer };
  Kind kind = Kind::value;
  Value value = {};
  Number number = {};
  std::string text = {};
};

/// While it lives, what a null pointer leads to is a value at address 0: for those that want its type or its place.
class NullIsAPlace {
public:
  explicit NullIsAPlace(ValueEnvironment &environment)
      : environment_(environment), before_(environment.null_is_a_place) {
    environment.null_is_a_place = true;
  }
  ~NullIsAPlace() { environment_.null_is_a_place = before_; }
  NullIsAPlace(const NullIsAPlace &) = delete;
  NullIsAPlace &operator=(const NullIsAPlace &) = delete;

private:
  ValueEnvironment &environment_;
  bool before_;
};

/// While it lives, what is optimized out or cannot be read is taken for zero, for those that want its type alone:
/// whatis, ptype, sizeof.
class TypesAlone {
public:
  explicit TypesAlone(ValueEnvironment &environment)
      : null_(environment), environment_(environment), before_(environment.types_alone) {
    environment.types_alone = true;
  }
  ~TypesAlone() { environment_.types_alone = before_; }
  TypesAlone(const TypesAlone &) = delete;
  TypesAlone &operator=(const TypesAlone &) = delete;

private:
  NullIsAPlace null_;
  ValueEnvironment &environment_;
  bool before_;
};

struct ComplexNumber {
  long double real = 0;
  long double imaginary = 0;
  unsigned size = 16; ///< bytes of both parts
};

class ExpressionEvaluation {
public:
  using Operand = EvaluationOperand;

  ExpressionEvaluation(const Expression &expression, NameScope &scope)
      : expression_(expression), scope_(scope), environment_(scope.environment()) {}

  Result<Value> run();
  /// Of literals, the value that they have by themselves.
  Result<Value> value_of(const Operand &operand);
  Result<Operand> evaluate(const ExpressionNode &node);

private:
  bool in_go() const { return scope_.language() == SourceLanguage::go && environment_.go.has_value(); }
  bool in_rust() const { return scope_.language() == SourceLanguage::rust; }

  Result<Operand> evaluate_kind(const ExpressionNode &node);
  Result<Value> evaluate_value(const ExpressionNode &node);
  Result<Operand> name(const ExpressionNode &node);
  Result<Operand> null_pointer(const ExpressionNode &node);
  Result<Operand> member(const ExpressionNode &node);
  Result<Operand> element(const ExpressionNode &node);
  Result<Operand> slice(const ExpressionNode &node);
  Result<Operand> conditional(const ExpressionNode &node);
  Result<Operand> assertion(const ExpressionNode &node);
  /// "pkg.Var", "main.(*T).method" where the node is such a chain of names; else empty.
  std::string joined_name(const ExpressionNode &node) const;
  bool is_function_name(const std::string &name);

  Result<Operand> unary(const ExpressionNode &node);
  Result<Operand> dereference(const ExpressionNode &node);
  Result<Operand> address_of(const ExpressionNode &node);
  Result<Operand> through_member_pointer(const ExpressionNode &node);
  /// Of "Class::member", not static: what & gives; nothing where it is something else.
  std::optional<Result<Value>> member_pointer(std::string_view name);
  Result<Operand> logical_not(const Operand &operand);
  Result<Operand> binary(const ExpressionNode &node);
  Result<Operand> logical(const ExpressionNode &node);
  Result<Operand> repeated(const ExpressionNode &node);
  Result<Operand> combine(std::string_view operator_text, const Operand &left, const Operand &right);
  Result<Operand> c_numbers(std::string_view operator_text, const Operand &left, const Operand &right);
  Result<Operand> strict_numbers(std::string_view operator_text, const Operand &left, const Operand &right);
  Result<Operand> untyped_numbers(std::string_view operator_text, const Number &left, const Number &right);
  Result<Operand> strict_shift(std::string_view operator_text, const Operand &left, const Operand &right);
  Result<std::optional<Operand>> complex_numbers(std::string_view operator_text, const Operand &left,
                                                 const Operand &right);
  Result<std::optional<Operand>> vectors(std::string_view operator_text, const Operand &left, const Operand &right);
  /// Of a complex value or literal; nothing of any other operand.
  Result<std::optional<ComplexNumber>> complex_of(const Operand &operand);
  /// As complex_of, also of what is one real number.
  Result<ComplexNumber> any_complex(const Operand &operand);
  Value complex_value(const ComplexNumber &number, const ValueType &type) const;
  ValueType complex_type(unsigned size) const;
  Result<Operand> complex_call(std::string_view name, const std::vector<Operand> &arguments);
  Result<std::optional<Operand>> pointers(std::string_view operator_text, const Operand &left, const Operand &right);
  Result<std::optional<Operand>> texts(std::string_view operator_text, const Operand &left, const Operand &right);
  Result<std::optional<Operand>> go_comparison(std::string_view operator_text, const Operand &left,
                                               const Operand &right);
  Result<bool> is_nil(const Value &value);
  Result<bool> truth_of(const Operand &operand);
  Result<Number> number_of(const Operand &operand);
  Operand without_rust_reference(Operand operand);
  /// A pointer, or an array that becomes one; nothing else.
  std::optional<Value> as_pointer(const Operand &operand);
  Result<std::uint64_t> step_of(const Value &pointer);

  Result<Operand> call(const ExpressionNode &node);
  std::optional<Result<Operand>> go_builtin(std::string_view name, const ExpressionNode &node);
  Result<Operand> length_call(const ExpressionNode &argument, bool capacity);
  Result<Operand> cast(const ExpressionNode &node);
  Result<Value> cast_to(const Operand &operand, const ValueType &type);
  Result<Value> cast_number(const Number &number, const ValueType &type);
  Result<Operand> size_of(const ExpressionNode &node);
  Result<Operand> composite(const ExpressionNode &node);

  Operand boolean(bool value) const;
  Operand untyped(const Number &number) const;
  Result<Operand> of_value(Result<Value> value) const;
  /// With types alone: zero where the value is not known.
  Value with_any_bytes(Value value) const;
  /// A number as a value of `type`; usage where it does not fit.
  Result<Value> number_value(const Number &number, const ValueType &type);
  Result<Value> number_value(const Number &number);
  Value rust_bytes(const std::string &text, std::string_view name);
  bool all_native(const Operand &left, const Operand &right) const;

  const Expression &expression_;
  NameScope &scope_;
  ValueEnvironment &environment_;
};

/// A value that is nowhere in the target.
Value value_of_bytes(std::vector<std::byte> bytes, const ValueType &type, SourceLanguage language);

} // namespace inspect
