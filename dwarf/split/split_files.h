// The .dwo files that a program's skeleton units name, opened by ourselves and read as plain bytes. libdw opens them by
// itself for its own use (dwarf/split/split_unit.h), at the same places (dwarf/split/split_place.h).
//
// Sources: DWARF 5 section 3.1.2 and appendix F; GNU's split DWARF 4: gcc.gnu.org/wiki/DebugFission.
#pragma once

#include "dwarf/raw/elf/debug_sections.h"
#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/raw/units/raw_die.h"
#include "dwarf/split/split_place.h"

#include <optional>
#include <utility>

namespace inspect {

struct SplitFile {
  ElfImage image;
  DebugSections sections;
};

class SplitFiles {
public:
  explicit SplitFiles(SkeletonFile skeleton_file) : skeleton_file_(std::move(skeleton_file)) {}

  /// The file that the skeleton's root DIE names, if its unit has the id; null: there is none. The answer is good until
  /// the next call.
  const SplitFile *find(const RawDie &skeleton, std::uint64_t id);

private:
  SkeletonFile skeleton_file_;
  std::optional<SplitFile> last_;
};

} // namespace inspect
