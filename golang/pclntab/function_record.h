// One function's record in the pclntab, whatever version wrote it.
//
// Source: type _func in runtime/runtime2.go, Go 1.16 to 1.26.
#pragma once

#include "golang/pclntab/pclntab_header.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace inspect {

struct FunctionRecord {
  std::uint32_t name = 0; ///< offset into the function names
  std::int32_t arguments_size = 0;
  std::uint32_t defer_return = 0;
  std::uint32_t stack_deltas = 0; ///< pcsp, pcfile, pcln: offsets into the pc-value tables; 0: none
  std::uint32_t files = 0;
  std::uint32_t lines = 0;
  std::uint32_t pc_data_count = 0;
  std::uint32_t compilation_unit = 0; ///< index into the unit table
  std::int32_t start_line = 0;        ///< 0 before 1.20
  std::uint8_t id = 0;
  std::uint8_t flags = 0; ///< 0 before 1.17
  std::uint8_t function_data_count = 0;
  std::size_t size = 0; ///< bytes before the arrays that follow: pcdata, then funcdata
};

/// The record at the start of `bytes`; nothing where it is cut off.
std::optional<FunctionRecord> read_function_record(std::span<const std::byte> bytes, PclntabFormat format);

} // namespace inspect
