#include "dwarf/split/split_place.h"

#include <filesystem>
#include <fmt/format.h>

namespace inspect {
namespace {

namespace fs = std::filesystem;

/// Where libdw believes the file to be; empty where it has no name.
fs::path folder_of(int descriptor) {
  std::error_code error;
  const fs::path path = descriptor >= 0 ? fs::read_symlink(fmt::format("/dev/fd/{}", descriptor), error) : fs::path();
  return path.is_absolute() ? path.parent_path() : fs::path();
}

} // namespace

std::string missing_split_file(const Error &error) {
  return fmt::format("{}; what is described there is not known", error.message());
}

std::vector<std::string> split_file_places(const SkeletonFile &skeleton, std::string_view name,
                                           std::string_view compilation_directory) {
  const fs::path folder = folder_of(skeleton.descriptor);
  std::vector<std::string> places = {folder / name};
  if (!compilation_directory.empty())
    places.push_back(folder / compilation_directory / name);
  return places;
}

Result<OpenedFile> open_split_file(const SkeletonFile &skeleton, const std::string &path) {
  if (skeleton.files == nullptr)
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("{} was not looked for", path)));
  auto file = skeleton.files->open_here(path);
  if (!file && (file.error().kind() == ErrorKind::timed_out || file.error().kind() == ErrorKind::unsupported) &&
      skeleton.unusable)
    skeleton.unusable(file.error());
  return file;
}

} // namespace inspect
