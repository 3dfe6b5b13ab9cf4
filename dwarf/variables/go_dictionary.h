// Which types of a generic Go function its dictionary tells. One function's code serves all types of one shape
// ("go.shape.*uint8": any pointer); what they are in a call is in the dictionary that the call hands over, .dict.
//
// Source: cmd/internal/dwarf, DW_AT_go_dict_index (0x2906), Go 1.18 and later; cmd/compile/internal/noder/reader.go.
#pragma once

#include "dwarf/types/type_reader.h"

#include <cstdint>
#include <elfutils/libdw.h>
#include <optional>
#include <string_view>
#include <vector>

namespace inspect {

/// The hidden parameter.
inline constexpr std::string_view go_dictionary_name = ".dict";

struct GoDictionaryType {
  TypeHandle shape;
  std::uint64_t index = 0; ///< in the dictionary, in words
};

/// Of a typedef that stands for a type parameter, or for a type made of some; nothing of any other type.
std::optional<GoDictionaryType> go_dictionary_type(const TypeHandle &type);
/// All that the function's variables have, also of an inlined call; by value.
std::vector<GoDictionaryType> go_dictionary_types(Dwarf_Die function);

} // namespace inspect
