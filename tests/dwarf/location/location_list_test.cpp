// Location lists in all their forms, references between variables, and constants, in DWARF that is written by hand
// (fixtures/dwarf/location/handmade_locations.S).
#include "dwarf/die/die.h"
#include "dwarf/symbols/symbol_table.h"
#include "dwarf/variables/frame_variables.h"
#include "tests/dwarf/dwarf_file.h"
#include "tests/dwarf/location/location_text.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/fuzz_rounds.h"

#include <dwarf.h>
#include <fstream>
#include <iterator>
#include <random>

using namespace inspect;
using namespace inspect::test;

namespace {

std::optional<Dwarf_Die> find_variable(Dwarf_Die parent, std::string_view wanted) {
  std::optional<Dwarf_Die> found;
  each_child(parent, [&](Dwarf_Die &child, std::uint64_t) {
    const char *name = string_attribute(child, DW_AT_name);
    if (dwarf_tag(&child) == DW_TAG_variable && name && name == wanted)
      found = child;
    else if (dwarf_tag(&child) == DW_TAG_subprogram)
      found = find_variable(child, wanted);
    return !found;
  });
  return found;
}

std::optional<Dwarf_Die> find_variable(Dwarf *dwarf, std::string_view wanted) {
  std::optional<Dwarf_Die> found;
  Dwarf_CU *unit = nullptr;
  Dwarf_Die root;
  while (!found && dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &root, nullptr) == 0)
    found = find_variable(root, wanted);
  return found;
}

struct ListRow {
  const char *variable;
  std::uint64_t offset; ///< of the pc in the function
  std::string expected;
};

std::string number(unsigned value) {
  return fmt::format("is {:02x} 00 00 00 00 00 00 00", value);
}

} // namespace

TEST_CASE("Location lists, references and constants are what the standard says, and circles end") {
  const LocalFiles files;
  auto module = open_file(test::fixture_path("handmade_locations"), files);
  REQUIRE(module.has_value());
  ModuleMap modules;
  modules.add(std::move(*module));
  FrameContext frame;
  frame.module = modules.modules().front();
  frame.modules = &modules;
  BufferMemory memory;
  SymbolTable &symbols = symbols_of(*frame.module);
  const std::uint64_t function = symbols.by_name("function")->address.value;
  const std::uint64_t global = symbols.by_name("global")->address.value;
  std::vector<std::byte> bytes(8);
  bytes[0] = std::byte{42};
  memory.add(RunAddress{global}, bytes);
  frame.memory = &memory;
  frame.cfa = RunAddress{0x7700};
  const std::string at_global = fmt::format("at {:#x}", global);
  const std::vector<ListRow> rows = {
      {"offset_pairs", 0, number(1)},
      {"offset_pairs", 7, number(1)},
      {"offset_pairs", 8, number(2)},
      {"offset_pairs", 16, "not found"},
      {"based", 0, "not found"},
      {"based", 16, number(3)},
      {"based", 32, number(4)},
      {"based", 40, "not found"},
      {"indexed", 31, number(5)},
      {"indexed", 39, number(6)},
      {"indexed", 40, "not found"},
      {"absolute", 7, number(7)},
      {"absolute", 8, number(8)},
      {"absolute", 16, "not found"},
      {"defaulted", 0, number(9)},
      {"defaulted", 63, number(10)},
      {"viewed", 0, "corrupt"}, // libdw 0.188 knows no DW_LLE_view_pair; nothing wrong is said
      {"broken", 0, "corrupt"}, // libdw 0.188 would follow the length behind the end
      {"beyond", 0, "corrupt"},
      {"old_offsets", 0, number(1)},
      {"old_offsets", 15, number(2)},
      {"old_offsets", 16, "not found"},
      {"old_based", 0, "not found"},
      {"old_based", 39, number(3)},
      {"old_beyond", 0, "corrupt"},
      {"old_block", 0, "at 0x7708"}, // Go 1.16 writes these into DWARF 4
      {"on_frame", 0, "at 0x7710"},
      {"addressed", 0, at_global},
      {"by_index", 0, at_global},
      {"constant_by_index", 0, "is 34 12 00 00 00 00 00 00"},
      {"index_beyond", 0, "corrupt"},
      {"pointing", 0, "pointer-4"},
      {"pointing_far", 0, "pointer+124"},
      {"pointing_of_gnu", 0, "pointer+4"},
      {"valued", 0, number(42)},
      {"called", 0, fmt::format("at {:#x}", global + 1)},
      {"called_near", 0, at_global},
      {"calls_itself", 0, "corrupt"},
      {"ping", 0, "corrupt"},
      {"value_of_itself", 0, "corrupt"},
      {"negative", 0, "is fe ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff"},
      {"text", 0, "is 68 69 00"},
      {"block", 0, "is 01 02 03"},
      {"byte", 0, "is c8 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"},
      {"sixteen", 0, "is 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00"},
  };
  for (const ListRow &row : rows) {
    INFO(row.variable << " at +" << row.offset);
    frame.pc = frame.lookup = RunAddress{function + row.offset};
    const auto variable = find_variable(frame.module->dwarf(), row.variable);
    REQUIRE(variable.has_value());
    CHECK(location_text(locate(*variable, frame)) == row.expected);
  }
}

TEST_CASE("Damaged debug information ends with a location or a reason") {
  std::ifstream file(test::fixture_path("handmade_locations"), std::ios::binary);
  const std::vector<char> sound(std::istreambuf_iterator<char>(file), {});
  REQUIRE(sound.size() > 4096);
  std::minstd_rand random(11);
  std::size_t located = 0;
  for (int round = 0; round < fuzz_rounds(100); ++round) {
    std::vector<char> damaged = sound;
    // Behind the ELF header and the code: the sections with the debug information, and the section table.
    for (int i = 0; i < 4; ++i)
      damaged[4096 + random() % (damaged.size() - 4096)] = static_cast<char>(random());
    const DwarfFile dwarf(std::move(damaged));
    if (dwarf.dwarf() == nullptr)
      continue;
    BufferMemory memory;
    RegisterSet registers;
    registers.set(x86_64::rsp, 0x1000);
    FrameContext frame;
    frame.registers = &registers;
    frame.memory = &memory;
    frame.cfa = RunAddress{0x7700};
    LineResolver lines(dwarf.dwarf());
    for (std::uint64_t address = 0x401000; address < 0x401040; address += 9) {
      for (const FunctionScope &scope : function_scopes(lines, LinkAddress{address}))
        for (const ScopeVariable &variable : scope.variables) {
          const auto location = locate(variable.die, frame);
          located += location && read_location(*location, 8, frame);
        }
    }
  }
  CHECK(located > 0);
}
