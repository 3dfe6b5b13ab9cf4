#include "dwarf/module/module_map.h"

#include <algorithm>

namespace inspect {

void ModuleMap::index_pieces() {
  pieces_.clear();
  for (const auto &module : modules_)
    for (const RunRange &range : module->ranges())
      pieces_.push_back({range, {}, module.get()});
  std::ranges::stable_sort(pieces_, {}, [](const Piece &piece) { return piece.range.begin; });
  RunAddress highest;
  for (Piece &piece : pieces_)
    piece.end_so_far = highest = std::max(highest, piece.range.end);
}

void ModuleMap::add(std::unique_ptr<Module> module) {
  const auto begin = [](const std::unique_ptr<Module> &one) { return one->range().begin; };
  const auto place = std::ranges::upper_bound(modules_, begin(module), {}, begin);
  modules_.insert(place, std::move(module));
  index_pieces();
}

std::vector<Module *> ModuleMap::modules() const {
  std::vector<Module *> all;
  for (const auto &module : modules_)
    all.push_back(module.get());
  return all;
}

Module *ModuleMap::find(RunAddress address) const {
  auto after = std::ranges::upper_bound(pieces_, address, {}, [](const Piece &piece) { return piece.range.begin; });
  while (after != pieces_.begin()) {
    --after;
    if (after->range.contains(address))
      return after->module;
    if (after->end_so_far <= address)
      break;
  }
  return nullptr;
}

std::vector<std::string> ModuleMap::take_warnings() {
  std::vector<std::string> all;
  for (const auto &module : modules_)
    for (std::string &warning : module->take_warnings())
      all.push_back(std::move(warning));
  return all;
}

} // namespace inspect
