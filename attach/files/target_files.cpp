#include "attach/files/target_files.h"

#include "attach/procfs/proc_file.h"
#include "attach/procfs/process_list.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace inspect {
namespace {

// Opening a device, a pipe or a terminal may do things; nothing is opened that is not known to be a regular file, and
// these flags make the race in between harmless.
constexpr int open_flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

std::optional<struct stat> regular_file(int descriptor) {
  struct stat status;
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
    return std::nullopt;
  return status;
}

FileDescriptor open_regular(const std::string &path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0)
    return {};
  if (!S_ISREG(status.st_mode)) {
    errno = ENOENT;
    return {};
  }
  FileDescriptor file(::open(path.c_str(), open_flags));
  if (file && !regular_file(file.get())) {
    errno = ENOENT;
    return {};
  }
  return file;
}

/// Opens a path as if `root` were "/": absolute symbolic links stay below it (openat2(2), since Linux 5.6).
FileDescriptor open_below(int root, const std::string &path) {
  open_how how{};
  how.flags = static_cast<unsigned>(O_PATH | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT;
  const FileDescriptor found(static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
  if (!found)
    return {};
  return open_regular(fmt::format("/proc/self/fd/{}", found.get()));
}

/// Where openat2 is missing or forbidden: links to absolute paths then lead into our own root.
FileDescriptor open_below_or_plainly(const std::string &root_path, const std::string &path) {
  const FileDescriptor root(::open(root_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root)
    return {};
  FileDescriptor file = open_below(root.get(), path);
  if (!file && (errno == ENOSYS || errno == EPERM))
    file = open_regular(root_path + path);
  return file;
}

/// "root", "exe": a leader that has ended has none of them any more; its threads still show them.
std::string link_of(pid_t process, std::string_view name) {
  const auto thread = living_thread(process);
  if (!thread || *thread == process)
    return proc_path(process, name);
  return proc_path(process, *thread, name);
}

std::string link_target(const std::string &path) {
  std::array<char, 8192> target;
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  return length < 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(length));
}

/// The very file behind the mapping; needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE in the first user namespace.
FileDescriptor open_map_file(pid_t process, const Mapping &mapping) {
  const std::string link =
      proc_path(process, fmt::format("map_files/{:x}-{:x}", mapping.range.begin.value, mapping.range.end.value));
  FileDescriptor file = open_regular(link);
  if (!file)
    return {};
  // The list of mappings may be old and the range hold another file by now. On overlayfs some kernels show the inode
  // of the layer below in maps, which fstat does not; then the link must still say the same path.
  const auto status = regular_file(file.get());
  if (status && status->st_ino == mapping.inode)
    return file;
  const std::string shown = link_target(link);
  if (shown == mapping.path + (mapping.deleted ? " (deleted)" : ""))
    return file;
  return {};
}

/// The file that still lies at the mapping's path.
FileDescriptor open_by_path(pid_t process, const Mapping &mapping) {
  const std::string root = link_of(process, "root");
  for (const char *suffix : {"", " (deleted)"}) { // a file may really be called so
    const std::string path = mapping.path + suffix;
    FileDescriptor file = open_below_or_plainly(root, path);
    auto status = file ? regular_file(file.get()) : std::nullopt;
    // The inode tells. The device may not: on btrfs maps shows the file system's and fstat the subvolume's.
    if (status && status->st_ino == mapping.inode && (status->st_dev == mapping.device || !mapping.deleted))
      return file;
    // maps shows paths from the root of who reads it: those of a target in a chroot begin with its root's own path
    // (environment_test.cpp: "another root and overlayfs, looked at by a plain user").
    file = open_regular(path);
    status = file ? regular_file(file.get()) : std::nullopt;
    if (status && status->st_ino == mapping.inode && status->st_dev == mapping.device)
      return file;
  }
  return {};
}

/// The executable, which a plain user may open even where it was deleted, replaced, or never had a name (memfd).
FileDescriptor open_executable(pid_t process, const Mapping &mapping) {
  const std::string link = link_of(process, "exe");
  FileDescriptor file = open_regular(link);
  const auto status = file ? regular_file(file.get()) : std::nullopt;
  if (!status || status->st_ino != mapping.inode)
    return {};
  // As above: where the devices differ although the file is the same one, the path decides.
  if (status->st_dev == mapping.device || link_target(link) == mapping.path + (mapping.deleted ? " (deleted)" : ""))
    return file;
  return {};
}

} // namespace

Result<OpenedFile> TargetFiles::open_mapped(const Mapping &mapping) const {
  if (mapping.inode == 0)
    return std::unexpected(
        Error(ErrorKind::not_found, fmt::format("there is no file behind {:#x}", mapping.range.begin.value)));
  if (FileDescriptor file = open_map_file(process_, mapping))
    return OpenedFile{std::move(file), mapping.path};
  if (mapping.path.starts_with('/'))
    if (FileDescriptor file = open_by_path(process_, mapping))
      return OpenedFile{std::move(file), mapping.path};
  if (FileDescriptor file = open_executable(process_, mapping))
    return OpenedFile{std::move(file), mapping.path};
  if (!process_exists(process_))
    return std::unexpected(Error(ErrorKind::no_such_process, fmt::format("there is no process {}", process_)));
  return std::unexpected(
      Error(ErrorKind::not_found,
            fmt::format("the mapped file {} is no longer at its path, and only its memory image is left", mapping.path),
            "as root, inspect reads it through /proc/PID/map_files"));
}

Result<OpenedFile> TargetFiles::open(const std::string &path) const {
  if (!path.starts_with('/'))
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("{} is not an absolute path", path)));
  if (FileDescriptor file = open_below_or_plainly(link_of(process_, "root"), path))
    return OpenedFile{std::move(file), path};
  const int first_error = errno;
  if (FileDescriptor file = open_regular(path))
    return OpenedFile{std::move(file), path};
  // A missing file is the plain case; anything else (EACCES, …) says why a file that is there cannot be read.
  if (errno == ENOENT && (first_error == ENOENT || first_error == ENOTDIR || first_error == ESRCH))
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("there is no file {}", path)));
  return std::unexpected(Error::from_errno(errno, fmt::format("opening {}", path)));
}

} // namespace inspect
