#include "dwarf/types/go_constants.h"

#include "dwarf/die/die.h"

#include <algorithm>
#include <dwarf.h>
#include <optional>

namespace inspect {
namespace {

/// syscall has some four thousand.
constexpr std::size_t max_constants = 65'536;

std::optional<std::int64_t> value_of(Dwarf_Die &die) {
  Dwarf_Attribute found;
  Dwarf_Sword number = 0;
  if (!dwarf_attr(&die, DW_AT_const_value, &found) || dwarf_formsdata(&found, &number) != 0)
    return std::nullopt;
  return number;
}

} // namespace

std::string go_package_of(std::string_view type_name) {
  const std::string_view plain = type_name.substr(0, type_name.find('['));
  const std::size_t slash = plain.rfind('/');
  const std::size_t dot = plain.find('.', slash == std::string_view::npos ? 0 : slash);
  if (dot == std::string_view::npos)
    return {};
  std::string package(plain.substr(0, dot));
  for (std::size_t at = 0; (at = package.find("%2e", at)) != std::string::npos;)
    package.erase(at + 1, 2)[at] = '.';
  return package;
}

const std::vector<GoConstants::Found> &GoConstants::of_package(Dwarf *dwarf, const std::string &package) {
  const auto [place, is_new] = packages_.try_emplace({dwarf, package});
  std::vector<Found> &constants = place->second;
  if (!is_new)
    return constants;
  const std::string prefix = package.substr(package.rfind('/') + 1) + '.'; // npos + 1 is 0
  Dwarf_CU *unit = nullptr;
  Dwarf_Die root;
  while (dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &root, nullptr) == 0) {
    const char *unit_name = string_attribute(root, DW_AT_name);
    if (unit_name == nullptr || package != unit_name)
      continue;
    each_child(root, [&](Dwarf_Die &die, std::uint64_t) {
      if (dwarf_tag(&die) != DW_TAG_constant)
        return true;
      const char *name = string_attribute(die, DW_AT_name);
      const auto type = referred_die(die, DW_AT_type);
      const auto value = value_of(die);
      if (name != nullptr && type && value) {
        std::string_view shown = name;
        if (shown.starts_with(package + '.'))
          shown.remove_prefix(package.size() + 1);
        else if (shown.starts_with(prefix))
          shown.remove_prefix(prefix.size());
        Dwarf_Die target = *type;
        constants.push_back({dwarf_dieoffset(&target), {std::string(shown), *value}});
      }
      return constants.size() < max_constants;
    });
  }
  return constants;
}

std::vector<GoConstant> GoConstants::of(const Dwarf_Die &type) {
  Dwarf_Die die = type;
  const char *name = string_attribute(die, DW_AT_name);
  Dwarf *dwarf = die.cu != nullptr ? dwarf_cu_getdwarf(die.cu) : nullptr;
  const std::string package = name != nullptr ? go_package_of(name) : std::string();
  std::vector<GoConstant> constants;
  if (dwarf == nullptr || package.empty())
    return constants;
  const Dwarf_Off offset = dwarf_dieoffset(&die);
  for (const Found &found : of_package(dwarf, package))
    if (found.type == offset)
      constants.push_back(found.constant);
  std::ranges::stable_sort(constants, {}, &GoConstant::value);
  return constants;
}

} // namespace inspect
