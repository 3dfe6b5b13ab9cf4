// DIEs through libdw: functions, inlined calls, signatures, types, variables and where they are.
#include "dwarf/location/location.h"
#include "dwarf/names/program_names.h"
#include "dwarf/symbolize/line_resolver.h"
#include "dwarf/types/type_name.h"
#include "dwarf/variables/frame_variables.h"
#include "dwarf/variables/function_signature.h"
#include "dwarf/variables/go_captures.h"
#include "dwarf/variables/unit_variables.h"
#include "machine/x86_64/registers.h"
#include "tests/fuzz/fuzz_module.h"
#include "tests/fuzz/fuzz_target.h"

namespace inspect::test {
namespace {

constexpr std::size_t max_dies_size = 30'000;

/// Follows everything to a depth, and counts down what may still be looked at.
void visit_type(TypeReader &types, const TypeHandle &handle, int depth, int &budget) {
  if (--budget < 0)
    return;
  const DwarfType &type = types.read(handle);
  static_cast<void>(types.size_of(handle));
  static_cast<void>(types.underlying(handle));
  if (depth == 0)
    return;
  if (depth == 5)
    fuzz_check(type_name(types, handle).size() < 1'000'000, "a type's name is bounded");
  visit_type(types, type.target, depth - 1, budget);
  for (std::size_t i = 0; i < type.members.size() && i < 8; ++i)
    visit_type(types, type.members[i].type, depth - 1, budget);
  for (std::size_t i = 0; i < type.parameters.size() && i < 8; ++i)
    visit_type(types, type.parameters[i], depth - 1, budget);
  for (std::size_t i = 0; i < type.template_arguments.size() && i < 8; ++i)
    visit_type(types, type.template_arguments[i].type, depth - 1, budget);
}

class FrameOfInput {
public:
  explicit FrameOfInput(ModuleMap &modules) {
    std::vector<std::byte> bytes(512);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::byte>(i * 7);
    memory_.add(RunAddress{0x7000}, std::move(bytes));
    for (unsigned number = 0; number < 34; ++number)
      registers_.set(number, 0x7000 + number * 8);
    frame.module = modules.modules().front();
    frame.modules = &modules;
    frame.registers = &registers_;
    frame.memory = &memory_;
    frame.cfa = RunAddress{0x7100};
    frame.thread_local_address = [](Module &, std::uint64_t offset) -> Result<RunAddress> {
      return RunAddress{0x7000 + offset};
    };
  }
  void move_to(LinkAddress address) { frame.pc = frame.lookup = frame.module->bias().to_run(address); }
  FrameContext frame;

private:
  BufferMemory memory_;
  RegisterSet registers_;
};

void locate_variables(LineResolver &lines, LinkAddress address, FrameOfInput &around, TypeReader &types, int &budget) {
  around.move_to(address);
  const FrameContext caller = around.frame;
  FrameContext frame = around.frame;
  frame.caller = &caller;
  for (const FunctionScope &scope : function_scopes(lines, address)) {
    static_cast<void>(frame_base(scope.function, frame));
    for (const ScopeVariable &variable : scope.variables) {
      if (--budget < 0)
        return;
      visit_type(types, variable.type, 2, budget);
      auto location = locate(variable.die, frame);
      if (!location && variable.is_parameter)
        location = locate_at_entry(variable.die, frame);
      if (location)
        static_cast<void>(read_location(*location, types.size_of(variable.type).value_or(8) % 256, frame));
    }
  }
}

bool run_dies(std::span<const std::byte> bytes) {
  FuzzInput input(bytes);
  const FuzzSections sections = FuzzSections::take(input);
  ModuleMap modules;
  {
    auto module = open_fuzz_module(sections.elf());
    if (!module || module->dwarf() == nullptr)
      return false;
    modules.add(std::move(module));
  }
  Module &module = *modules.modules().front();
  LineResolver &lines = lines_of(module);
  TypeReader types;
  FrameOfInput frame(modules);
  int budget = 3000;
  std::size_t functions = 0;
  for (const LinkAddress address : sections.addresses()) {
    const auto frames = lines.at(address);
    functions += frames.empty() ? 0 : 1;
    for (std::size_t i = 0; i < frames.size(); ++i)
      fuzz_check(frames[i].inlined == (i + 1 < frames.size()), "all functions but the last are inlined");
    static_cast<void>(lines.function_range(address));
    if (const auto signature = function_signature(lines, address)) {
      visit_type(types, signature->returned, 5, budget);
      for (const FunctionParameter &parameter : signature->parameters)
        visit_type(types, parameter.type, 5, budget);
    }
    static_cast<void>(go_captures(lines, address));
    locate_variables(lines, address, frame, types, budget);
  }
  static_cast<void>(lines.files());
  constexpr std::array<std::string_view, 2> wanted{"main_arena", "seed"};
  static_cast<void>(find_unit_variables(module, "a.c", wanted));
  return functions > 0;
}

std::vector<std::string> dies_seeds() {
  const std::vector<std::string_view> wanted{
      ".debug_info",    ".debug_abbrev",      ".debug_str",      ".debug_line", ".debug_line_str",
      ".debug_aranges", ".debug_ranges",      ".debug_rnglists", ".debug_loc",  ".debug_loclists",
      ".debug_addr",    ".debug_str_offsets", ".debug_types"};
  return fixture_sections({"lines_nested", "names_gcc", "names_clang", "names_gcc_types5", "handmade_locations",
                           "values_c", "values_c_clang", "unwind_clang", "optimized_values_clang",
                           "thread_locals_glibc"},
                          max_dies_size, wanted);
}

const RegisteredFuzzTarget dies_target{{.name = "dies",
                                        .run = run_dies,
                                        .seeds = dies_seeds,
                                        .rounds = 40,
                                        .max_size = max_dies_size,
                                        .missing = "the fixtures of dwarf/ were not built"}};

} // namespace
} // namespace inspect::test
