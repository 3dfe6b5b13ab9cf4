#include "dwarf/cfi/cfi_table.h"

#include "dwarf/cfi/frame_entry_check.h"
#include "dwarf/cfi/sectionless_elf.h"
#include "dwarf/cfi/x86_64/abi.h"
#include "dwarf/module/module_map.h"

#include <cstdlib>
#include <deque>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <map>
#include <new>
#include <span>
#include <unordered_map>

namespace inspect {
namespace {

struct FreeFrame {
  void operator()(Dwarf_Frame *frame) const { std::free(frame); }
};
using FramePointer = std::unique_ptr<Dwarf_Frame, FreeFrame>;

struct EndCfi {
  void operator()(Dwarf_CFI *cfi) const { dwarf_cfi_end(cfi); }
};

/// libdw describes where a register was saved as an expression; the usual ones are told apart here, so that applying
/// them needs no evaluation.
RegisterRule simplified(std::span<const Dwarf_Op> ops) {
  RegisterRule rule;
  const bool is_value = ops.back().atom == DW_OP_stack_value;
  const std::span<const Dwarf_Op> body = is_value ? ops.first(ops.size() - 1) : ops;
  const bool from_cfa = !body.empty() && body[0].atom == DW_OP_call_frame_cfa;
  if (from_cfa && (body.size() == 1 || (body.size() == 2 && body[1].atom == DW_OP_plus_uconst))) {
    rule.kind = is_value ? RegisterRule::Kind::val_offset : RegisterRule::Kind::offset;
    rule.offset = body.size() == 2 ? static_cast<std::int64_t>(body[1].number) : 0;
  } else if (body.size() == 1 && !is_value && body[0].atom == DW_OP_regx) {
    rule.kind = RegisterRule::Kind::in_register;
    rule.from_register = static_cast<unsigned>(body[0].number);
  } else if (body.size() == 1 && !is_value && body[0].atom >= DW_OP_reg0 && body[0].atom <= DW_OP_reg31) {
    rule.kind = RegisterRule::Kind::in_register;
    rule.from_register = body[0].atom - DW_OP_reg0;
  } else {
    rule.kind = is_value ? RegisterRule::Kind::val_expression : RegisterRule::Kind::expression;
    rule.expression = cfi_expression(ops);
  }
  return rule;
}

/// The CFA's expression yields the CFA itself. False: the tables give none.
bool read_cfa(Dwarf_Frame &frame, RegisterRule &rule) {
  Dwarf_Op *ops = nullptr;
  std::size_t count = 0;
  if (dwarf_frame_cfa(&frame, &ops, &count) != 0 || ops == nullptr || count == 0)
    return false;
  const bool short_form = ops[0].atom >= DW_OP_breg0 && ops[0].atom <= DW_OP_breg31;
  if (count == 1 && (short_form || ops[0].atom == DW_OP_bregx)) {
    rule.kind = RegisterRule::Kind::in_register;
    rule.from_register = short_form ? ops[0].atom - DW_OP_breg0 : static_cast<unsigned>(ops[0].number);
    rule.offset = static_cast<std::int64_t>(short_form ? ops[0].number : ops[0].number2);
  } else {
    rule.kind = RegisterRule::Kind::val_expression;
    rule.expression = cfi_expression({ops, count});
  }
  return true;
}

/// False where the register's rule is malformed.
bool read_register(Dwarf_Frame &frame, unsigned number, RegisterRule &rule) {
  Dwarf_Op memory[3];
  Dwarf_Op *ops = nullptr;
  std::size_t count = 0;
  if (dwarf_frame_register(&frame, static_cast<int>(number), memory, &ops, &count) != 0)
    return false;
  // libdw's way to tell the two rules without operators apart: undefined gives the caller's own buffer back.
  if (count == 0)
    rule.kind = ops == nullptr ? RegisterRule::Kind::same_value : RegisterRule::Kind::undefined;
  else
    rule = simplified({ops, count});
  rule.dwarf_number = number;
  return true;
}

} // namespace

struct CfiTable::State {
  explicit State(Module &its_module) : module(its_module) {}

  Module &module;
  bool eh_frame_opened = false;
  bool debug_frame_opened = false;
  std::unique_ptr<SectionlessElf> sectionless; ///< what eh_frame is read from; null: the module's own handle
  std::unique_ptr<Dwarf_CFI, EndCfi> eh_frame;
  std::optional<FrameEntryCheck> eh_frame_check; ///< there where eh_frame is
  std::string_view eh_frame_fault;               ///< why it was not opened though it is there
  Dwarf_CFI *debug_frame = nullptr;              ///< owned by the module's Dwarf
  std::optional<FrameEntryCheck> debug_frame_check;
  std::deque<CfiRow> rows; ///< never moves its elements
  std::map<std::uint64_t, const CfiRow *> by_begin;
  std::unordered_map<std::uint64_t, const CfiRow *> by_pc; ///< null: known to have no row
  std::string reason;
  std::string_view refused; ///< why the last table was not to be read at the last pc; empty: it was read

  void open_eh_frame() {
    if (!eh_frame_opened && module.elf() != nullptr)
      open_checked_eh_frame();
    eh_frame_opened = true;
  }

