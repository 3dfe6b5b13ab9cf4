// Where the caller of a Go function puts its parameters: in registers, each with a place in the caller's frame where
// the function may spill it, or on the stack. The compiler's ABIInternal; with no registers it is ABI0.
//
//     auto places = parameter_places(signature, version, complete);
//     if (places && places_fit(*places, signature, layout)) … cfa + places->at(0).offset …
//
// Sources: Go's src/cmd/compile/abi-internal.md, "Function call argument and result passing"; cmd/compile/internal/abi/
// abiutils.go, Go 1.17 to 1.27; the numbers of registers: internal/abi/abi_amd64.go.
#pragma once

#include "golang/arguments/argument_words.h"
#include "golang/types/go_type.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace inspect {

/// One scalar of a value: what the compiler keeps in one register or one word.
struct ScalarPart {
  std::uint64_t offset = 0; ///< bytes from the value's start
  std::uint64_t size = 0;   ///< bytes
  bool floating = false;
};

/// Makes the parts of a type known that were made on demand; may do nothing.
using CompleteType = std::function<void(const GoType &)>;

/// A value's scalars in the order in which registers are assigned. Nothing where it can be in no registers (an array of
/// several elements) or the type is not known.
std::optional<std::vector<ScalarPart>> scalar_parts(const GoType &type, const CompleteType &complete);

struct ParameterPlace {
  std::uint64_t offset = 0; ///< bytes from the CFA: of what is on the stack, else of the place to spill it
  std::uint64_t size = 0;   ///< bytes
  bool in_registers = false;
  std::vector<ScalarPart> parts; ///< empty where it cannot be taken apart
};

/// Of each parameter, the receiver first; nothing where a type is not known.
std::optional<std::vector<ParameterPlace>> parameter_places(const GoSignature &signature, GoVersion version,
                                                            const CompleteType &complete);

/// Whether the words that the compiler describes for tracebacks lie where these places say: the signature is whole, and
/// the function is called as it seems to be.
bool places_fit(const std::vector<ParameterPlace> &places, const GoSignature &signature, const ArgumentLayout &layout);

} // namespace inspect
