// The figures of a memory report by name: one table for each of its parts, which the screen, the JSON, what reads the
// JSON again, and the differences are made of. A figure that is not known is absent from the lists.
//
//     for (const MemoryFigure &one : go_memory_figures(*report.go))
//       line += fmt::format("{} {}", one.name->title, figure_text(one.name->unit, one.value));
#pragma once

#include "inspector/memory/memory_report.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

enum class FigureUnit : std::uint8_t {
  bytes,
  count,
  nanoseconds, ///< a span of time
  moment,      ///< nanoseconds since the epoch
};

struct MemoryFigureName {
  std::string_view name;  ///< stable, in JSON: "heap_inuse"
  std::string_view title; ///< as people know it: "HeapInuse"
  FigureUnit unit = FigureUnit::bytes;
};

struct MemoryFigure {
  const MemoryFigureName *name = nullptr; ///< of a table, which lives as long as the program
  std::uint64_t value = 0;
};

/// Part 1: sizes, peaks, what is swapped, locked, in huge pages; and the number of mappings and threads.
std::vector<MemoryFigure> total_memory_figures(const MemoryReport &report);
/// Part 3: runtime.MemStats' counters, and those of the scheduler.
std::vector<MemoryFigure> go_memory_figures(const GoMemoryStatistics &statistics);
/// Part 3: struct mallinfo2's, and the number of arenas.
std::vector<MemoryFigure> malloc_memory_figures(const MallocStatistics &statistics);

/// By its stable name; null: there is none.
const MemoryFigureName *find_total_figure(std::string_view name);
const MemoryFigureName *find_go_figure(std::string_view name);
const MemoryFigureName *find_malloc_figure(std::string_view name);

/// One column of the amounts of mappings.
struct AmountName {
  std::string_view name; ///< in JSON: "lazily_freed"
  std::uint64_t MemoryAmounts::*amount = nullptr;
};
std::span<const AmountName> memory_amounts();

/// "170 MB", "94,000", "1.25 ms". A moment is given as nanoseconds.
std::string figure_text(FigureUnit unit, std::uint64_t value);

} // namespace inspect
