// What changed in the memory of a process between two looks: by kind, by counter, and what that says.
//
//     const MemoryDifference difference = compare_memory(*figures_of(earlier), figures_of(later));
//
// The earlier look may be of long ago, read from a file.
#pragma once

#include "inspector/memory/memory_figures.h"
#include "inspector/memory/memory_report.h"

#include <cstdint>
#include <string>
#include <vector>

namespace inspect {

/// What of a look is kept to be compared.
struct MemoryFigures {
  pid_t process = 0;
  std::uint64_t start_ticks = 0;
  std::string command;
  std::int64_t taken_at = 0; ///< milliseconds since the epoch
  bool measured = false;
  std::vector<MemoryFigure> totals;
  std::vector<MemoryFigure> go;
  std::vector<MemoryFigure> malloc_figures;
  std::vector<KindUsage> kinds;
};

MemoryFigures figures_of(const MemoryReport &report);

struct FigureChange {
  const MemoryFigureName *name = nullptr;
  std::uint64_t before = 0;
  std::uint64_t after = 0;
};

struct KindChange {
  KindUsage before;
  KindUsage after;
};

struct MemoryDifference {
  std::int64_t earlier = 0; ///< milliseconds since the epoch
  std::int64_t later = 0;
  bool measured = false;            ///< both were: more than address space is compared
  std::vector<FigureChange> totals; ///< only what changed, and what both looks know
  std::vector<FigureChange> go;
  std::vector<FigureChange> malloc_changes;
  std::vector<KindChange> kinds; ///< only what changed; most growth first, what shrank last
  KindChange sum;                ///< over all kinds
  std::vector<MemoryFinding> findings;

  bool empty() const { return totals.empty() && go.empty() && malloc_changes.empty() && kinds.empty(); }
};

/// usage: they are of different processes.
Result<MemoryDifference> compare_memory(const MemoryFigures &earlier, const MemoryFigures &later);

} // namespace inspect
