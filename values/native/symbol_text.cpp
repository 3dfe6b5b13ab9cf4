#include "values/native/symbol_text.h"

#include "dwarf/symbols/symbol_table.h"

#include <fmt/format.h>

namespace inspect {
namespace {

/// Compilers number the statics of functions: "table.2".
void drop_number(std::string &name) {
  const std::size_t point = name.find_last_not_of("0123456789");
  if (point != std::string::npos && point > 0 && point + 1 < name.size() && name[point] == '.')
    name.resize(point);
}

} // namespace

std::optional<SymbolPlace> symbol_place(RunAddress address, ValueEnvironment &environment) {
  Module *module = environment.modules.find(address);
  if (module == nullptr)
    return std::nullopt;
  const LinkAddress link = module->bias().to_link(address);
  const std::optional<Symbol> symbol = symbols_of(*module).at(link);
  if (!symbol)
    return std::nullopt;
  SymbolPlace place{.mangled = std::string(symbol->name), .name = demangle(symbol->name)};
  place.offset = link - symbol->address;
  place.is_function = symbol->is_function;
  if (!place.is_function)
    drop_number(place.name);
  if (symbol->is_plt)
    place.name += "@plt";
  return place;
}

std::string symbol_text(RunAddress address, ValueEnvironment &environment) {
  const std::optional<SymbolPlace> place = symbol_place(address, environment);
  if (!place)
    return {};
  return place->offset == 0 ? fmt::format("<{}>", place->name) : fmt::format("<{}+{}>", place->name, place->offset);
}

std::optional<RunAddress> address_of_symbol(std::string_view mangled, ValueEnvironment &environment) {
  const auto [known, is_new] = environment.symbol_places.try_emplace(std::string(mangled));
  for (Module *module : is_new ? environment.modules.modules() : std::vector<Module *>())
    if (const std::optional<Symbol> symbol = symbols_of(*module).by_name(mangled)) {
      known->second = module->bias().to_run(symbol->address);
      break;
    }
  return known->second;
}

} // namespace inspect
