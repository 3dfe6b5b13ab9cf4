#include "dwarf/raw/elf/debug_sections.h"

#include <string_view>

namespace inspect {
namespace {

struct Place {
  std::string_view name;
  DebugSections::Bytes DebugSections::*member;
  bool says_where = false;
};

constexpr Place places[] = {
    {".debug_info", &DebugSections::info},
    {".debug_types", &DebugSections::types},
    {".debug_abbrev", &DebugSections::abbreviations},
    {".debug_str", &DebugSections::strings},
    {".debug_line_str", &DebugSections::line_strings},
    {".debug_str_offsets", &DebugSections::string_offsets},
    {".debug_addr", &DebugSections::addresses, true},
    {".debug_line", &DebugSections::lines, true},
    {".debug_loclists", &DebugSections::locations, true},
    {".debug_loc", &DebugSections::locations, true},
    {".debug_rnglists", &DebugSections::ranges, true},
    {".debug_ranges", &DebugSections::old_ranges, true},
    {".debug_names", &DebugSections::names},
    {".gdb_index", &DebugSections::gdb_index},
    {".debug_cu_index", &DebugSections::unit_index},
    {".debug_tu_index", &DebugSections::type_index},
};

/// `suffix`: what stands behind the names above.
DebugSections sections_named(const ElfImage &image, std::string_view suffix, bool with_places) {
  DebugSections found;
  found.split = !suffix.empty();
  for (const ImageSection &section : image.sections()) {
    std::string_view name = section.name;
    const bool index_of_package = name == ".debug_cu_index" || name == ".debug_tu_index";
    if (!index_of_package) {
      if (!name.ends_with(suffix) || (suffix.empty() && name.ends_with(".dwo")))
        continue;
      name.remove_suffix(suffix.size());
    }
    for (const Place &place : places)
      if (is_debug_section(name, place.name) && (with_places || !place.says_where) && (found.*place.member).empty())
        found.*place.member = image.content(section);
  }
  return found;
}

} // namespace

DebugSections DebugSections::of(const ElfImage &image, bool with_places) {
  return sections_named(image, "", with_places);
}

DebugSections DebugSections::split_of(const ElfImage &image, bool with_places) {
  return sections_named(image, ".dwo", with_places);
}

} // namespace inspect
