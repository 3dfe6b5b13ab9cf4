// Machine code as instructions with names: what `disassemble` prints. Decoding is Zydis' work.
#pragma once

#include "inspector/target/target.h"
#include "machine/cancellation.h"

#include <cstdint>
#include <string>
#include <vector>

namespace inspect {

enum class AssemblyFlavor { intel, att };

struct Instruction {
  RunAddress address;
  std::vector<std::byte> bytes; ///< as they stand in memory now
  std::string text;             ///< "call 0x401136"; "(bad)" for a byte that begins no instruction
  std::string refers_to;  ///< what a branch or an rip-relative operand leads to: "write@plt", "main+0x12"; or empty
  bool is_branch = false; ///< `refers_to` is where a call or jump goes, not data
  std::string function;   ///< "main", with `offset`; empty: unknown
  std::uint64_t offset = 0;
  std::string file;
  int line = 0;
};

/// At most `limit` instructions from `begin` to `end`. Text is read live, so patches show. unreadable where not all of
/// it is mapped.
Result<std::vector<Instruction>> disassemble(Target &target, RunRange range, AssemblyFlavor flavor, std::size_t limit,
                                             const Cancellation &cancellation);

/// Where the function that holds an address begins and ends; not_found without a symbol there.
Result<RunRange> function_range(Target &target, RunAddress address);

/// "main+0x12", or empty where no symbol covers the address.
std::string describe_address(Target &target, RunAddress address);

} // namespace inspect
