#include "dwarf/split/split_place.h"

#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <utility>

namespace inspect {
namespace {

namespace fs = std::filesystem;

/// Where libdw believes the file to be; empty where it has no name.
fs::path folder_of(int descriptor) {
  std::error_code error;
  const fs::path path = descriptor >= 0 ? fs::read_symlink(fmt::format("/dev/fd/{}", descriptor), error) : fs::path();
  return path.is_absolute() ? path.parent_path() : fs::path();
}

/// Never blocks, as a FIFO would make it.
Result<OpenedFile> open_directly(const std::string &path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("there is no file {}", path)));
  return OpenedFile{std::move(file), path};
}

} // namespace

bool may_hang(const Error &error) {
  return error.kind() == ErrorKind::timed_out || error.kind() == ErrorKind::unsupported;
}

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
    return open_directly(path);
  auto file = skeleton.files->open_here(path);
  if (!file && may_hang(file.error()) && skeleton.unusable)
    skeleton.unusable(file.error());
  return file;
}

} // namespace inspect
