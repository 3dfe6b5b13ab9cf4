// Every operator of a variable's expression, as bytes, and what it comes to.
#include "dwarf/location/location_machine.h"

#include "dwarf/die/die.h"
#include "dwarf/symbols/symbol_table.h"
#include "tests/dwarf/location/location_text.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/fuzz_rounds.h"

#include <deque>
#include <dwarf.h>
#include <random>

using namespace inspect;
using namespace inspect::test;

namespace {

using Bytes = std::vector<std::uint8_t>;

void append(Bytes &to, const Bytes &bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

template <typename Number> Bytes little_endian(Number number) {
  Bytes bytes(sizeof number);
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

/// Operators and operands one after the other: numbers below 256 are bytes, the rest is what little_endian made.
Bytes join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes &part : parts)
    append(all, part);
  return all;
}

Bytes uleb(std::uint64_t value) {
  Bytes bytes;
  do {
    bytes.push_back(static_cast<std::uint8_t>((value & 0x7f) | (value > 0x7f ? 0x80 : 0)));
    value >>= 7;
  } while (value != 0);
  return bytes;
}

/// A frame of a program that is not running: registers, memory and DIEs are there, a caller is not.
class World {
public:
  World() : module_(open_file(fixture_path("optimized_values_gcc"), files_)) {
    REQUIRE(module_.has_value());
    modules_.add(std::move(*module_));
    frame.module = modules_.modules().front();
    frame.modules = &modules_;
    frame.registers = &registers_;
    frame.memory = &memory_;
    frame.cfa = RunAddress{0x7700};
    frame.thread_local_address = [](Module &, std::uint64_t offset) -> Result<RunAddress> {
      return RunAddress{0x90000 + offset};
    };
    registers_.set(x86_64::rbx, 0x1122334455667788);
    registers_.set(x86_64::rsp, 0x1000);
    registers_.set(x86_64::xmm0, std::bit_cast<std::uint64_t>(2.5));
    registers_.set(x86_64::xmm0_high, 0x99);
    std::vector<std::byte> bytes(64);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::byte>(0xf0 + i);
    memory_.add(RunAddress{0x1000}, bytes);
    Dwarf_CU *unit = nullptr;
    dwarf_get_units(frame.module->dwarf(), unit, &unit, nullptr, nullptr, &root_, nullptr);
    const auto seed = unsigned_at_symbol("seed");
    memory_.add(RunAddress{seed}, std::vector<std::byte>{std::byte{42}, {}, {}, {}, {}, {}, {}, {}});
  }

  std::uint64_t unsigned_at_symbol(const char *name) {
    const auto symbol = symbols_of(*frame.module).by_name(name);
    REQUIRE(symbol.has_value());
    return symbol->address.value;
  }

  Dwarf_Die die(std::string_view name) {
    std::optional<Dwarf_Die> found;
    each_child(root_, [&](Dwarf_Die &child, std::uint64_t) {
      const char *text = string_attribute(child, DW_AT_name);
      const int tag = dwarf_tag(&child);
      if (text && text == name && (tag == DW_TAG_base_type || tag == DW_TAG_variable))
        found = child;
      return !found;
    });
    INFO(name);
    REQUIRE(found.has_value());
    return *found;
  }
  /// From the start of its unit.
  std::uint64_t offset(std::string_view name) {
    Dwarf_Die found = die(name);
    return dwarf_cuoffset(&found);
  }

  /// The expression as if it stood in the unit. libdw keeps what it decoded by the address of the bytes.
  Result<Location> locate(const Bytes &expression, std::optional<RunAddress> object = {}) {
    Bytes &block = blocks_.emplace_back(uleb(expression.size()));
    append(block, expression);
    append(block, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}); // what a reader beyond the end would find
    Dwarf_Attribute attribute{DW_AT_location, DW_FORM_exprloc, block.data(), root_.cu};
    const auto operations = operations_at(attribute, frame);
    if (!operations)
      return std::unexpected(operations.error());
    EvaluationBudget budget;
    LocationMachine machine({frame, budget, {}, object});
    if (const auto done = machine.run(*operations, &attribute); !done)
      return std::unexpected(done.error());
    return machine.location();
  }
  std::string text(const Bytes &expression) { return location_text(locate(expression)); }

