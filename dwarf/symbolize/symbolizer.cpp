#include "dwarf/symbolize/symbolizer.h"

#include "dwarf/symbols/symbol_table.h"

#include <new>

namespace inspect {
namespace {

/// The symbol table's name is the fuller one (a DIE of a C++ function may have only "push_back"), and it has the
/// function's start.
void name_outermost(Module &module, LinkAddress address, SourceFrame &frame) {
  const std::optional<Symbol> symbol = symbols_of(module).at(address);
  if (!symbol || (!symbol->is_function && !frame.function.empty()))
    return;
  frame.linkage_name = symbol->name;
  frame.function = demangle(symbol->name);
  if (symbol->is_plt)
    frame.function += "@plt";
  frame.offset = address < symbol->address ? 0 : address - symbol->address;
}

std::vector<SourceFrame> source_frames(Module &module, LinkAddress address) {
  std::vector<SourceFrame> frames;
  try {
    frames = lines_of(module).at(address);
  } catch (const std::bad_alloc &) {
    module.warn_of_missing_memory();
  }
  if (frames.empty())
    frames.emplace_back();
  name_outermost(module, address, frames.back());
  return frames;
}

} // namespace

const Symbolized &Symbolizer::at(RunAddress address) {
  const auto [place, is_new] = known_.try_emplace(address);
  Symbolized &result = place->second;
  if (!is_new)
    return result;
  if (Module *module = modules_.find(address)) {
    result.module = module;
    result.frames = source_frames(*module, module->bias().to_link(address));
  }
  return result;
}

} // namespace inspect
