#include "attach/files/regular_file.h"

#include "attach/procfs/file_rights.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

namespace inspect {
namespace {

// The race between looking and opening is harmless with these: nothing waits, nothing becomes our terminal.
constexpr int read_flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
constexpr int place_flags = O_PATH | O_CLOEXEC;

bool is_same_directory(int one, int other) {
  struct stat first, second;
  return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

/// What is left of a path to walk, with what symbolic links put in front of it.
class PathRest {
public:
  explicit PathRest(const char *path) { put_in_front(path); }

  bool put_in_front(const char *text) {
    const std::size_t length = std::strlen(text);
    if (length + 1 > begin_) // one for the slash behind it
      return false;
    begin_ -= length + 1;
    std::memcpy(buffer_.data() + begin_, text, length);
    buffer_[begin_ + length] = '/';
    return true;
  }
  /// The next name; empty: there is none, or it is too long to be one.
  const char *next() {
    while (begin_ < end && buffer_[begin_] == '/')
      ++begin_;
    std::size_t length = 0;
    while (begin_ + length < end && buffer_[begin_ + length] != '/' && length < NAME_MAX)
      ++length;
    std::memcpy(name_.data(), buffer_.data() + begin_, length);
    name_[length] = '\0';
    begin_ += length;
    return name_.data();
  }

private:
  static constexpr std::size_t end = 3 * PATH_MAX;
  std::array<char, end> buffer_;
  std::array<char, NAME_MAX + 1> name_;
  std::size_t begin_ = end;
};

int fail(int error_number) {
  errno = error_number;
  return -1;
}

FileDescriptor open_place_below(int root, const char *path) {
  open_how how{};
  how.flags = static_cast<unsigned>(place_flags);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  FileDescriptor found(static_cast<int>(::syscall(SYS_openat2, root, path, &how, sizeof how)));
  if (!found && (errno == ENOSYS || errno == EPERM))
    found = FileDescriptor(open_below_by_names(root, path));
  return found;
}

/// From a descriptor that holds its place, for reading.
RegularFile open_for_reading(int place) {
  RegularFile file;
  if (::fstat(place, &file.status) != 0) {
    file.error = errno;
    return file;
  }
  if (!S_ISREG(file.status.st_mode)) {
    file.error = ENOENT;
    return file;
  }
  std::array<char, 64> link;
  std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", place);
  file.descriptor = FileDescriptor(::open(link.data(), read_flags));
  if (!file.descriptor)
    file.error = errno;
  return file;
}

} // namespace

int open_below_by_names(int root, const char *path) {
  constexpr int max_links = 40; // as the kernel's, path_resolution(7)
  int links = 0;
  PathRest rest(path);
  FileDescriptor at(::fcntl(root, F_DUPFD_CLOEXEC, 0));
  for (const char *name = rest.next(); at && *name != '\0'; name = rest.next()) {
    if (std::strcmp(name, ".") == 0 || (std::strcmp(name, "..") == 0 && is_same_directory(at.get(), root)))
      continue;
    FileDescriptor next(::openat(at.get(), name, place_flags | O_NOFOLLOW));
    if (!next)
      return -1;
    struct stat status;
    if (::fstat(next.get(), &status) != 0)
      return -1;
    if (!S_ISLNK(status.st_mode)) {
      at = std::move(next);
      continue;
    }
    std::array<char, PATH_MAX> target;
    const ssize_t length = ::readlinkat(next.get(), "", target.data(), target.size() - 1);
    if (length < 0)
      return -1;
    target[static_cast<std::size_t>(length)] = '\0';
    if (++links > max_links || !rest.put_in_front(target.data()))
      return fail(ELOOP);
    if (target[0] == '/')
      at = FileDescriptor(::fcntl(root, F_DUPFD_CLOEXEC, 0));
  }
  return at ? ::fcntl(at.get(), F_DUPFD_CLOEXEC, 0) : -1;
}

RegularFile open_regular_file(const char *root, const char *path, const FileRights *rights) {
  RegularFile failed;
  FileDescriptor below;
  if (root != nullptr) { // a link of /proc, which we may follow and the owner of the rights may not
    below = FileDescriptor(::open(root, place_flags | O_DIRECTORY));
    if (!below) {
      failed.error = errno;
      return failed;
    }
  }
  failed.error = rights != nullptr ? take_file_rights(*rights) : 0;
  if (failed.error != 0)
    return failed;
  const FileDescriptor place = below ? open_place_below(below.get(), path) : FileDescriptor(::open(path, place_flags));
  if (!place) {
    failed.error = errno;
    return failed;
  }
  return open_for_reading(place.get());
}

std::uint64_t mount_id_of(int descriptor) {
  struct statx status {};
  if (::statx(descriptor, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &status) != 0 ||
      (status.stx_mask & STATX_MNT_ID) == 0)
    return 0;
  return status.stx_mnt_id;
}

} // namespace inspect