  void open_checked_eh_frame() {
    if (way_to_eh_frame(module.image()) == EhFrameBy::program_header)
      sectionless = SectionlessElf::of(module.image());
    auto check = FrameEntryCheck::of_eh_frame(module.image(),
                                              sectionless != nullptr ? EhFrameBy::program_header : EhFrameBy::sections);
    if (!check) {
      eh_frame_fault = check.error();
    } else if (*check) {
      eh_frame_check = std::move(*check);
      eh_frame.reset(dwarf_getcfi_elf(sectionless != nullptr ? sectionless->elf() : module.elf()));
    }
  }

  void open_debug_frame() {
    if (!debug_frame_opened && module.dwarf() != nullptr)
      debug_frame = dwarf_getcfi(module.dwarf());
    if (!debug_frame_opened && debug_frame != nullptr)
      debug_frame_check = FrameEntryCheck::of_debug_frame(module.debug_elf());
    debug_frame_opened = true;
  }

  const CfiRow *look_up(LinkAddress pc);
  std::optional<CfiRow> decode(Dwarf_CFI &table, FrameEntryCheck &check, LinkAddress pc, std::uint64_t table_offset);
  const CfiRow *keep(CfiRow row);
};

/// `table_offset` is what the table's addresses exceed the module's link-time addresses by.
std::optional<CfiRow> CfiTable::State::decode(Dwarf_CFI &table, FrameEntryCheck &check, LinkAddress pc,
                                              std::uint64_t table_offset) {
  refused = check.fault_at(pc + table_offset);
  if (!refused.empty()) {
    reason = refused;
    return std::nullopt;
  }
  Dwarf_Frame *raw = nullptr;
  if (dwarf_cfi_addrframe(&table, pc.value + table_offset, &raw) != 0) {
    reason = dwarf_errmsg(-1);
    return std::nullopt;
  }
  const FramePointer frame(raw);
  CfiRow row;
  Dwarf_Addr begin = 0;
  Dwarf_Addr end = 0;
  bool signal_frame = false;
  const int return_register = dwarf_frame_info(frame.get(), &begin, &end, &signal_frame);
  if (return_register < 0 || !read_cfa(*frame, row.cfa)) {
    reason = "the unwind table holds no usable rules there";
    return std::nullopt;
  }
  row.return_address_register = static_cast<unsigned>(return_register);
  row.signal_frame = signal_frame;
  for (unsigned number = 0; number < x86_64::unwound_registers; ++number) {
    RegisterRule one;
    if (!read_register(*frame, number, one)) {
      reason = "the unwind table holds a malformed register rule";
      return std::nullopt;
    }
    x86_64::correct_silence(one);
    if (!x86_64::is_default(one) || number == row.return_address_register)
      row.registers.push_back(std::move(one));
  }
  // Not from `begin`: behind DW_CFA_restore_state libdw 0.188 says the start of the row that was remembered, so that
  // the range takes in rows of other rules (test: "At every instruction of a static program …").
  const LinkAddress last = LinkAddress{end - table_offset};
  row.valid = {pc, last > pc ? last : pc + 1};
  return row;
}

const CfiRow *CfiTable::State::keep(CfiRow row) {
  const CfiRow *kept = &rows.emplace_back(std::move(row));
  by_begin.insert_or_assign(kept->valid.begin.value, kept);
  return kept;
}

const CfiRow *CfiTable::State::look_up(LinkAddress pc) {
  auto after = by_begin.upper_bound(pc.value);
  if (after != by_begin.begin() && (--after)->second->valid.contains(pc))
    return after->second;
  open_eh_frame();
  refused = eh_frame_fault;
  reason = refused.empty() ? "the module has no unwind table" : refused;
  if (eh_frame != nullptr) {
    if (auto row = decode(*eh_frame, *eh_frame_check, pc, 0))
      return keep(std::move(*row));
  }
  // Only now, and only where needed: the DWARF may be in a file of its own of several hundred megabytes.
  const std::string_view eh_frame_refused = refused;
  open_debug_frame();
  if (debug_frame != nullptr) {
    if (auto row = decode(*debug_frame, *debug_frame_check, pc, module.debug_offset()))
      return keep(std::move(*row));
  }
  if (!eh_frame_refused.empty())
    reason = eh_frame_refused; // says more than that the other table has nothing
  return nullptr;
}

CfiTable::CfiTable(Module &module) : state_(std::make_unique<State>(module)) {}
CfiTable::~CfiTable() = default;

void CfiTable::warm_up() {
  state_->open_eh_frame();
  if (state_->eh_frame == nullptr)
    state_->open_debug_frame();
}

const CfiRow *CfiTable::at(LinkAddress pc) {
  const auto known = state_->by_pc.find(pc.value);
  if (known != state_->by_pc.end() && known->second != nullptr)
    return known->second;
  if (known != state_->by_pc.end()) {
    state_->reason = "no unwind table covers it";
    return nullptr;
  }
  const CfiRow *row = state_->look_up(pc);
  state_->by_pc.emplace(pc.value, row);
  return row;
}

const std::string &CfiTable::reason() const {
  return state_->reason;
}

CfiTable &cfi_of(Module &module) {
  return module.reader<CfiTable>();
}

void open_cfi_tables(ModuleMap &modules) {
  for (Module *module : modules.modules()) {
    try {
      cfi_of(*module).warm_up();
    } catch (const std::bad_alloc &) {
      module->warn_of_missing_memory();
    }
  }
}

} // namespace inspect
