#include "dwarf/split/split_unit.h"

#include "dwarf/die/die.h"
#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/split/split_package.h"

#include <dwarf.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>

namespace inspect {
namespace {

namespace fs = std::filesystem;

bool is_skeleton(const Dwarf_Die &root) {
  std::uint8_t type = 0;
  return dwarf_cu_info(root.cu, nullptr, &type, nullptr, nullptr, nullptr, nullptr, nullptr) == 0 &&
         type == DW_UT_skeleton;
}

/// Not there, or a regular file without sections that ask for too much, which libdw would unpack. What is no ELF file
/// libdw refuses itself.
bool is_missing_or_sound(const fs::path &path) {
  std::error_code error;
  const fs::file_type type = fs::status(path, error).type();
  if (type != fs::file_type::regular)
    return type == fs::file_type::not_found;
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  const auto image =
      file ? ElfImage::from_file(std::move(file), path.string()) : std::unexpected(Error(ErrorKind::not_found, ""));
  return image ? image->dropped_sections().empty() : image.error().kind() != ErrorKind::corrupt;
}

/// Where libdw believes the file to be; empty where it has no name, and then libdw starts from the working directory.
fs::path skeleton_folder(int descriptor) {
  std::error_code error;
  const fs::path path = descriptor >= 0 ? fs::read_symlink(fmt::format("/dev/fd/{}", descriptor), error) : fs::path();
  return path.is_absolute() ? path.parent_path() : fs::path();
}

/// libdw's two places: the name beside the file that holds the skeleton, and below the compilation directory, which it
/// takes relative to the former (environment_test.cpp: "a split DWARF file that is a FIFO").
bool may_be_opened(Dwarf_Die root, int descriptor) {
  const char *name = string_attribute(root, DW_AT_dwo_name);
  if (name == nullptr)
    name = string_attribute(root, DW_AT_GNU_dwo_name);
  if (name == nullptr)
    return false;
  const char *compilation_directory = string_attribute(root, DW_AT_comp_dir);
  for (const fs::path &folder : {skeleton_folder(descriptor), fs::path()})
    if (!is_missing_or_sound(folder / name) ||
        (compilation_directory != nullptr && !is_missing_or_sound(folder / compilation_directory / name)))
      return false;
  return true;
}

} // namespace

Dwarf_Die root_with_functions(Dwarf_Die root, int descriptor, SplitPackage *package) {
  if (package != nullptr && is_skeleton(root))
    if (const auto packed = package->unit(root))
      return *packed;
  Dwarf_Die split{};
  if (is_skeleton(root) && may_be_opened(root, descriptor) &&
      dwarf_cu_info(root.cu, nullptr, nullptr, nullptr, &split, nullptr, nullptr, nullptr) == 0 && split.cu != nullptr)
    return split;
  return root;
}

} // namespace inspect
