// The names of single units of a file, read when they are wanted, from a copy of its descriptor: for names of which an
// index in the program says only where to look.
#pragma once

#include "dwarf/names/name_job.h"
#include "dwarf/raw/elf/debug_sections.h"
#include "dwarf/raw/names/name_walk.h"

#include <memory>
#include <optional>

namespace inspect {

class UnitsOnDemand {
public:
  explicit UnitsOnDemand(const NameJob &job);

  /// Of the unit whose root DIE is at the offset; nothing where there is none.
  void walk(std::uint64_t root, bool in_types, const NameVisitor &visit);

private:
  std::optional<ElfImage> image_;
  DebugSections sections_;
  std::unique_ptr<NameWalk> walk_;
};

} // namespace inspect
