#include "dwarf/split/split_unit.h"

#include "dwarf/die/die.h"
#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/split/split_package.h"

#include <algorithm>
#include <dwarf.h>
#include <filesystem>
#include <set>
#include <string>

namespace inspect {
namespace {

namespace fs = std::filesystem;

bool is_skeleton(const Dwarf_Die &root) {
  std::uint8_t type = 0;
  return dwarf_cu_info(root.cu, nullptr, &type, nullptr, nullptr, nullptr, nullptr, nullptr) == 0 &&
         type == DW_UT_skeleton;
}

/// Not there, or a regular file that answers and has no sections that ask for too much, which libdw would unpack. What
/// is no ELF file libdw refuses itself.
bool is_missing_or_sound(const SkeletonFile &skeleton, const std::string &path) {
  auto file = open_split_file(skeleton, path);
  if (!file) {
    if (may_hang(file.error()))
      return false;
    std::error_code error;
    return fs::status(path, error).type() == fs::file_type::not_found;
  }
  const auto image = ElfImage::from_file(std::move(file->descriptor), path);
  return image ? image->dropped_sections().empty() : image.error().kind() != ErrorKind::corrupt;
}

/// Also looked at: what the names mean from the working directory (environment_test.cpp: "a split DWARF file that is a
/// FIFO").
bool may_be_opened(Dwarf_Die root, const SkeletonFile &skeleton) {
  const char *name = string_attribute(root, DW_AT_dwo_name);
  if (name == nullptr)
    name = string_attribute(root, DW_AT_GNU_dwo_name);
  if (name == nullptr)
    return false;
  const char *compilation_directory = string_attribute(root, DW_AT_comp_dir);
  const SkeletonFile without_folder{.descriptor = -1, .files = skeleton.files, .unusable = skeleton.unusable};
  std::set<std::string> places;
  for (const SkeletonFile *from : {&skeleton, &without_folder})
    for (std::string &place :
         split_file_places(*from, name, compilation_directory != nullptr ? compilation_directory : ""))
      places.insert(std::move(place));
  return std::ranges::all_of(places, [&](const std::string &place) { return is_missing_or_sound(skeleton, place); });
}

} // namespace

Dwarf_Die root_with_functions(Dwarf_Die root, const SkeletonFile &skeleton, SplitPackage *package) {
  if (package != nullptr && is_skeleton(root))
    if (const auto packed = package->unit(root))
      return *packed;
  Dwarf_Die split{};
  if (is_skeleton(root) && may_be_opened(root, skeleton) &&
      dwarf_cu_info(root.cu, nullptr, nullptr, nullptr, &split, nullptr, nullptr, nullptr) == 0 && split.cu != nullptr)
    return split;
  return root;
}

} // namespace inspect
