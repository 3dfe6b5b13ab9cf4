// What names mean where an expression is evaluated: a frame's locals and arguments, then members of `this`, the unit's
// statics, globals, functions and types of the whole program. inspector/scope/frame_scope.h is the real one; tests have
// their own.
#pragma once

#include "machine/error.h"
#include "values/value.h"
#include "values/value_environment.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

class NameScope {
public:
  virtual ~NameScope() = default;

  /// Variables and functions, innermost scope first: "x", "ns::x", "pkg.Var", "Class::member", "file.c::static_one".
  /// not_found with near misses; usage, listing them, where several are meant equally.
  virtual Result<Value> find(std::string_view name) = 0;
  /// Only what the frame itself has: its locals, its arguments, what its closure has captured. Nothing where there is
  /// none of that name.
  virtual std::optional<Value> find_in_frame(std::string_view) { return std::nullopt; }
  /// "int", "unsigned long", "ns::Foo<int>", "pkg.Type", "u8": predeclared ones included, without * and [].
  virtual Result<ValueType> find_type(std::string_view name) = 0;
  /// "rip", "RIP", "eax", "xmm0"; not_found where it is not recoverable in this frame, or none.
  virtual Result<Value> find_register(std::string_view name) = 0;
  /// Of the frame; it decides the syntax where languages differ.
  virtual SourceLanguage language() const = 0;
  virtual ValueEnvironment &environment() = 0;
  /// Names that begin so, for completion; at most `limit`.
  virtual std::vector<std::string> names_like(std::string_view prefix, std::size_t limit) = 0;
};

} // namespace inspect
