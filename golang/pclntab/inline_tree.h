// The inlined calls of one function: each record is one call that the compiler replaced by the callee's code.
//
// Source: type inlinedCall in runtime/symtab.go (1.16 to 1.19, 20 bytes) and runtime/symtabinl.go (since 1.20, 16
// bytes).
#pragma once

#include "golang/pclntab/image_bytes.h"
#include "golang/pclntab/pclntab_header.h"

#include <cstdint>
#include <optional>

namespace inspect {

struct InlinedCall {
  std::uint8_t id = 0;         ///< FuncID of the function called
  std::uint32_t name = 0;      ///< its name: offset into the function names
  std::uint32_t parent_pc = 0; ///< offset from entry of an instruction that belongs to the line of the call
  std::int32_t start_line = 0; ///< 0 before 1.20
};

/// Record `index` of the tree at `tree`.
std::optional<InlinedCall> read_inlined_call(const ImageBytes &bytes, RunAddress tree, std::uint32_t index,
                                             PclntabFormat format);

} // namespace inspect
