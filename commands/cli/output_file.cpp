#include "commands/cli/output_file.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace inspect {
namespace {

constexpr int max_links = 40; // as the kernel follows (path_resolution(7))

/// Where symbolic links lead, be there a file or not.
std::filesystem::path without_links(std::filesystem::path path) {
  std::error_code failed;
  for (int i = 0; i < max_links && std::filesystem::is_symlink(path, failed); ++i) {
    const std::filesystem::path target = std::filesystem::read_symlink(path, failed);
    if (failed)
      break;
    path = target.is_absolute() ? target : path.parent_path() / target;
  }
  return path;
}

} // namespace

Error OutputFile::failure(int error_number) const {
  return Error::from_errno(error_number, fmt::format("writing to {}", path_));
}

Result<OutputFile> OutputFile::written_directly(OutputFile file) {
  file.stream_.reset(std::fopen(file.path_.c_str(), "we"));
  if (!file.stream_)
    return std::unexpected(file.failure(errno));
  return file;
}

Result<OutputFile> OutputFile::open(const std::string &path) {
  OutputFile file(path);
  struct stat older {};
  const bool exists = ::stat(path.c_str(), &older) == 0;
  const std::filesystem::path place = without_links(path);
  if ((exists && !S_ISREG(older.st_mode)) || !place.has_filename())
    return written_directly(std::move(file));
  const std::string folder = place.has_parent_path() ? place.parent_path().string() : ".";
  file.folder_ = std::make_unique<FileDescriptor>(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!*file.folder_)
    return written_directly(std::move(file)); // which says why, or can do without the folder
  // A file that may not be written is not replaced either, though its folder would allow it.
  if (exists && ::access(path.c_str(), W_OK) != 0)
    return std::unexpected(file.failure(errno));
  auto made = NewFile::create(file.folder_->get(), 0666);
  if (!made)
    return written_directly(std::move(file));
  file.new_file_.emplace(std::move(*made));
  file.name_ = place.filename().string();
  const int descriptor = file.new_file_->descriptor();
  // The owner first: a change of it takes the set-user-id bits away.
  if (exists && ((::fchown(descriptor, older.st_uid, older.st_gid) != 0 && errno != EPERM) ||
                 ::fchmod(descriptor, older.st_mode & 07777) != 0))
    return std::unexpected(file.failure(errno));
  const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  file.stream_.reset(copy >= 0 ? ::fdopen(copy, "w") : nullptr);
  if (!file.stream_)
    return std::unexpected(file.failure(errno));
  return file;
}

Result<void> OutputFile::finish() {
  const bool failed_before = std::ferror(stream_.get()) != 0;
  if (std::fflush(stream_.get()) != 0)
    return std::unexpected(failure(errno));
  if (failed_before)
    return std::unexpected(failure(EIO));
  // Some file systems say only now that there was no room (close(2)).
  if (std::fclose(stream_.release()) != 0)
    return std::unexpected(failure(errno));
  if (!new_file_)
    return {};
  auto named = new_file_->publish(name_);
  return named ? named : std::unexpected(named.error().while_doing(fmt::format("writing to {}", path_)));
}

} // namespace inspect
