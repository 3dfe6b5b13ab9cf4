// The unwinder over recorded snapshots: registers, stack, code, call frame information.
#include "dwarf/cfi/cfi_table.h"
#include "dwarf/unwind/unwinder.h"
#include "machine/x86_64/registers.h"
#include "tests/fuzz/fuzz_module.h"
#include "tests/fuzz/fuzz_target.h"

#include <dwarf.h>

namespace inspect::test {
namespace {

constexpr std::uint64_t stack_begin = 0x7ffe'0000'0000;
constexpr std::size_t max_fuzz_frames = 2000;

bool run_unwinder(std::span<const std::byte> bytes) {
  FuzzInput input(bytes);
  const auto known = static_cast<std::uint32_t>(input.number(4));
  RegisterSet registers;
  for (unsigned number = 0; number < 17; ++number)
    if (const std::uint64_t value = input.number(8); (known >> number & 1U) != 0)
      registers.set(number, value);
  const std::string_view stack_bytes = input.part();
  const FuzzSections sections = FuzzSections::take(input);
  BufferMemory memory;
  memory.add(RunAddress{stack_begin}, as_byte_vector(stack_bytes));
  auto module = open_fuzz_module(sections.elf(), &memory);
  if (!module)
    return false;
  ModuleMap modules;
  modules.add(std::move(module));
  UnwindLimits limits;
  limits.max_frames = max_fuzz_frames;
  limits.keep_registers = true;
  limits.starts_at_return_address = (known >> 31U) != 0;
  const Stack stack = unwind(registers, memory, modules, limits);
  fuzz_check(stack.frames.size() <= max_fuzz_frames, "the limit of frames is kept");
  fuzz_check(stack.end_reason.empty() == (stack.end == StackEnd::complete), "a stack that is not complete says why");
  for (const Frame &frame : stack.frames)
    fuzz_check(frame.registers != nullptr, "registers are kept where that is asked for");
  return stack.frames.size() > 1;
}

/// A walk of two calls by rules, from a leaf at the beginning of the code.
std::string snapshot(std::string_view code, std::string_view eh_frame, std::uint64_t code_begin, std::uint64_t pc) {
  FuzzSeed seed;
  seed.number(0x1ffff, 4);
  for (unsigned number = 0; number < 17; ++number)
    seed.number(number == x86_64::return_address ? pc
                : number == x86_64::rsp          ? stack_begin + 16
                : number == x86_64::rbp          ? stack_begin + 32
                                                 : number,
                8);
  ByteWriter stack;
  for (const std::uint64_t word :
       {std::uint64_t{0}, std::uint64_t{1}, pc + 5, stack_begin + 64, stack_begin + 64, pc + 5, std::uint64_t{7},
        std::uint64_t{8}, std::uint64_t{0}, pc + 10, std::uint64_t{0}, std::uint64_t{0}})
    stack.u64(word);
  seed.part(stack.text()).number(code_begin, 6).part(code).number(code_begin + 0x1000, 6);
  if (!eh_frame.empty())
    seed.number(0, 1).part(eh_frame);
  return seed.text();
}

std::vector<std::string> unwinder_seeds() {
  constexpr std::uint64_t begin = 0x401000;
  EhFrameWriter frames;
  const std::size_t cie = frames.cie(
      {.augmentation = "zR",
       .augmentation_data = std::string(1, '\0'),
       .instructions = ByteWriter().u8(DW_CFA_def_cfa).leb(x86_64::rsp).leb(8).u8(DW_CFA_offset + 16).leb(1).text()});
  frames.fde(
      cie, begin, 0x20, "",
      ByteWriter().u8(DW_CFA_advance_loc + 1).u8(DW_CFA_def_cfa_offset).leb(16).u8(DW_CFA_offset + 6).leb(2).text());
  const std::size_t signal = frames.cie({.augmentation = "zRS", .augmentation_data = std::string(1, '\0')});
  frames.fde(
      signal, begin + 0x20, 0x10, "",
      ByteWriter().u8(DW_CFA_def_cfa).leb(6).leb(16).u8(DW_CFA_offset + 6).leb(2).u8(DW_CFA_offset + 16).leb(1).text());
  // push rbp; mov rbp,rsp; call +0; pop rbp; ret; and a trampoline behind: mov $15,%rax; syscall
  const std::string code("\x55\x48\x89\xe5\xe8\x00\x00\x00\x00\x5d\xc3\xe8\x00\x00\x00\x00\x48\x83\xc4\x08\xc3\x90\x90"
                         "\x90\x90\x90\x90\x90\x90\x90\x90\x90"
                         "\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05\x90\x90\x90\x90\x90\x90\x90",
                         48);
  return {snapshot(code, frames.text(), begin, begin + 4), snapshot(code, frames.text(), begin, begin + 0x21),
          snapshot(code, {}, begin, begin + 4)};
}

const RegisteredFuzzTarget unwinder_target{
    {.name = "unwinder", .run = run_unwinder, .seeds = unwinder_seeds, .rounds = 300}};

} // namespace
} // namespace inspect::test
