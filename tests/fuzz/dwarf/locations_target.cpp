// Location expressions over registers, memory, a caller and types.
#include "dwarf/die/die.h"
#include "dwarf/location/location.h"
#include "machine/x86_64/registers.h"
#include "tests/fuzz/fuzz_module.h"
#include "tests/fuzz/fuzz_target.h"

#include <dwarf.h>

namespace inspect::test {
namespace {

constexpr std::uint64_t code_begin = 0x401000;
constexpr std::uint64_t memory_begin = 0x7000;

/// A program with types of all sizes, a variable and a parameter that are where the input says, and a call that passes
/// what the input says.
std::string program_with(std::string_view variable, std::string_view parameter, std::string_view passed,
                         std::string_view frame_base) {
  DwarfWriter dwarf(5);
  dwarf.abbreviation(1, DW_TAG_compile_unit,
                     {{DW_AT_name, DW_FORM_string}, {DW_AT_low_pc, DW_FORM_addr}, {DW_AT_high_pc, DW_FORM_data4}},
                     true);
  dwarf.abbreviation(2, DW_TAG_base_type, {{DW_AT_encoding, DW_FORM_data1}, {DW_AT_byte_size, DW_FORM_data1}});
  dwarf.abbreviation(3, DW_TAG_subprogram,
                     {{DW_AT_name, DW_FORM_string},
                      {DW_AT_low_pc, DW_FORM_addr},
                      {DW_AT_high_pc, DW_FORM_data4},
                      {DW_AT_frame_base, DW_FORM_exprloc}},
                     true);
  dwarf.abbreviation(4, DW_TAG_variable,
                     {{DW_AT_name, DW_FORM_string}, {DW_AT_type, DW_FORM_ref4}, {DW_AT_location, DW_FORM_exprloc}});
  dwarf.abbreviation(5, DW_TAG_formal_parameter,
                     {{DW_AT_name, DW_FORM_string}, {DW_AT_type, DW_FORM_ref4}, {DW_AT_location, DW_FORM_exprloc}});
  dwarf.abbreviation(6, DW_TAG_call_site, {{DW_AT_call_return_pc, DW_FORM_addr}, {DW_AT_call_origin, DW_FORM_ref4}},
                     true);
  dwarf.abbreviation(7, DW_TAG_call_site_parameter,
                     {{DW_AT_location, DW_FORM_exprloc}, {DW_AT_call_value, DW_FORM_exprloc}});
  ByteWriter &info = dwarf.begin_unit(DW_UT_compile);
  info.leb(1).string("made.c").u64(code_begin).u32(0x40);
  const std::size_t first_type = info.size();
  for (const auto &[encoding, size] : std::initializer_list<std::pair<unsigned, unsigned>>{{DW_ATE_signed, 4},
                                                                                           {DW_ATE_unsigned, 1},
                                                                                           {DW_ATE_signed, 2},
                                                                                           {DW_ATE_float, 4},
                                                                                           {DW_ATE_float, 8},
                                                                                           {DW_ATE_unsigned, 8}})
    info.leb(2).u8(encoding).u8(size);
  const auto expression = [&](std::string_view bytes) { info.leb(bytes.size()).raw(bytes); };
  const std::size_t first_function = info.size();
  for (const std::uint64_t function : {code_begin, code_begin + 0x20}) {
    info.leb(3).string("f").u64(function).u32(0x20);
    expression(frame_base);
    info.leb(4).string("v").u32(first_type);
    expression(variable);
    info.leb(5).string("p").u32(first_type);
    expression(parameter);
    info.leb(6).u64(function + 0x10).u32(first_function).leb(7);
    expression(std::string(1, static_cast<char>(DW_OP_reg5)));
    expression(passed);
    info.u8(0).u8(0);
  }
  info.u8(0);
  ElfWriter elf;
  elf.load(".text", code_begin, std::string(0x40, '\x90'), PF_X);
  dwarf.write_to(elf);
  return elf.text();
}

bool run_locations(std::span<const std::byte> bytes) {
  FuzzInput input(bytes);
  const std::uint64_t size = input.number(1);
  RegisterSet registers;
  const std::uint64_t known = input.number(4);
  const std::uint64_t value = input.number(8);
  for (unsigned number = 0; number < 60; ++number)
    if ((known >> number % 32 & 1U) != 0)
      registers.set(number, number == x86_64::rsp ? memory_begin : value + number);
  const std::string_view variable = input.part();
  const std::string_view parameter = input.part();
  const std::string_view passed = input.part();
  const std::string_view frame_base_expression = input.part();
  auto module = open_fuzz_module(program_with(variable, parameter, passed, frame_base_expression));
  if (!module || module->dwarf() == nullptr)
    return false;
  ModuleMap modules;
  modules.add(std::move(module));
  BufferMemory memory;
  memory.add(RunAddress{memory_begin}, as_byte_vector(std::string(input.rest()) + std::string(64, '\x41')));
  FrameContext caller;
  caller.module = modules.modules().front();
  caller.modules = &modules;
  caller.registers = &registers;
  caller.memory = &memory;
  caller.cfa = RunAddress{memory_begin + 48};
  caller.pc = RunAddress{code_begin + 0x30};
  caller.lookup = caller.pc - 1;
  caller.thread_local_address = [](Module &, std::uint64_t offset) -> Result<RunAddress> {
    return RunAddress{memory_begin + offset};
  };
  FrameContext frame = caller;
  frame.cfa = RunAddress{memory_begin + 16};
  frame.pc = frame.lookup = RunAddress{code_begin + 4};
  frame.caller = &caller;
  bool located = false;
  const auto look = [&](const Result<Location> &location) {
    if (!location) {
      fuzz_check(!location.error().message().empty(), "without a location there is a reason");
      return;
    }
    located = true;
    if (const auto read = read_location(*location, size, frame); read && size > 0)
      static_cast<void>(read->unsigned_at(0, 1));
  };
  Dwarf_CU *unit = nullptr;
  Dwarf_Die root{};
  dwarf_get_units(caller.module->dwarf(), unit, &unit, nullptr, nullptr, &root, nullptr);
  each_child(root, [&](Dwarf_Die &function, std::uint64_t) {
    if (dwarf_tag(&function) != DW_TAG_subprogram)
      return true;
    static_cast<void>(frame_base(function, frame));
    each_child(function, [&](Dwarf_Die &child, std::uint64_t) {
      const int tag = dwarf_tag(&child);
      if (tag == DW_TAG_variable || tag == DW_TAG_formal_parameter)
        look(locate(child, frame));
      if (tag == DW_TAG_formal_parameter)
        look(locate_at_entry(child, frame));
      return true;
    });
    return false;
  });
  return located;
}

std::vector<std::string> locations_seeds() {
  const auto seed = [](const ByteWriter &variable, const ByteWriter &parameter = ByteWriter().u8(DW_OP_reg5),
                       const ByteWriter &passed = ByteWriter().u8(DW_OP_lit7)) {
    return FuzzSeed()
        .number(8, 1)
        .number(~0U, 4)
        .number(0x7010, 8)
        .part(variable.text())
        .part(parameter.text())
        .part(passed.text())
        .part(ByteWriter().u8(DW_OP_call_frame_cfa).text())
        .raw(std::string(64, '\x05'))
        .text();
  };
  constexpr std::uint64_t int_type = 0x20; // offset of the first base type in the unit: behind its root
  return {
      seed(ByteWriter().u8(DW_OP_fbreg).signed_leb(-8)),
      seed(ByteWriter().u8(DW_OP_breg7).signed_leb(8).u8(DW_OP_deref).u8(DW_OP_deref_size).u8(2)),
      seed(ByteWriter().u8(DW_OP_lit31).u8(DW_OP_const1s).u8(0xff).u8(DW_OP_plus).u8(DW_OP_stack_value)),
      seed(ByteWriter()
               .u8(DW_OP_reg3)
               .u8(DW_OP_piece)
               .leb(4)
               .u8(DW_OP_piece)
               .leb(3)
               .u8(DW_OP_lit9)
               .u8(DW_OP_piece)
               .leb(1)),
      seed(ByteWriter()
               .u8(DW_OP_lit5)
               .u8(DW_OP_stack_value)
               .u8(DW_OP_bit_piece)
               .leb(3)
               .leb(1)
               .u8(DW_OP_reg3)
               .u8(DW_OP_bit_piece)
               .leb(5)
               .leb(0)),
      seed(ByteWriter().u8(DW_OP_entry_value).leb(1).u8(DW_OP_reg5).u8(DW_OP_stack_value),
           ByteWriter().u8(DW_OP_entry_value).leb(1).u8(DW_OP_reg5), ByteWriter().u8(DW_OP_breg3).signed_leb(1)),
      seed(ByteWriter().u8(DW_OP_const_type).leb(int_type).u8(4).u32(9).u8(DW_OP_convert).leb(0).u8(DW_OP_stack_value)),
      seed(ByteWriter().u8(DW_OP_implicit_value).leb(3).raw("abc")),
      seed(ByteWriter().u8(DW_OP_lit1).u8(DW_OP_bra).u16(1).u8(DW_OP_lit7).u8(DW_OP_lit4).u8(DW_OP_skip).u16(0)),
      seed(ByteWriter().u8(DW_OP_const1u).u8(16).u8(DW_OP_form_tls_address)),
      seed(ByteWriter()
               .u8(DW_OP_lit1)
               .u8(DW_OP_lit2)
               .u8(DW_OP_lit3)
               .u8(DW_OP_rot)
               .u8(DW_OP_swap)
               .u8(DW_OP_over)
               .u8(DW_OP_pick)
               .u8(2)
               .u8(DW_OP_mul)),
      seed(ByteWriter().u8(DW_OP_implicit_pointer).u32(0x43).signed_leb(4)),
  };
}

const RegisteredFuzzTarget locations_target{
    {.name = "locations", .run = run_locations, .seeds = locations_seeds, .rounds = 200, .max_size = 1024}};

} // namespace
} // namespace inspect::test
