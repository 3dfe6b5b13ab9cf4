// Signatures of Go functions: from the DWARF of the binary, or from a declaration as a person types it
// ("func (p *T) f(a []string, b int) error").
#pragma once

#include "dwarf/module/module_map.h"
#include "golang/go_version.h"
#include "golang/signatures/type_conversion.h"
#include "golang/types/go_type.h"
#include "machine/error.h"

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace inspect {

class GoSignatures {
public:
  GoSignatures();
  ~GoSignatures();
  GoSignatures(const GoSignatures &) = delete;
  GoSignatures &operator=(const GoSignatures &) = delete;

  /// Of the function whose code has this address (for a return address minus one byte), through its compilation unit;
  /// null where the binary has no DWARF for it. Cached; lives as long as this object.
  const GoSignature *at(Module &module, RunAddress pc, std::string_view function);

private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Of the function that a DIE describes; `function` is its name as the runtime prints it, empty: as DWARF has it. Types
/// live in the converter's pool.
GoSignature go_signature(const Dwarf_Die &die, std::string_view function, GoTypeConverter &converter);

/// A declaration: types not predeclared must be declared in the same text ("type eee struct { a, b int; s string }")
/// or are taken for one unknown word, which is said in `assumptions`. usage: where and why it cannot be read.
struct GoDeclaration {
  GoSignature signature;
  std::vector<std::string> assumptions;
};
Result<std::vector<GoDeclaration>> parse_go_declarations(std::string_view text, GoTypePool &pool);

} // namespace inspect
