// Unwind rules that never run out: the stack pointer climbs, but nothing of the stack is consumed. Every walk ends
// after a few frames, with its reason; and sound rules that look a little like it are followed.
#include "dwarf/unwind/unwinder.h"

#include "dwarf/cfi/cfi_table.h"
#include "machine/x86_64/registers.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/elf_writer.h"

#include <cstring>
#include <dwarf.h>
#include <vector>

namespace inspect::test {
namespace {

constexpr std::uint64_t endless_code = 0x401000;
constexpr std::uint64_t function_size = 0x20;
constexpr std::uint64_t functions = 32;
constexpr std::uint64_t endless_table = 0x402000;
constexpr std::uint64_t stack_begin = 0x7000'0000;
constexpr std::uint64_t stack_words = 1 << 20;
constexpr unsigned rip = 16;

std::uint64_t inside(std::uint64_t function) {
  return endless_code + function * function_size + 8;
}

/// Rules are bytes of call frame instructions.
class Rules {
public:
  Rules &cfa(unsigned from, std::uint64_t offset) {
    bytes_.u8(DW_CFA_def_cfa).leb(from).leb(offset);
    return *this;
  }
  Rules &in_register(unsigned number, unsigned from) {
    bytes_.u8(DW_CFA_register).leb(number).leb(from);
    return *this;
  }
  /// At CFA - 8 * words.
  Rules &at_cfa(unsigned number, std::uint64_t words) {
    bytes_.u8(DW_CFA_offset + number).leb(words);
    return *this;
  }
  Rules &saved_at(unsigned number, const ByteWriter &expression) {
    return expression_rule(DW_CFA_expression, number, expression);
  }
  Rules &computed(unsigned number, const ByteWriter &expression) {
    return expression_rule(DW_CFA_val_expression, number, expression);
  }
  const std::string &text() const { return bytes_.text(); }

private:
  Rules &expression_rule(unsigned kind, unsigned number, const ByteWriter &expression) {
    bytes_.u8(kind).leb(number).leb(expression.size()).raw(expression.text());
    return *this;
  }
  ByteWriter bytes_;
};

/// A program of functions with these rules, one after the other, that stands in the first of them.
struct Program {
  explicit Program(const std::vector<std::string> &rules, bool signal_frames = false) {
    EhFrameWriter frames;
    const std::size_t cie =
        frames.cie({.augmentation = signal_frames ? "zRS" : "zR", .augmentation_data = std::string(1, '\0')});
    for (std::size_t i = 0; i < rules.size(); ++i)
      frames.fde(cie, endless_code + i * function_size, function_size, "", rules[i]);
    ElfWriter elf;
    elf.load(".text", endless_code, std::string(functions * function_size, '\x90'), PF_X);
    elf.load(".eh_frame", endless_table, frames.text());
    auto module = open_file(folder.write("endless", elf.text()), files);
    REQUIRE(module);
    modules.add(std::move(*module));
    registers.set(x86_64::return_address, inside(0));
    registers.set(x86_64::rsp, stack_begin);
  }

  void fill_stack(std::uint64_t word) { stack_of(std::vector<std::uint64_t>(stack_words, word)); }
  void stack_of(std::vector<std::uint64_t> words, std::uint64_t at = stack_begin) {
    std::vector<std::byte> bytes(words.size() * sizeof(std::uint64_t));
    std::memcpy(bytes.data(), words.data(), bytes.size());
    memory.add(RunAddress{at}, std::move(bytes));
  }
  Stack walk() { return unwind(registers, memory, modules, {}); }

