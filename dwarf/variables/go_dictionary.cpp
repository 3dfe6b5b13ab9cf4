#include "dwarf/variables/go_dictionary.h"

#include "dwarf/die/die.h"

#include <dwarf.h>

namespace inspect {
namespace {

constexpr unsigned go_dict_index = 0x2906;
/// A dictionary with more words is none.
constexpr std::uint64_t max_index = 1 << 16;
constexpr std::size_t max_types = 4096;

} // namespace

std::optional<GoDictionaryType> go_dictionary_type(const TypeHandle &type) {
  if (!type.die)
    return std::nullopt;
  Dwarf_Die die = *type.die;
  if (dwarf_tag(&die) != DW_TAG_typedef)
    return std::nullopt;
  const auto index = unsigned_attribute(die, go_dict_index);
  if (!index || *index > max_index)
    return std::nullopt;
  return GoDictionaryType{type_of(die), *index};
}

std::vector<GoDictionaryType> go_dictionary_types(Dwarf_Die function) {
  std::vector<GoDictionaryType> types;
  each_description(function, [&](Dwarf_Die &one) {
    each_child(one, [&](Dwarf_Die &child, std::uint64_t) {
      if (const auto type = go_dictionary_type({.die = child}))
        types.push_back(*type);
      return types.size() < max_types;
    });
    return types.size() < max_types;
  });
  return types;
}

} // namespace inspect
