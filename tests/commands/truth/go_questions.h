// Expressions over the variables that a place in a Go program has: paths into them and trees of operators.
#pragma once

#include "tests/commands/truth/go_types.h"

#include <optional>

namespace inspect::test {

struct GoTestVariable {
  std::string name; ///< "@" before those of the package
  const GoTestType *type = nullptr;
  const GoTestType *held = nullptr; ///< by a value of `interface {}`, where that is known
};

/// A question as text: "@" as in GoTestType.
struct GoTestQuestion {
  std::string command;    ///< "print", "whatis", "print %x"
  std::string expression; ///< also valid Go, where it has a truth
  bool has_truth = true;  ///< no address is in its answer
  bool of_held = false;   ///< what the interface holds: ".(data)" behind the expression
};

class GoQuestions {
public:
  GoQuestions(GoTypes &types, RandomChoice &choose, std::vector<GoTestVariable> scope)
      : types_(types), choose_(choose), scope_(std::move(scope)) {}

  /// Each variable by itself, `paths` ways into them, and `trees` trees of operators.
  std::vector<GoTestQuestion> all(std::size_t paths, std::size_t trees);

private:
  struct Path {
    std::string text;
    const GoTestType *type = nullptr;
    const GoTestType *held = nullptr;
    bool has_address = true;
  };
  Path variable() const;
  Path step(const Path &from) const;
  Path path(std::size_t steps) const;
  std::optional<Path> path_of_kind(GoTypeKind kind) const;
  std::string number_tree(const GoTestType &type, int depth) const;
  std::string text_tree(int depth) const;
  std::string condition(int depth) const;
  std::string whole_number(int depth) const;
  GoTestQuestion about(const Path &path) const;
  GoTestQuestion tree() const;

  GoTypes &types_;
  RandomChoice &choose_;
  std::vector<GoTestVariable> scope_;
};

} // namespace inspect::test
