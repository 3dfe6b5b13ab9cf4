#include "dwarf/symbolize/module_map.h"
#include "dwarf/symbolize/line_resolver.h"

#include <algorithm>
#include <fmt/format.h>
#include <new>
#include <unordered_map>

namespace inspect {
namespace {

/// A module and what was made for it so far.
struct Entry {
  std::unique_ptr<Module> module;
  std::unique_ptr<CfiTable> rules;
  std::unique_ptr<SymbolTable> symbols;
  std::unique_ptr<LineResolver> lines;
};

/// One loaded range. Ranges of different modules overlap only where headers lie; then the nearest start wins.
struct Piece {
  RunRange range;
  RunAddress end_so_far; ///< the highest end of this and all pieces before it: where a search backwards may stop
  Entry *entry = nullptr;
};

} // namespace

struct ModuleMap::State {
  std::vector<std::unique_ptr<Entry>> entries; // ascending by address
  std::vector<Piece> pieces;
  std::unordered_map<RunAddress, Symbolized> symbolized;
  std::vector<std::string> warnings;

  void index_pieces();
  Entry *find(RunAddress address) const;
  Entry *entry_of(const Module &module) const;
  SymbolTable &symbols(Entry &entry);
  LineResolver &lines(Entry &entry);
  CfiTable &rules(Entry &entry);
  std::vector<SourceFrame> source_frames(Entry &entry, LinkAddress address);
  void name_outermost(Entry &entry, LinkAddress address, SourceFrame &frame);
  void out_of_memory(const Module &module);
};

void ModuleMap::State::index_pieces() {
  pieces.clear();
  for (const auto &entry : entries)
    for (const RunRange &range : entry->module->ranges())
      pieces.push_back({range, {}, entry.get()});
  std::ranges::stable_sort(pieces, {}, [](const Piece &piece) { return piece.range.begin; });
  RunAddress highest;
  for (Piece &piece : pieces)
    piece.end_so_far = highest = std::max(highest, piece.range.end);
}

Entry *ModuleMap::State::find(RunAddress address) const {
  auto after = std::ranges::upper_bound(pieces, address, {}, [](const Piece &piece) { return piece.range.begin; });
  while (after != pieces.begin()) {
    --after;
    if (after->range.contains(address))
      return after->entry;
    if (after->end_so_far <= address)
      break;
  }
  return nullptr;
}

Entry *ModuleMap::State::entry_of(const Module &module) const {
  const auto found = std::ranges::find_if(entries, [&](const auto &entry) { return entry->module.get() == &module; });
  return found != entries.end() ? found->get() : nullptr;
}

SymbolTable &ModuleMap::State::symbols(Entry &entry) {
  if (!entry.symbols)
    entry.symbols = std::make_unique<SymbolTable>(*entry.module);
  return *entry.symbols;
}

LineResolver &ModuleMap::State::lines(Entry &entry) {
  if (!entry.lines)
    entry.lines = std::make_unique<LineResolver>(*entry.module);
  return *entry.lines;
}

CfiTable &ModuleMap::State::rules(Entry &entry) {
  if (!entry.rules)
    entry.rules = std::make_unique<CfiTable>(*entry.module);
  return *entry.rules;
}

void ModuleMap::State::out_of_memory(const Module &module) {
  warnings.push_back(fmt::format("not enough memory to read all of {}", module.path()));
}

/// The symbol table's name is the fuller one (a DIE of a C++ function may have only "push_back"), and it has the
/// function's start.
void ModuleMap::State::name_outermost(Entry &entry, LinkAddress address, SourceFrame &frame) {
  const std::optional<Symbol> symbol = symbols(entry).at(address);
  if (!symbol || (!symbol->is_function && !frame.function.empty()))
    return;
  frame.linkage_name = symbol->name;
  frame.function = demangle(symbol->name);
  if (symbol->is_plt)
    frame.function += "@plt";
  frame.offset = address < symbol->address ? 0 : address - symbol->address;
}

std::vector<SourceFrame> ModuleMap::State::source_frames(Entry &entry, LinkAddress address) {
  std::vector<SourceFrame> frames;
  try {
    frames = lines(entry).at(address);
  } catch (const std::bad_alloc &) {
    out_of_memory(*entry.module);
  }
  if (frames.empty())
    frames.emplace_back();
  name_outermost(entry, address, frames.back());
  return frames;
}

ModuleMap::ModuleMap() : state_(std::make_unique<State>()) {}
ModuleMap::~ModuleMap() = default;
ModuleMap::ModuleMap(ModuleMap &&) noexcept = default;
ModuleMap &ModuleMap::operator=(ModuleMap &&) noexcept = default;

void ModuleMap::add(std::unique_ptr<Module> module) {
  auto entry = std::make_unique<Entry>();
  entry->module = std::move(module);
  const auto begin = [](const std::unique_ptr<Entry> &one) { return one->module->range().begin; };
  const auto place = std::ranges::upper_bound(state_->entries, begin(entry), {}, begin);
  state_->entries.insert(place, std::move(entry));
  state_->symbolized.clear();
  state_->index_pieces();
}

std::vector<Module *> ModuleMap::modules() const {
  std::vector<Module *> all;
  for (const auto &entry : state_->entries)
    all.push_back(entry->module.get());
  return all;
}

Module *ModuleMap::find(RunAddress address) const {
  Entry *entry = state_->find(address);
  return entry != nullptr ? entry->module.get() : nullptr;
}

CfiTable *ModuleMap::rules(RunAddress address) {
  Entry *entry = state_->find(address);
  return entry != nullptr ? &state_->rules(*entry) : nullptr;
}

SymbolTable *ModuleMap::symbols(Module &module) {
  Entry *entry = state_->entry_of(module);
  return entry != nullptr ? &state_->symbols(*entry) : nullptr;
}

LineResolver *ModuleMap::lines(Module &module) {
  Entry *entry = state_->entry_of(module);
  return entry != nullptr ? &state_->lines(*entry) : nullptr;
}

const Symbolized &ModuleMap::symbolize(RunAddress address) {
  const auto [place, is_new] = state_->symbolized.try_emplace(address);
  Symbolized &result = place->second;
  if (!is_new)
    return result;
  if (Entry *entry = state_->find(address)) {
    result.module = entry->module.get();
    result.frames = state_->source_frames(*entry, entry->module->bias().to_link(address));
  }
  return result;
}

void ModuleMap::warm_up() {
  for (const auto &entry : state_->entries) {
    try {
      state_->rules(*entry).warm_up();
    } catch (const std::bad_alloc &) {
      state_->out_of_memory(*entry->module);
    }
  }
}

std::vector<std::string> ModuleMap::take_warnings() {
  std::vector<std::string> all = std::exchange(state_->warnings, {});
  for (const auto &entry : state_->entries)
    for (std::string &warning : entry->module->take_warnings())
      all.push_back(std::move(warning));
  return all;
}

} // namespace inspect
