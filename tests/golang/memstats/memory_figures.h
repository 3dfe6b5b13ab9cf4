// What the Go fixture memory_statistics says of its own memory, and what was read of it, under the same names.
#pragma once

#include "golang/memstats/go_memory_reader.h"

#include <map>
#include <string>

namespace inspect::test {

using MemoryFigures = std::map<std::string, std::string>;

/// "statistics alloc=1 … pause=2 pause=3": several of a name are joined by commas.
MemoryFigures parse_memory_figures(const std::string &line);
/// Absent ones are left out.
MemoryFigures figures_of(const GoMemoryStatistics &reader);
/// Copies and decodes; fails the test where nothing can be copied. Figures that contradict each other are one, "error".
MemoryFigures read_memory_figures(GoMemoryReader &reader);
/// A line for each of the program's own that was read otherwise; empty: they are equal.
std::string differences(const MemoryFigures &own, const MemoryFigures &read);

} // namespace inspect::test
