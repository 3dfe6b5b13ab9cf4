#include "attach/procfs/process_directory.h"

#include "attach/procfs/hidden_processes.h"
#include "attach/procfs/proc_file.h"
#include "attach/procfs/process_list.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace inspect {

namespace {

Result<FileDescriptor> open_directory(pid_t process, const std::string &path) {
  FileDescriptor directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory && errno == ENOENT)
    return std::unexpected(no_process(process));
  if (!directory)
    return std::unexpected(Error::from_errno(errno, fmt::format("opening {}", path)));
  return directory;
}

} // namespace

Result<ProcessDirectory> ProcessDirectory::open(pid_t process) {
  auto directory = open_directory(process, fmt::format("/proc/{}", process));
  if (!directory)
    return std::unexpected(directory.error());
  return ProcessDirectory(process, std::move(*directory));
}

Result<ProcessDirectory> ProcessDirectory::open_living(pid_t process) {
  const auto thread = living_thread(process);
  if (!thread)
    return std::unexpected(thread.error());
  if (*thread == process)
    return open(process);
  auto directory = open_directory(process, proc_path(process, *thread, ""));
  if (!directory)
    return std::unexpected(directory.error());
  return ProcessDirectory(process, std::move(*directory));
}

Error ProcessDirectory::failure(int error_number, const char *name) const {
  return Error::from_errno(error_number, fmt::format("reading /proc/{}/{}", process_, name));
}

Result<uid_t> ProcessDirectory::owner() const {
  struct stat status {};
  if (::fstat(directory_.get(), &status) != 0)
    return std::unexpected(failure(errno, ""));
  return status.st_uid;
}

Result<std::string_view> ProcessDirectory::read(const char *name, std::string &buffer) const {
  auto file = open_file(name);
  if (!file)
    return std::unexpected(file.error());
  const auto text = read_to_end(file->get(), buffer);
  if (!text)
    return std::unexpected(failure(text.error(), name));
  return *text;
}

Result<std::string> ProcessDirectory::link(const char *name) const {
  // The kernel shows no link text of more than a page.
  std::array<char, PATH_MAX> text;
  const ssize_t length = ::readlinkat(directory_.get(), name, text.data(), text.size());
  if (length < 0)
    return std::unexpected(failure(errno, name));
  return std::string(text.data(), static_cast<std::size_t>(length));
}

Result<struct stat> ProcessDirectory::attributes(const char *name) const {
  struct stat status {};
  if (::fstatat(directory_.get(), name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return std::unexpected(failure(errno, name));
  return status;
}

Result<FileDescriptor> ProcessDirectory::open_file(const char *name) const {
  FileDescriptor file(::openat(directory_.get(), name, O_RDONLY | O_CLOEXEC));
  if (!file)
    return std::unexpected(failure(errno, name));
  return file;
}

} // namespace inspect
