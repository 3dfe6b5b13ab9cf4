#include "machine/new_file.h"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>

namespace inspect {
namespace {

Result<std::string> hidden_name() {
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random)
    return std::unexpected(Error::from_errno(errno, "choosing a name for a new file"));
  return fmt::format(".inspect-{:016x}{}", random, hidden_name_suffix);
}

/// What a file without a name is linked by. linkat(2) takes the descriptor itself (AT_EMPTY_PATH) only from the
/// privileged.
std::string path_of_descriptor(int descriptor) {
  return fmt::format("/dev/fd/{}", descriptor);
}

} // namespace

Result<NewFile> NewFile::create(int folder, mode_t mode) {
  FileDescriptor nameless(::openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode));
  if (nameless && ::access(path_of_descriptor(nameless.get()).c_str(), F_OK) == 0)
    return NewFile(folder, std::move(nameless), {});
  if (!nameless && errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT &&
      errno != EINVAL) // what those say who have none
    return std::unexpected(Error::from_errno(errno, "creating a file"));
  auto name = hidden_name();
  if (!name)
    return std::unexpected(name.error());
  FileDescriptor file(::openat(folder, name->c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file)
    return std::unexpected(Error::from_errno(errno, "creating a file"));
  return NewFile(folder, std::move(file), std::move(*name));
}

NewFile &NewFile::operator=(NewFile &&other) noexcept {
  std::swap(folder_, other.folder_);
  std::swap(file_, other.file_);
  std::swap(hidden_name_, other.hidden_name_);
  return *this;
}

NewFile::~NewFile() {
  if (file_ && !hidden_name_.empty())
    ::unlinkat(folder_, hidden_name_.c_str(), 0);
}

Result<void> NewFile::publish(const std::string &name) {
  if (hidden_name_.empty()) {
    auto hidden = hidden_name();
    if (!hidden)
      return std::unexpected(hidden.error());
    const std::string nameless = path_of_descriptor(file_.get());
    if (::linkat(AT_FDCWD, nameless.c_str(), folder_, hidden->c_str(), AT_SYMLINK_FOLLOW) != 0)
      return std::unexpected(Error::from_errno(errno, fmt::format("naming the file {}", name)));
    hidden_name_ = std::move(*hidden);
  }
  if (::renameat(folder_, hidden_name_.c_str(), folder_, name.c_str()) != 0)
    return std::unexpected(Error::from_errno(errno, fmt::format("naming the file {}", name)));
  hidden_name_.clear();
  return {};
}

} // namespace inspect
