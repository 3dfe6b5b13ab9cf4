#include "dwarf/unwind/code_lookup.h"

#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/symbols/symbol_table.h"
#include "dwarf/unwind/x86_64/call_instruction.h"
#include "dwarf/unwind/x86_64/signal_trampoline.h"

#include <algorithm>

namespace inspect {
namespace {

/// How far behind the ELF entry point a return address still belongs to _start, in images without symbols.
constexpr std::uint64_t start_code_size = 64;

/// Functions that the kernel starts with nothing to return to. C libraries without unwind tables (musl) do not say it
/// in any other way. Only reserved names: a program may call a function of its own "clone".
constexpr auto outermost_functions = std::to_array<std::string_view>({"_start", "__clone", "__clone3"});

std::size_t slot_of(RunAddress address, std::size_t slots) {
  return (address.value * 0x9e3779b97f4a7c15ULL >> 32U) % slots;
}

} // namespace

CodePlace CodeLookup::at(RunAddress pc, bool exact) {
  Slot &slot = places_[slot_of(pc, slots)];
  if (!slot.used || slot.pc != pc || slot.exact != exact)
    slot = {pc, exact, true, find(pc, exact)};
  return slot.place;
}

bool CodeLookup::is_trampoline_at(RunAddress pc) const {
  std::array<std::byte, x86_64::trampoline_size> code;
  return read(pc, code) && x86_64::is_trampoline(code);
}

CodePlace CodeLookup::find(RunAddress pc, bool exact) const {
  CodePlace place;
  const RunAddress inside = exact ? pc : pc - 1;
  place.module = modules_.find(inside);
  if (place.module != nullptr) {
    place.bias = place.module->bias();
    place.row = cfi_of(*place.module).at(place.bias.to_link(inside));
  }
  if (place.row != nullptr && place.row->signal_frame) {
    place.starts_here = true;
    return place;
  }
  if (exact) {
    const auto is_trampoline = [&](std::size_t back) { return is_trampoline_at(pc - back); };
    place.trampoline = std::ranges::any_of(x86_64::trampoline_positions(), is_trampoline);
  } else if (place.row == nullptr || place.row->valid.end == place.bias.to_link(pc)) {
    if (follows_call(pc))
      return place;
    // A return address that was made by hand: the kernel lets handlers return to the trampoline's first byte, and
    // makecontext(3) lets coroutines return to the first byte of what ends them. The byte before belongs to others.
    place.module = modules_.find(pc);
    place.bias = place.module != nullptr ? place.module->bias() : LoadBias{};
    const CfiRow *row = place.module != nullptr ? cfi_of(*place.module).at(place.bias.to_link(pc)) : nullptr;
    place.trampoline = (row == nullptr || !row->signal_frame) && is_trampoline_at(pc);
    place.row = row;
    place.starts_here = row != nullptr || place.trampoline;
    return place;
  }
  place.starts_here = place.trampoline;
  return place;
}

bool CodeLookup::follows_call(RunAddress pc) const {
  std::array<std::byte, x86_64::max_call_length> before;
  return read(pc - before.size(), before) && x86_64::ends_with_call(before);
}

bool CodeLookup::read(RunAddress address, std::span<std::byte> into) const {
  const Module *module = modules_.find(address);
  return (module != nullptr && module->file_memory().read(address, into)) || memory_.read(address, into);
}

bool CodeLookup::in_module_code(RunAddress pc) const {
  const Module *module = modules_.find(pc);
  if (module == nullptr)
    return false;
  const LinkAddress address = module->bias().to_link(pc);
  return std::ranges::any_of(module->image().segments(), [&](const Elf64_Phdr &segment) {
    return segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0 && address.value >= segment.p_vaddr &&
           address.value - segment.p_vaddr < segment.p_memsz;
  });
}

bool CodeLookup::may_be_code(RunAddress pc) const {
  if (modules_.find(pc) != nullptr)
    return in_module_code(pc);
  std::array<std::byte, 1> byte;
  return memory_.read(pc, byte).has_value();
}

bool CodeLookup::may_be_return_address(RunAddress address) {
  Verdict &verdict = verdicts_[slot_of(address, slots)];
  if (verdict.used && verdict.address == address)
    return verdict.possible;
  const bool in_code = modules_.find(address - 1) == nullptr || in_module_code(address - 1);
  const bool possible = (in_code && follows_call(address)) || at(address, false).starts_here;
  verdict = {address, true, possible};
  return possible;
}

bool CodeLookup::is_outermost(const CodePlace &place, RunAddress return_address) const {
  if (place.module == nullptr)
    return false;
  const LinkAddress inside = place.bias.to_link(return_address - 1);
  const std::uint64_t entry = place.module->image().header().e_entry;
  if (inside.value >= entry && inside.value - entry < start_code_size)
    return true;
  const auto symbol = symbols_of(*place.module).at(inside);
  return symbol && std::ranges::find(outermost_functions, symbol->name) != outermost_functions.end();
}

} // namespace inspect
