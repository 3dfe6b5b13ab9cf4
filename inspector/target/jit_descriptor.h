// What a compiler at run time has told debuggers of its code, by gdb's interface for that: a list of ELF files in the
// process' own memory, whose symbols name functions. LLVM's JITs, V8 (--gdbjit) and others keep one.
//
//     for (const JitSymbol &symbol : described_jit_symbols(target)) …
//
// Source: the gdb manual, "JIT Compilation Interface"; System V gABI, "Symbol Table".
#pragma once

#include "inspector/target/jit_code.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace inspect {

/// Of the list as the process has it, which may be damaged or lead back into itself.
inline constexpr std::size_t max_jit_files = 65'536;
inline constexpr std::uint64_t max_jit_file_size = 16U << 20;
inline constexpr std::uint64_t max_jit_bytes = 128U << 20;

/// Functions that have a size and a name, in the order of the list, newest first. Empty where the process keeps none,
/// or where it cannot be read.
std::vector<JitSymbol> described_jit_symbols(Target &target);

} // namespace inspect
