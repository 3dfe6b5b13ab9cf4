// The types that a text of Go declarations names, declared there or not, in any order: arrays and structures get their
// sizes when all of the text is read, since they may hold types that are declared further down.
#pragma once

#include "golang/types/type_grammar.h"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace inspect {

class DeclaredTypes : public GoTypeResolver {
public:
  explicit DeclaredTypes(GoTypePool &pool) : GoTypeResolver(pool) {}

  /// A predeclared type, one of the standard library's that is known, a type parameter, or a type that is or may yet be
  /// declared.
  const GoType &at(const std::string &name);
  bool is_declared(const std::string &name) const;
  /// `offset`: where in the text.
  void declare(const std::string &name, const GoType &underlying, std::size_t offset);
  /// Names that stand for an unknown type until they are forgotten.
  void add_parameter(const std::string &name);
  void forget_parameters() { parameters_.clear(); }

  struct Impossible {
    std::size_t offset = 0; ///< in the text
    std::string what;
  };
  /// Gives declared types what they are declared as, and sizes. Something is returned where that cannot be done.
  std::optional<Impossible> complete();

protected:
  Result<const GoType *> named(const std::string &name) override { return &at(name); }
  Result<const GoType *> array_of(const GoType &element, std::uint64_t length) override;
  const GoType *structure_of(std::vector<GoField> fields, std::string name) override;

private:
  std::optional<Impossible> resolve_chains();
  bool lay_out(const GoType &type);

  std::map<std::string, GoType *> names_; ///< declared or not
  std::map<std::string, const GoType *> known_;
  std::map<std::string, GoType *> parameters_;
  std::vector<std::pair<GoType *, const GoType *>> underlying_; ///< of each declared type
  std::unordered_map<const GoType *, std::size_t> places_;      ///< of declared types
  std::unordered_map<const GoType *, GoType *> without_size_;
  std::set<const GoType *> being_laid_out_;
};

/// A sentence for each type of unknown kind that a parameter or a result holds by value; what a pointer points to need
/// not be known.
std::vector<std::string> unknown_types(const GoSignature &signature);

} // namespace inspect
