// Questions about the variables of a generated C or C++ program: what a person would type of them, and what only a
// generator thinks of.
#pragma once

#include "tests/commands/truth/native_programs.h"
#include "tests/commands/truth/native_types.h"

#include <string>
#include <vector>

namespace inspect::test {

class NativeQuestions {
public:
  /// All are of one frame, where `visible` are the variables that can be named.
  NativeQuestions(SeededChoice &choice, std::string function, const std::vector<NativeVariable> &visible);

  std::vector<NativeQuestion> about_each_variable();
  std::vector<NativeQuestion> expressions(std::size_t count);

private:
  struct Path {
    std::string text;
    NativeTypeRef type;
    bool is_bit_field = false; ///< which has no address
  };
  /// Somewhere in a variable: members, elements, targets of pointers.
  Path path();
  Path step_into(Path path);
  Path scalar_path(bool whole);
  Path path_of_kind(NativeType::Kind kind);
  /// With `whole` only of integers: C gives the others no bitwise operators, and to what does not fit no value.
  std::string literal(bool whole);
  std::string number(std::size_t depth, bool whole);
  std::string operand(std::size_t depth, bool whole);
  NativeQuestion one_question();
  std::string of_pointers_and_arrays();

  SeededChoice &choice_;
  bool without_bit_fields_ = false; ///< of which gdb does not know that C promotes them to int
  std::string function_;
  const std::vector<NativeVariable> &visible_;
};

} // namespace inspect::test
