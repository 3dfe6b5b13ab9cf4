#include "attach/procfs/proc_file.h"

#include "attach/procfs/hidden_processes.h"
#include "attach/procfs/permission.h"

#include <array>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace inspect {

std::string proc_path(pid_t process, std::string_view name) {
  return fmt::format("/proc/{}/{}", process, name);
}

std::string proc_path(pid_t process, pid_t thread, std::string_view name) {
  return fmt::format("/proc/{}/task/{}/{}", process, thread, name);
}

bool process_exists(pid_t process) {
  struct stat unused;
  return process > 0 && ::stat(fmt::format("/proc/{}", process).c_str(), &unused) == 0;
}

Error proc_error(pid_t process, int error_number, std::string_view what_was_tried) {
  // ESRCH also comes for a file whose process ended after the file was opened.
  if (error_number == ESRCH || !process_exists(process))
    return no_process(process);
  if (error_number == EACCES || error_number == EPERM) {
    if (auto hidden = explain_hidden(process))
      return std::move(*hidden);
    // The explanation is in files that everybody may read, or it is not to be had.
    if (::access(proc_path(process, "status").c_str(), R_OK) == 0)
      return explain_not_permitted(process, error_number, what_was_tried);
  }
  return Error::from_errno(error_number, what_was_tried);
}

std::string link_text(const std::string &path) {
  std::array<char, 2 * PATH_MAX> text;
  const ssize_t length = ::readlink(path.c_str(), text.data(), text.size());
  return length < 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(length));
}

std::expected<std::string_view, int> read_to_end(int descriptor, std::string &buffer, std::size_t max_bytes) {
  constexpr std::size_t first_chunk = 4096;
  constexpr std::size_t max_chunk_size = 1U << 20;
  for (std::size_t used = 0;;) {
    if (buffer.size() - used < first_chunk)
      buffer.resize(buffer.size() + std::min(max_chunk_size, std::max(first_chunk, buffer.size())));
    const ssize_t count = ::read(descriptor, buffer.data() + used, buffer.size() - used);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return std::unexpected(errno);
    used += static_cast<std::size_t>(count);
    if (count == 0 || used >= max_bytes)
      return std::string_view(buffer).substr(0, std::min(used, max_bytes));
  }
}

std::expected<std::string, int> read_to_end(int descriptor, std::size_t max_bytes) {
  std::string text;
  const auto read = read_to_end(descriptor, text, max_bytes);
  if (!read)
    return std::unexpected(read.error());
  text.resize(read->size());
  return text;
}

Result<std::string> read_proc_file(pid_t process, const std::string &path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    return std::unexpected(proc_error(process, errno, fmt::format("opening {}", path)));
  auto text = read_to_end(file.get());
  if (!text)
    return std::unexpected(proc_error(process, text.error(), fmt::format("reading {}", path)));
  return std::move(*text);
}

} // namespace inspect
