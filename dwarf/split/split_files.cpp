#include "dwarf/split/split_files.h"

#include "dwarf/raw/units/unit_names.h"
#include "dwarf/split/split_place.h"

#include <dwarf.h>

namespace inspect {
namespace {

bool has_unit(const DebugSections &sections, std::uint64_t id) {
  for (const UnitHeader &unit : unit_headers(sections)) {
    if (unit.is_type_unit())
      continue;
    if (unit.version >= 5) {
      if (unit.signature == id)
        return true;
      continue;
    }
    const AbbreviationTable codes(sections.abbreviations, unit.abbreviations);
    if (const auto root = read_unit_root(sections, nullptr, unit, codes); root && root->split_id == id)
      return true;
  }
  return false;
}

} // namespace

const SplitFile *SplitFiles::find(const RawDie &skeleton, std::uint64_t id) {
  last_.reset();
  if (skeleton.split_name.empty())
    return nullptr;
  for (const std::string &path :
       split_file_places(skeleton_file_, skeleton.split_name, skeleton.compilation_directory)) {
    auto file = open_split_file(skeleton_file_, path);
    if (!file)
      continue;
    auto image = ElfImage::from_file(std::move(file->descriptor), path);
    if (!image)
      continue;
    const DebugSections sections = DebugSections::split_of(*image);
    if (!has_unit(sections, id))
      continue;
    last_ = SplitFile{std::move(*image), sections};
    return &*last_;
  }
  return nullptr;
}

} // namespace inspect
