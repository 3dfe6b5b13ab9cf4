// The language that a unit's DW_AT_language stands for.
//
// Source: DWARF 5 section 7.12 and dwarfstd.org's list of languages registered since.
#pragma once

#include "values/value.h"

#include <cstdint>

namespace inspect {

SourceLanguage source_language(std::uint64_t dwarf_language);

} // namespace inspect