  TemporaryDirectory folder;
  LocalFiles files;
  ModuleMap modules;
  BufferMemory memory;
  RegisterSet registers;
};

ByteWriter constant_address(std::uint64_t address) {
  ByteWriter expression;
  expression.u8(DW_OP_const8u).u64(address);
  return expression;
}

} // namespace

TEST_CASE("rules that climb for ever without reading the stack end the walk after a few frames") {
  const std::string from_rbx = Rules().cfa(x86_64::rsp, 8).in_register(rip, x86_64::rbx).text();
  // Two functions that hand each other the next pc: it is never the same twice in a row.
  const std::string swapped = Rules()
                                  .cfa(x86_64::rsp, 8)
                                  .in_register(rip, x86_64::rbx)
                                  .in_register(x86_64::rbx, x86_64::rbp)
                                  .in_register(x86_64::rbp, x86_64::rbx)
                                  .text();
  ByteWriter next_function; // the pc grows with the CFA, which the expression finds on its stack
  next_function.u8(DW_OP_const8u).u64(stack_begin).u8(DW_OP_minus).u8(DW_OP_lit2).u8(DW_OP_shl);
  next_function.u8(DW_OP_const8u).u64(inside(0)).u8(DW_OP_plus);
  const std::string computed = Rules().cfa(x86_64::rsp, 8).computed(rip, next_function).text();
  // One word, always the same, far from the stack.
  const std::string one_word =
      Rules().cfa(x86_64::rsp, 8).saved_at(rip, constant_address(stack_begin + 8 * (stack_words - 1))).text();
  struct Case {
    const char *name;
    std::vector<std::string> rules;
  };
  const std::vector<Case> cases = {{"a register that leads to itself", {from_rbx}},
                                   {"two functions by turns", {swapped, swapped}},
                                   {"a computed pc", std::vector<std::string>(functions, computed)},
                                   {"one word elsewhere", {one_word, one_word}}};
  for (const Case &one : cases)
    for (const bool signal_frames : {false, true}) {
      INFO(one.name << (signal_frames ? ", called a signal frame" : ""));
      Program program(one.rules, signal_frames);
      program.registers.set(x86_64::rbx, inside(one.rules.size() - 1));
      program.registers.set(x86_64::rbp, inside(0));
      program.fill_stack(inside(1));
      const Stack stack = program.walk();
      CHECK(stack.end == StackEnd::no_progress);
      CHECK(stack.frames.size() < 12);
      CHECK_FALSE(stack.end_reason.empty());
    }
}

TEST_CASE("a rule that leads out of the stack's memory ends the walk there") {
  const std::string far_up = Rules().cfa(x86_64::rsp, 1 << 24).in_register(rip, x86_64::rbx).text();
  Program program({far_up, far_up});
  program.registers.set(x86_64::rbx, inside(1));
  program.fill_stack(0);
  const Stack stack = program.walk();
  CHECK(stack.end == StackEnd::no_progress);
  CHECK(stack.frames.size() == 1);
  CHECK(stack.end_reason.find("outside of the stack") != std::string::npos);
}

TEST_CASE("a return address in a register, twice, and a rule that leads to another stack are followed") {
  const std::string leaf = Rules().cfa(x86_64::rsp, 0).in_register(rip, x86_64::rbx).text();
  const std::string outlined = Rules().cfa(x86_64::rsp, 0).in_register(rip, x86_64::rbp).text();
  // Its caller's stack pointer is where the word below its own says: makes the CFA of another stack.
  ByteWriter switched;
  switched.u8(std::uint64_t{DW_OP_breg0} + x86_64::rsp).signed_leb(0).u8(DW_OP_deref);
  ByteWriter rules;
  rules.u8(DW_CFA_def_cfa_expression).leb(switched.size()).raw(switched.text());
  const std::string switching = rules.text() + Rules().at_cfa(rip, 1).text();
  const std::string plain = Rules().cfa(x86_64::rsp, 16).at_cfa(rip, 1).text();
  constexpr std::uint64_t other_stack = 0x6000'0000;
  Program program({leaf, outlined, switching, plain});
  program.registers.set(x86_64::rbx, inside(1));
  program.registers.set(x86_64::rbp, inside(2));
  program.stack_of({other_stack + 16, 0, 0, 0});
  program.stack_of({0, inside(3), 0, 0, 0, 0}, other_stack);
  const Stack stack = program.walk();
  CHECK(stack.end == StackEnd::complete);
  REQUIRE(stack.frames.size() == 4);
  for (std::uint64_t i = 0; i < stack.frames.size(); ++i)
    CHECK(stack.frames[i].pc.value == inside(i));
}

} // namespace inspect::test