  FrameContext frame;

private:
  LocalFiles files_;
  Result<std::unique_ptr<Module>> module_;
  ModuleMap modules_;
  RegisterSet registers_;
  BufferMemory memory_;
  Dwarf_Die root_{};
  std::deque<Bytes> blocks_;
};

struct Row {
  const char *what;
  Bytes expression;
  std::string expected;
};

std::string hexadecimal(std::uint64_t value) {
  return fmt::format("at {:#x}", value);
}

/// Typed arithmetic on two doubles: pushes both, applies the operator, gives the value.
Bytes on_doubles(World &world, double left, double right, std::uint8_t atom) {
  const Bytes type = uleb(world.offset("double"));
  return join({{DW_OP_const_type},
               type,
               {8},
               little_endian(left),
               {DW_OP_const_type},
               type,
               {8},
               little_endian(right),
               {atom, DW_OP_stack_value}});
}

std::string double_text(double value) {
  std::string text = "is";
  for (const std::uint8_t byte : little_endian(value))
    text += fmt::format(" {:02x}", byte);
  return text;
}

} // namespace

// Those whose operand is an address or a reference to another unit are in location_list_test.cpp: libdw reads such
// operands from its own sections only.
TEST_CASE("Each operator of a location does what DWARF says") {
  World world;
  const Bytes as_double = uleb(world.offset("double"));
  const Bytes as_float = uleb(world.offset("float"));
  const Bytes as_int = uleb(world.offset("int"));
  const Bytes as_short = uleb(world.offset("short int"));
  const std::uint64_t seed = world.unsigned_at_symbol("seed");
  const std::vector<Row> rows = {
      {"nothing at all", {}, "not found"},
      {"reg3", {DW_OP_reg3}, "rbx"},
      {"regx", {DW_OP_regx, 17}, "xmm0"},
      {"breg7", {DW_OP_breg7, 0x78}, "at 0xff8"},
      {"breg of an unknown register", {DW_OP_breg0, 0}, "not found"},
      {"bregx", {DW_OP_bregx, 7, 4}, "at 0x1004"},
      {"bregx of a number that no register has", {DW_OP_bregx, 0xff, 0xff, 3, 0}, "not found"},
      {"call_frame_cfa", {DW_OP_call_frame_cfa}, "at 0x7700"},
      {"literals and arithmetic",
       {DW_OP_lit31, DW_OP_const1s, 0xff, DW_OP_plus, DW_OP_stack_value},
       "is 1e 00 00 00 00 00 00 00"},
      {"const2s", {DW_OP_const2s, 0xfe, 0xff}, "at 0xfffffffffffffffe"},
      {"const4u", {DW_OP_const4u, 1, 2, 3, 4}, "at 0x4030201"},
      {"const8s", {DW_OP_const8s, 1, 0, 0, 0, 0, 0, 0, 0x80}, "at 0x8000000000000001"},
      {"constu", {DW_OP_constu, 0x81, 1}, "at 0x81"},
      {"consts", {DW_OP_consts, 0x7f}, "at 0xffffffffffffffff"},
      {"dup, over, pick, swap, rot, drop",
       {DW_OP_lit1, DW_OP_lit2, DW_OP_lit3, DW_OP_rot, DW_OP_swap, DW_OP_over, DW_OP_pick, 2, DW_OP_drop, DW_OP_plus},
       "at 0x3"},
      {"pick beyond the stack", {DW_OP_lit1, DW_OP_pick, 1}, "corrupt"},
      {"abs, neg, not, plus_uconst", {DW_OP_lit5, DW_OP_neg, DW_OP_abs, DW_OP_not, DW_OP_plus_uconst, 10}, "at 0x4"},
      {"deref", {DW_OP_breg7, 8, DW_OP_deref}, "at 0xfffefdfcfbfaf9f8"},
      {"deref_size", {DW_OP_breg7, 8, DW_OP_deref_size, 2}, "at 0xf9f8"},
      {"deref_size of 9", {DW_OP_breg7, 8, DW_OP_deref_size, 9}, "corrupt"},
      {"deref of nothing mapped", {DW_OP_lit0, DW_OP_deref}, "unreadable"},
      {"bra and skip", {DW_OP_lit1, DW_OP_bra, 1, 0, DW_OP_lit7, DW_OP_lit4}, "at 0x4"},
      {"skip into the middle", {DW_OP_lit1, DW_OP_skip, 1, 0, DW_OP_const2u, 1, 1, DW_OP_nop}, "corrupt"},
      {"a loop without end", {DW_OP_skip, 0xfd, 0xff}, "corrupt"},
      {"a stack that grows without end", {DW_OP_lit1, DW_OP_skip, 0xfc, 0xff}, "corrupt"},
      {"division by zero", {DW_OP_lit1, DW_OP_lit0, DW_OP_div}, "corrupt"},
      {"remainder by zero", {DW_OP_lit1, DW_OP_lit0, DW_OP_mod}, "corrupt"},
      {"too few values", {DW_OP_lit1, DW_OP_plus}, "corrupt"},
      {"piece",
       {DW_OP_reg3, DW_OP_piece, 4, DW_OP_piece, 3, DW_OP_lit9, DW_OP_piece, 1},
       "rbx:32, missing:24, at 0x9:8"},
      {"bit_piece",
       {DW_OP_lit5, DW_OP_stack_value, DW_OP_bit_piece, 3, 1, DW_OP_reg3, DW_OP_bit_piece, 5, 0},
       "is 05 00 00 00 00 00 00 00:3@1, rbx:5"},
      {"a piece of an absurd size",
       {DW_OP_reg3, DW_OP_piece, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
       "corrupt"},
      {"something behind the last piece", {DW_OP_reg3, DW_OP_piece, 4, DW_OP_lit1}, "corrupt"},
      {"something behind a register", {DW_OP_reg3, DW_OP_lit1, DW_OP_plus}, "corrupt"},
      {"implicit_value", {DW_OP_implicit_value, 3, 7, 8, 9}, "is 07 08 09"},
      {"a truncated implicit_value", {DW_OP_implicit_value, 30, 7}, "corrupt"},
      {"an implicit_value without a length", {DW_OP_implicit_value}, "corrupt"},
      {"an entry_value without a length", {DW_OP_lit1, DW_OP_entry_value}, "corrupt"},
      {"an entry value of half an operator", {DW_OP_entry_value, 1, DW_OP_implicit_value}, "corrupt"},
      {"half a branch", {DW_OP_lit1, DW_OP_bra, 1}, "corrupt"},
      {"a truncated constant", {DW_OP_const8u, 30, 7}, "corrupt"},
      {"stack_value of nothing", {DW_OP_stack_value}, "corrupt"},
      {"implicit_pointer to no DIE", {DW_OP_implicit_pointer, 0xff, 0xff, 0xff, 0x7f, 0}, "corrupt"},
      {"form_tls_address", {DW_OP_const1u, 16, DW_OP_form_tls_address}, "at 0x90010"},
      {"GNU_push_tls_address", {DW_OP_const1u, 8, DW_OP_GNU_push_tls_address}, "at 0x90008"},
      {"push_object_address without an object", {DW_OP_push_object_address}, "unsupported"},
      {"call4, and more behind it",
       join({{DW_OP_call4}, little_endian(static_cast<std::uint32_t>(world.offset("seed"))), {DW_OP_plus_uconst, 1}}),
       hexadecimal(seed + 1)},
      {"call4 of no DIE", {DW_OP_call4, 0xff, 0xff, 0xff, 0x7f}, "corrupt"},
      {"const_type", join({{DW_OP_const_type}, as_int, {4, 1, 2, 3, 4, DW_OP_stack_value}}), "is 01 02 03 04"},
      {"a constant larger than its type", join({{DW_OP_const_type}, as_short, {4, 1, 2, 3, 4, DW_OP_stack_value}}),
       "corrupt"},
      {"a type that is none",
       join({{DW_OP_const_type}, uleb(world.offset("seed")), {4, 1, 2, 3, 4, DW_OP_stack_value}}), "corrupt"},
      {"regval_type", join({{DW_OP_regval_type, 17}, as_double, {DW_OP_stack_value}}), double_text(2.5)},
      {"GNU_regval_type of a part", join({{DW_OP_GNU_regval_type, 3}, as_int, {DW_OP_stack_value}}), "is 88 77 66 55"},
      {"deref_type", join({{DW_OP_breg7, 0, DW_OP_deref_type, 4}, as_int, {DW_OP_stack_value}}), "is f0 f1 f2 f3"},
      {"convert to a floating type", join({{DW_OP_lit5, DW_OP_neg, DW_OP_convert}, as_double, {DW_OP_stack_value}}),
       double_text(-5)},
      {"convert back",
       join({{DW_OP_lit5, DW_OP_neg, DW_OP_convert}, as_float, {DW_OP_convert}, as_int, {DW_OP_stack_value}}),
       "is fb ff ff ff"},
      {"convert to the generic type extends the sign",
       join({{DW_OP_lit1, DW_OP_neg, DW_OP_convert}, as_short, {DW_OP_convert, 0, DW_OP_stack_value}}),
       "is ff ff ff ff ff ff ff ff"},
      {"reinterpret",
       join({{DW_OP_const8u},
             little_endian(2.5),
             {DW_OP_reinterpret},
             as_double,
             {DW_OP_convert},
             as_int,
             {DW_OP_stack_value}}),
       "is 02 00 00 00"},
      {"reinterpret as another size", join({{DW_OP_lit1, DW_OP_reinterpret}, as_int}), "corrupt"},
      {"a floating number that fits no integer",
       join({{DW_OP_const_type}, as_double, {8}, little_endian(1e300), {DW_OP_convert}, as_int}), "corrupt"},
      {"values of two types", join({{DW_OP_lit1, DW_OP_convert}, as_int, {DW_OP_lit1, DW_OP_plus}}), "corrupt"},
      {"typed integers wrap in their size",
       join({{DW_OP_const_type}, as_short, {2, 0xff, 0x7f, DW_OP_dup, DW_OP_plus, DW_OP_stack_value}}), "is fe ff"},
      {"a typed shift",
       join({{DW_OP_lit8, DW_OP_neg, DW_OP_convert}, as_int, {DW_OP_lit1, DW_OP_shra, DW_OP_stack_value}}),
       "is fc ff ff ff"},
      {"a floating number as an address", join({{DW_OP_lit5, DW_OP_convert}, as_double, {DW_OP_deref}}), "corrupt"},
      {"floating plus", on_doubles(world, 1.5, 2.25, DW_OP_plus), double_text(3.75)},
      {"floating minus", on_doubles(world, 1.5, 2.25, DW_OP_minus), double_text(-0.75)},
      {"floating mul", on_doubles(world, 1.5, 2, DW_OP_mul), double_text(3)},
      {"floating div", on_doubles(world, 1.5, 2, DW_OP_div), double_text(0.75)},
      {"floating div by zero", on_doubles(world, 1.5, 0, DW_OP_div), "corrupt"},
      {"floating lt", on_doubles(world, 1.5, 2, DW_OP_lt), "is 01 00 00 00 00 00 00 00"},
      {"floating and", on_doubles(world, 1.5, 2, DW_OP_and), "corrupt"},
      {"xderef", {DW_OP_lit1, DW_OP_lit1, DW_OP_xderef}, "unsupported"},
      {"xderef_size", {DW_OP_lit1, DW_OP_lit1, DW_OP_xderef_size, 4}, "unsupported"},
      {"xderef_type", join({{DW_OP_lit1, DW_OP_lit1, DW_OP_xderef_type, 4}, as_int}), "unsupported"},
      {"entry_value without a caller", {DW_OP_entry_value, 1, DW_OP_reg5}, "not found"},
      {"GNU_entry_value without a caller", {DW_OP_GNU_entry_value, 1, DW_OP_reg5}, "not found"},
      {"entry_value of an entry value", {DW_OP_entry_value, 3, DW_OP_entry_value, 1, DW_OP_reg5}, "unsupported"},
      {"an empty entry_value", {DW_OP_entry_value, 0}, "corrupt"},
      {"a truncated entry_value", {DW_OP_entry_value, 9, DW_OP_reg5}, "corrupt"},
      {"GNU_parameter_ref without a caller",
       join({{DW_OP_GNU_parameter_ref}, little_endian(static_cast<std::uint32_t>(world.offset("seed")))}), "not found"},
      {"GNU_uninit, which libdw does not know", {DW_OP_reg3, DW_OP_GNU_uninit}, "corrupt"},
      {"an operator that no one knows", {0xec}, "corrupt"},
      {"WASM's", {0xed, 0, 0}, "corrupt"},
  };
  for (const Row &row : rows) {
    INFO(row.what);
    CHECK(world.text(row.expression) == row.expected);
  }
  CHECK(location_text(world.locate({DW_OP_push_object_address, DW_OP_plus_uconst, 8}, RunAddress{0x500})) ==
        "at 0x508");
}

TEST_CASE("A value is put together from its pieces, bit by bit, with what is not known marked") {
  World world;
  const auto bytes = [&](const Bytes &expression, std::size_t size) {
    const auto location = world.locate(expression);
    REQUIRE(location.has_value());
    const auto source = read_location(*location, size, world.frame);
    if (!source)
      return std::string(kind_text(source.error().kind()));
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
      const auto byte = source->unsigned_at(i, 1);
      text += byte ? fmt::format("{:02x}", *byte) : "??";
    }
    return text;
  };
  CHECK(bytes({DW_OP_reg3}, 8) == "8877665544332211");
  CHECK(bytes({DW_OP_reg3}, 2) == "8877");
  CHECK(bytes({DW_OP_regx, 17}, 16) == "00000000000004409900000000000000");
  CHECK(bytes({DW_OP_reg3}, 12) == "8877665544332211????????");
  CHECK(bytes({DW_OP_breg7, 0}, 4) == "f0f1f2f3");
  CHECK(bytes({DW_OP_reg3, DW_OP_piece, 2, DW_OP_piece, 2, DW_OP_breg7, 0, DW_OP_piece, 2}, 6) == "8877????f0f1");
  // 3 bits of 5 (101), 5 bits of rbx (01000), then 4 more of rbx from bit 4 (1000): 01000101, xxxx1000.
  const Bytes packed = {DW_OP_lit5, DW_OP_stack_value, DW_OP_bit_piece, 3, 0, DW_OP_reg3, DW_OP_bit_piece, 5,
                        0,          DW_OP_reg3,        DW_OP_bit_piece, 4, 4};
  CHECK(bytes(packed, 2) == "4508");
  const Bytes unknown_bits = {DW_OP_lit5, DW_OP_stack_value, DW_OP_bit_piece, 3, 0, DW_OP_bit_piece, 5,
                              0,          DW_OP_reg3,        DW_OP_piece,     1};
  CHECK(bytes(unknown_bits, 2) == "??88");
  CHECK(bytes({DW_OP_piece, 4}, 4) == "not found");
  CHECK(bytes({DW_OP_lit0, DW_OP_piece, 4}, 4) == "unreadable");
  CHECK(bytes({DW_OP_reg3, DW_OP_piece, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, 8) == "8877665544332211");
  CHECK(bytes({DW_OP_reg3, DW_OP_piece, 8}, 1ULL << 40) == "corrupt");
}

TEST_CASE("Expressions of random bytes end, with or without a location") {
  World world;
  std::minstd_rand random(7);
  for (int round = 0; fuzz_goes_on(round, 3000); ++round) {
    Bytes expression(1 + random() % 24);
    for (std::uint8_t &byte : expression)
      byte = static_cast<std::uint8_t>(random());
    const auto location = world.locate(expression);
    if (location)
      (void)read_location(*location, random() % 64, world.frame);
  }
  SUCCEED();
}
