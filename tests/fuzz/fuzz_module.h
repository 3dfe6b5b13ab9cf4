// Modules made of a fuzz target's input. Nothing but the input is read: there is no file system behind it.
//
//     const auto module = open_fuzz_module(sections.elf());
#pragma once

#include "dwarf/module/module.h"
#include "dwarf/module/module_map.h"
#include "tests/fuzz/fuzz_sections.h"

#include <memory>
#include <string_view>

namespace inspect::test {

/// As if the file were loaded at its link addresses; null: refused.
std::unique_ptr<Module> open_fuzz_module(std::string_view elf, const MemoryView *memory = nullptr);
/// As if the file had been deleted and only its image in memory were there.
std::unique_ptr<Module> open_fuzz_image(std::string_view elf);

} // namespace inspect::test
