#include "dwarf/variables/unit_variables.h"

#include "dwarf/die/die.h"

#include <algorithm>
#include <dwarf.h>
#include <new>

namespace inspect {
namespace {

/// C libraries have some thousands; whoever has more is not what is looked for here.
constexpr std::size_t max_units = 50'000;

bool is_of_file(std::string_view path, std::string_view file_name) {
  return path.ends_with(file_name) &&
         (path.size() == file_name.size() || path[path.size() - file_name.size() - 1] == '/');
}

using Variables = std::vector<std::optional<UnitVariable>>;

Variables variables_of(Dwarf_Die &root, std::span<const std::string_view> names) {
  Variables found(names.size());
  each_child(root, [&](Dwarf_Die &die, std::uint64_t) {
    const char *name = dwarf_tag(&die) == DW_TAG_variable ? string_attribute(die, DW_AT_name) : nullptr;
    const auto place = name != nullptr ? std::ranges::find(names, std::string_view(name)) : names.end();
    if (place != names.end() && !has_flag_attribute(die, DW_AT_declaration))
      found[static_cast<std::size_t>(place - names.begin())] = UnitVariable{die, type_of(die)};
    return true;
  });
  return found;
}

Variables search(Dwarf *dwarf, std::string_view file_name, std::span<const std::string_view> names) {
  Dwarf_CU *unit = nullptr;
  Dwarf_Die root;
  for (std::size_t count = 0;
       count < max_units && dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &root, nullptr) == 0; ++count) {
    const char *path = string_attribute(root, DW_AT_name);
    if (path == nullptr || !is_of_file(path, file_name))
      continue;
    Variables found = variables_of(root, names);
    if (std::ranges::any_of(found, [](const auto &one) { return one.has_value(); }))
      return found;
  }
  return Variables(names.size());
}

} // namespace

std::vector<std::optional<UnitVariable>> find_unit_variables(Module &module, std::string_view file_name,
                                                             std::span<const std::string_view> names) {
  try {
    if (Dwarf *dwarf = module.dwarf())
      return search(dwarf, file_name, names);
  } catch (const std::bad_alloc &) { // what libdw ends in when it has no memory left
    module.add_warning("not enough memory to look for variables in " + module.path());
  }
  return Variables(names.size());
}

} // namespace inspect
