// The first words of a pclntab: which format it has and how large its tables are.
//
// Source: runtime/symtab.go, type pcHeader, Go 1.16 to 1.27.
#pragma once

#include "machine/error.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace inspect {

/// Named after the first release that writes it.
enum class PclntabFormat : std::uint8_t { go1_16, go1_18, go1_20 };

/// What a pclntab begins with.
struct PclntabHeader {
  PclntabFormat format = PclntabFormat::go1_20;
  std::uint64_t functions = 0;
  std::uint64_t files = 0;
  std::uint64_t text_start = 0; ///< 0 in format go1_16 and in Go 1.26: moduledata has it
};

/// Bytes that are enough for the header of any format.
constexpr std::size_t pclntab_header_size = 72;

/// unsupported: older than Go 1.16 (named), another pointer size or quantum. corrupt: no pclntab.
Result<PclntabHeader> read_pclntab_header(std::span<const std::byte> bytes);

} // namespace inspect
