// Call frame information that no compiler here writes: rare augmentations, expressions, and tables that lie.
#include "dwarf/cfi/cfi_table.h"

#include "dwarf/module/module.h"
#include "machine/x86_64/registers.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/elf_writer.h"

#include <algorithm>
#include <dwarf.h>
#include <random>

namespace inspect::test {
namespace {

using Kind = RegisterRule::Kind;

constexpr std::uint64_t code_begin = 0x401000;
constexpr std::uint64_t code_size = 0x100;
constexpr std::uint64_t table_begin = 0x402000;

const LocalFiles handmade_files;

std::string text(const ByteWriter &bytes) {
  return bytes.text();
}

/// CFA = rsp + 8, the return address below it: what holds at a function's first instruction.
std::string at_entry() {
  return text(ByteWriter().u8(DW_CFA_def_cfa).leb(x86_64::rsp).leb(8).u8(DW_CFA_offset + 16).leb(1));
}

/// From the second byte on: rbp pushed.
std::string rbp_pushed() {
  return text(ByteWriter().u8(DW_CFA_advance_loc + 1).u8(DW_CFA_def_cfa_offset).leb(16).u8(DW_CFA_offset + 6).leb(2));
}

std::unique_ptr<Module> module_with(const TemporaryDirectory &folder, std::string eh_frame) {
  ElfWriter elf;
  elf.load(".text", code_begin, std::string(code_size, '\x90'), PF_X);
  elf.load(".eh_frame", table_begin, std::move(eh_frame));
  auto module = open_file(folder.write("made", elf.text()), handmade_files);
  REQUIRE(module);
  return std::move(*module);
}

const RegisterRule *rule_of(const CfiRow &row, unsigned number) {
  const auto found = std::ranges::find(row.registers, number, &RegisterRule::dwarf_number);
  return found == row.registers.end() ? nullptr : &*found;
}

struct Augmentation {
  const char *letters;
  std::string of_cie;
  std::string of_fde;
  bool signal_frame = false;
};

TEST_CASE("rows are found under every augmentation that compilers have written") {
  const std::string absolute(1, '\0');                        // DW_EH_PE_absptr
  const std::string pointer = text(ByteWriter().u64(0x1234)); // of a personality routine, of an LSDA
  const std::vector<Augmentation> all = {
      {"", "", ""},
      {"zR", absolute, ""},
      {"zRS", absolute, "", true},
      {"zSR", absolute, "", true},
      {"zPLR", absolute + pointer + absolute + absolute, pointer},
      {"zLR", absolute + absolute, pointer},
      {"z", "", ""},
      {"eh", pointer, ""}, // GCC 2
  };
  for (const Augmentation &one : all) {
    INFO(one.letters);
    EhFrameWriter frames;
    const std::size_t cie =
        frames.cie({.augmentation = one.letters, .augmentation_data = one.of_cie, .instructions = at_entry()});
    frames.fde(cie, code_begin, 0x20, one.of_fde, rbp_pushed());
    const TemporaryDirectory folder;
    const auto module = module_with(folder, frames.text());
    CfiTable &table = cfi_of(*module);
    const CfiRow *entry = table.at(LinkAddress{code_begin});
    const CfiRow *body = table.at(LinkAddress{code_begin + 0x1f});
    REQUIRE(entry != nullptr);
    REQUIRE(body != nullptr);
    CHECK(entry->valid.end == LinkAddress{code_begin + 1});
    CHECK(entry->cfa.kind == Kind::in_register);
    CHECK(entry->cfa.from_register == x86_64::rsp);
    CHECK(entry->cfa.offset == 8);
    CHECK(body->cfa.offset == 16);
    CHECK(entry->signal_frame == one.signal_frame);
    const RegisterRule *frame_pointer = rule_of(*body, x86_64::rbp);
    REQUIRE(frame_pointer != nullptr);
    CHECK(frame_pointer->kind == Kind::offset);
    CHECK(frame_pointer->offset == -16);
    CHECK(table.at(LinkAddress{code_begin + 0x20}) == nullptr);
    CHECK_FALSE(table.reason().empty());
  }
}

TEST_CASE("an unknown augmentation is skipped by its length or refused, never taken for rules") {
  for (const char *letters : {"zRX", "zX", "X", "zRzR", "ehz"}) {
    INFO(letters);
    EhFrameWriter frames;
    const std::size_t cie = frames.cie(
        {.augmentation = letters, .augmentation_data = std::string(1, '\0') + "\xff\xff", .instructions = at_entry()});
    frames.fde(cie, code_begin, 0x20, "", rbp_pushed());
    const TemporaryDirectory folder;
    const auto module = module_with(folder, frames.text());
    CfiTable &table = cfi_of(*module);
    if (const CfiRow *row = table.at(LinkAddress{code_begin}))
      CHECK(row->cfa.offset == 8);
    else
      CHECK_FALSE(table.reason().empty());
  }
}

TEST_CASE("expressions of rows are plain data whose branches lead where they did") {
  // The CFA is rsp + 8, or rsp + 24 where rax is not 0: lit1-like branches forward over one operation, and to the end.
  ByteWriter cfa;
  cfa.u8(DW_OP_breg7).signed_leb(8).u8(DW_OP_breg0).signed_leb(0); // rsp + 8, rax
  cfa.u8(DW_OP_bra).u16(3);                                        // over the skip
  cfa.u8(DW_OP_skip).u16(2);                                       // to the end
  cfa.u8(DW_OP_plus_uconst).leb(16);
  ByteWriter saved;
  saved.u8(DW_OP_lit16).u8(DW_OP_minus); // libdw puts the CFA in front
  ByteWriter instructions;
  instructions.u8(DW_CFA_def_cfa_expression).leb(cfa.size()).raw(cfa.text());
  instructions.u8(DW_CFA_expression).leb(x86_64::rbp).leb(saved.size()).raw(saved.text());
  instructions.u8(DW_CFA_val_expression).leb(x86_64::rbx).leb(saved.size()).raw(saved.text());
  EhFrameWriter frames;
  const std::size_t cie = frames.cie({.augmentation = "zR", .augmentation_data = std::string(1, '\0')});
  frames.fde(cie, code_begin, 0x20, "", instructions.text());
  const TemporaryDirectory folder;
  const auto module = module_with(folder, frames.text());
  const CfiRow *row = cfi_of(*module).at(LinkAddress{code_begin});
  REQUIRE(row != nullptr);
  REQUIRE(row->cfa.kind == Kind::val_expression);
  const CfiRow copy = *row; // owns all of itself
  BufferMemory memory;
  for (const std::uint64_t rax : {0, 1}) {
    RegisterSet registers;
    registers.set(x86_64::rsp, 0x7000);
    registers.set(x86_64::rax, rax);
    const auto value = evaluate(copy.cfa.expression, {registers, memory});
    REQUIRE(value);
    CHECK(*value == (rax == 0 ? 0x7008 : 0x7018));
  }
  const RegisterRule *rbp = rule_of(copy, x86_64::rbp);
  const RegisterRule *rbx = rule_of(copy, x86_64::rbx);
  REQUIRE(rbp != nullptr);
  REQUIRE(rbx != nullptr);
  CHECK(rbp->kind == Kind::expression);
  CHECK(rbx->kind == Kind::val_expression);
  const auto value = evaluate(rbx->expression, {RegisterSet{}, memory, {}, RunAddress{0x8000}});
  REQUIRE(value);
  CHECK(*value == 0x7ff0);
}

TEST_CASE("tables that are truncated, or damaged in any byte, give rows or a reason") {
  EhFrameWriter frames;
  const std::size_t cie =
      frames.cie({.augmentation = "zR", .augmentation_data = std::string(1, '\0'), .instructions = at_entry()});
  for (std::uint64_t i = 0; i < 8; ++i)
    frames.fde(cie, code_begin + i * 0x20, 0x20, "", rbp_pushed());
  const std::string sound = frames.text();
  std::mt19937 random(5);
  const auto look_up = [](const std::string &eh_frame) {
    const TemporaryDirectory folder;
    const auto module = module_with(folder, eh_frame);
    CfiTable &table = cfi_of(*module);
    std::size_t found = 0;
    for (std::uint64_t i = 0; i < 8; ++i) {
      const CfiRow *row = table.at(LinkAddress{code_begin + i * 0x20 + 5});
      CHECK((row != nullptr || !table.reason().empty()));
      found += row != nullptr;
    }
    return found;
  };
  CHECK(look_up(sound) == 8);
  for (std::size_t size = 0; size < sound.size(); size += 7)
    look_up(sound.substr(0, size));
  for (int round = 0; round < 100; ++round) {
    std::string damaged = sound;
    for (int change = 0; change <= round % 4; ++change)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    look_up(damaged);
  }
}

} // namespace
} // namespace inspect::test
