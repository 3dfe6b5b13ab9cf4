// What the pclntab has of one function, whatever version wrote it: its record, its pc-value tables, and the tree of
// calls inlined into it. golang/pclntab/pclntab.h puts them together.
//
// A pc-value table cuts the function's code into stretches of one value each (frame size, file, line, inlined call, …),
// as deltas in varints. An inlined call is one that the compiler replaced by the callee's code.
//
// Source: type _func in runtime/runtime2.go, Go 1.16 to 1.27; runtime/symtab.go, pcvalue and step, "Go 1.2 Runtime
// Symbol Information"; type inlinedCall in runtime/symtab.go (1.16 to 1.19, 20 bytes) and runtime/symtabinl.go (since
// 1.20, 16 bytes).
#pragma once

#include "golang/pclntab/image_bytes.h"
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

/// The record at the start of `bytes`; nothing where it is truncated.
std::optional<FunctionRecord> read_function_record(std::span<const std::byte> bytes, PclntabFormat format);

/// The value that the table at the start of `bytes` has for the byte of code `offset` from its function's entry.
/// Nothing where the table ends before, or is damaged. -1 is a value of its own: "none" in most tables.
std::optional<std::int32_t> pc_value(std::span<const std::byte> bytes, std::uint64_t offset);

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
