#include "dwarf/split/split_files.h"

#include "dwarf/raw/units/unit_names.h"

#include <dwarf.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>

namespace inspect {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(int descriptor) {
  std::error_code error;
  const fs::path path = descriptor >= 0 ? fs::read_symlink(fmt::format("/dev/fd/{}", descriptor), error) : fs::path();
  return path.is_absolute() ? path.parent_path() : fs::path();
}

/// Never blocks, as a FIFO would make it.
FileDescriptor open_regular(const fs::path &path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (file && (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)))
    file = FileDescriptor();
  return file;
}

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

const SplitFile *SplitFiles::find(const RawDie &skeleton, int descriptor, std::uint64_t id) {
  last_.reset();
  const std::string name(skeleton.split_name), directory(skeleton.compilation_directory);
  if (name.empty())
    return nullptr;
  const fs::path folder = folder_of(descriptor);
  for (const fs::path &path : {folder / name, folder / directory / name}) {
    FileDescriptor file = open_regular(path);
    if (!file)
      continue;
    auto image = ElfImage::from_file(std::move(file), path.string());
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
