// Call frame information, .eh_frame and .debug_frame, and the rows that it encodes.
#include "dwarf/cfi/cfi_table.h"
#include "tests/fuzz/fuzz_module.h"
#include "tests/fuzz/fuzz_target.h"

#include <dwarf.h>

namespace inspect::test {
namespace {

constexpr std::size_t max_cfi_size = 20'000;

bool run_cfi(std::span<const std::byte> bytes) {
  FuzzInput input(bytes);
  const FuzzSections sections = FuzzSections::take(input);
  const auto module = open_fuzz_module(sections.elf());
  if (!module)
    return false;
  CfiTable &table = cfi_of(*module);
  table.warm_up();
  RegisterSet registers;
  for (unsigned number = 0; number < 17; ++number)
    registers.set(number, 0x7000 + number * 8);
  BufferMemory memory;
  memory.add(RunAddress{0x7000}, std::vector<std::byte>(256));
  std::size_t rows = 0;
  for (const LinkAddress address : sections.addresses()) {
    const CfiRow *row = table.at(address);
    if (row == nullptr) {
      fuzz_check(!table.reason().empty(), "without a row there is a reason");
      continue;
    }
    ++rows;
    fuzz_check(row->valid.contains(address), "a row holds for the address that was asked for");
    if (!row->cfa.expression.empty())
      static_cast<void>(evaluate(row->cfa.expression, {registers, memory}));
    for (const RegisterRule &rule : row->registers)
      if (rule.kind == RegisterRule::Kind::expression || rule.kind == RegisterRule::Kind::val_expression)
        static_cast<void>(evaluate(rule.expression, {registers, memory, {}, RunAddress{0x7010}}));
  }
  return rows > 0;
}

std::string handmade_frames() {
  ByteWriter expression;
  expression.u8(DW_OP_breg7).signed_leb(8).u8(DW_OP_breg0).signed_leb(0).u8(DW_OP_bra).u16(3).u8(DW_OP_skip).u16(2);
  expression.u8(DW_OP_plus_uconst).leb(16);
  ByteWriter instructions;
  instructions.u8(DW_CFA_def_cfa_expression).leb(expression.size()).raw(expression.text());
  instructions.u8(DW_CFA_advance_loc + 1).u8(DW_CFA_remember_state).u8(DW_CFA_def_cfa).leb(7).leb(16);
  instructions.u8(DW_CFA_expression).leb(6).leb(expression.size()).raw(expression.text());
  instructions.u8(DW_CFA_advance_loc1).u8(4).u8(DW_CFA_restore_state).u8(DW_CFA_register).leb(3).leb(6);
  EhFrameWriter frames;
  const std::size_t cie = frames.cie({.augmentation = "zRS", .augmentation_data = std::string(1, '\0')});
  frames.fde(cie, 0x401000, 0x40, "", instructions.text());
  return FuzzSeed()
      .number(0x401000, 6)
      .part(std::string(64, '\x90'))
      .number(0x402000, 6)
      .number(0, 1)
      .part(frames.text())
      .text();
}

std::vector<std::string> cfi_seeds() {
  std::vector<std::string> seeds = fixture_sections({"unwind_optimized", "unwind_clang", "lines_nested", "unwind_musl"},
                                                    max_cfi_size, {".eh_frame"});
  // libdw takes no file for DWARF that has .debug_frame only.
  for (std::string &seed :
       fixture_sections({"unwind_debug_frame"}, max_cfi_size, {".debug_frame", ".debug_info", ".debug_abbrev"}))
    seeds.push_back(std::move(seed));
  seeds.push_back(handmade_frames());
  return seeds;
}

const RegisteredFuzzTarget cfi_target{
    {.name = "cfi", .run = run_cfi, .seeds = cfi_seeds, .rounds = 150, .max_size = max_cfi_size}};

} // namespace
} // namespace inspect::test
