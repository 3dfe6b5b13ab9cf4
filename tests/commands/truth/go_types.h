// The types of a program made from a seed, and literals of them.
#pragma once

#include "tests/commands/truth/random_choice.h"

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace inspect::test {

enum class GoTypeKind {
  integer,
  floating,
  complex_number,
  boolean,
  text,
  slice,
  array,
  map,
  structure,
  pointer,
  any,
  error,
  function,
  channel,
};

struct GoTestType {
  GoTypeKind kind = GoTypeKind::integer;
  /// As source text has it; "@" stands before names of the program's own: nothing in source, "main." in questions.
  std::string name;
  const GoTestType *element = nullptr;
  const GoTestType *key = nullptr;
  int length = 0; ///< an array's
  int bits = 0;
  bool is_signed = false;
  std::vector<std::pair<std::string, const GoTestType *>> fields = {};
  std::vector<std::string> promoted = {}; ///< names of fields that are embedded
  std::vector<std::string> constants = {};
  bool is_comparable = true;
};

class GoTypes {
public:
  explicit GoTypes(RandomChoice &choose);

  const GoTestType &any_type(int depth = 2);
  const GoTestType &number() { return *choose_.one_of(numbers_); }
  const GoTestType &structure() { return *choose_.one_of(structures_); }
  const GoTestType &integer(const std::string &name) const;
  const GoTestType &text() const { return *text_; }
  const GoTestType &boolean() const { return *boolean_; }
  /// An expression of the type that needs no variable.
  std::string literal(const GoTestType &type, int depth = 3);
  /// The same, and which type a value of `interface {}` holds.
  std::string held_literal(const GoTestType *&held, int depth = 2);
  const GoTestType &slice_of(const GoTestType &element);
  const GoTestType &pointer_to(const GoTestType &element);
  /// type and const declarations, "@" included.
  const std::string &declarations() const { return declarations_; }

private:
  const GoTestType &add(GoTestType type);
  void add_numbers();
  void add_named();
  void add_structure(int number);
  const GoTestType &composed(int depth);
  const GoTestType &key_type();
  std::string number_literal(const GoTestType &type);
  std::string text_literal();
  std::string list_literal(const GoTestType &type, int depth);
  std::string map_literal(const GoTestType &type, int depth);
  std::string structure_literal(const GoTestType &type, int depth);
  std::string pointer_literal(const GoTestType &type, int depth);
  std::string error_literal();

  RandomChoice &choose_;
  std::deque<GoTestType> all_;
  std::vector<const GoTestType *> numbers_;
  std::vector<const GoTestType *> simple_;
  std::vector<const GoTestType *> structures_;
  const GoTestType *text_ = nullptr;
  const GoTestType *boolean_ = nullptr;
  const GoTestType *any_ = nullptr;
  const GoTestType *error_ = nullptr;
  const GoTestType *function_ = nullptr;
  std::string declarations_;
};

} // namespace inspect::test
