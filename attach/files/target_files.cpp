#include "attach/files/target_files.h"

#include "attach/procfs/proc_file.h"
#include "attach/procfs/process_list.h"

#include <cerrno>
#include <fmt/format.h>
#include <unistd.h>

namespace inspect {
namespace {

/// It is there, and is not read; no other way to it would do better.
bool is_final(const Error &error) {
  return error.error_number() == 0;
}

Error not_it() {
  return Error::from_errno(ENOENT, "");
}

} // namespace

/// The very file behind the mapping; needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE in the first user namespace.
Result<FoundFile> TargetFiles::open_map_file(const Mapping &mapping) const {
  const std::string link =
      proc_path(process_, fmt::format("map_files/{:x}-{:x}", mapping.range.begin.value, mapping.range.end.value));
  auto file =
      opener_.open({.process = process_, .root = {}, .path = link, .device = mapping.device, .shown = mapping.path});
  // The list of mappings may be old and the range hold another file by now. On overlayfs some kernels show the inode
  // of the layer below in maps, which fstat does not; then the link must still say the same path.
  if (!file || file->status.st_ino == mapping.inode)
    return file;
  if (link_text(link) == mapping.path + (mapping.deleted ? " (deleted)" : ""))
    return file;
  return std::unexpected(not_it());
}

/// The file that still lies at the mapping's path.
Result<FoundFile> TargetFiles::open_by_path(const Mapping &mapping) const {
  const std::string root = living_link(process_, "root");
  for (const char *suffix : {"", " (deleted)"}) { // a file may really be called so
    const std::string path = mapping.path + suffix;
    auto file = opener_.open({.process = process_, .root = root, .path = path});
    // The inode tells. The device may not: on btrfs maps shows the file system's and fstat the subvolume's.
    if (file ? file->status.st_ino == mapping.inode && (file->status.st_dev == mapping.device || !mapping.deleted)
             : is_final(file.error()))
      return file;
    // maps shows paths from the root of who reads it: those of a target in a chroot begin with its root's own path
    // (environment_test.cpp: "another root and overlayfs, looked at by a plain user").
    file = opener_.open({.process = process_, .root = {}, .path = path});
    if (file ? file->status.st_ino == mapping.inode && file->status.st_dev == mapping.device : is_final(file.error()))
      return file;
  }
  return std::unexpected(not_it());
}

/// The executable, which a plain user may open even where it was deleted, replaced, or never had a name (memfd).
Result<FoundFile> TargetFiles::open_executable(const Mapping &mapping) const {
  const std::string link = living_link(process_, "exe");
  auto file = opener_.open({.process = process_, .root = {}, .path = link, .shown = mapping.path});
  if (!file)
    return file;
  // As above: where the devices differ although the file is the same one, the path decides.
  if (file->status.st_ino == mapping.inode && (file->status.st_dev == mapping.device ||
                                               link_text(link) == mapping.path + (mapping.deleted ? " (deleted)" : "")))
    return file;
  return std::unexpected(not_it());
}

Result<OpenedFile> TargetFiles::open_mapped(const Mapping &mapping) const {
  if (mapping.inode == 0)
    return std::unexpected(
        Error(ErrorKind::not_found, fmt::format("there is no file behind {:#x}", mapping.range.begin.value)));
  auto file = open_map_file(mapping);
  if (!file && !is_final(file.error()) && mapping.path.starts_with('/'))
    file = open_by_path(mapping);
  if (!file && !is_final(file.error()))
    file = open_executable(mapping);
  if (file)
    return OpenedFile{std::move(file->descriptor), mapping.path};
  if (is_final(file.error()))
    return std::unexpected(file.error());
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
  auto file = opener_.open({.process = process_, .root = living_link(process_, "root"), .path = path});
  const int first_error = file ? 0 : file.error().error_number();
  if (!file && !is_final(file.error()))
    file = opener_.open({.process = process_, .root = {}, .path = path});
  if (file)
    return OpenedFile{std::move(file->descriptor), path};
  // A missing file is the plain case; anything else (EACCES, …) says why a file that is there cannot be read.
  if (file.error().error_number() == ENOENT &&
      (first_error == ENOENT || first_error == ENOTDIR || first_error == ESRCH))
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("there is no file {}", path)));
  return std::unexpected(file.error());
}

Result<OpenedFile> TargetFiles::open_here(const std::string &path) const {
  auto file = opener_.open({.process = process_, .root = {}, .path = path});
  if (!file)
    return std::unexpected(file.error());
  return OpenedFile{std::move(file->descriptor), path};
}

Result<OpenedFile> TargetFiles::open_as_target(const std::string &path) const {
  if (!path.starts_with('/'))
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("{} is not an absolute path", path)));
  const auto rights = read_file_rights(process_);
  if (!rights)
    return std::unexpected(rights.error());
  const auto ours = read_file_rights(::getpid());
  auto file = opener_.open({.process = process_,
                            .root = living_link(process_, "root"),
                            .path = path,
                            .rights = ours && *ours == *rights ? nullptr : &*rights});
  if (!file)
    return std::unexpected(file.error());
  return OpenedFile{std::move(file->descriptor), path};
}

} // namespace inspect
