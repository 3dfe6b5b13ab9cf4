#include "attach/procfs/process_list.h"

#include "attach/procfs/loaded_program.h"
#include "attach/procfs/proc_file.h"
#include "attach/procfs/proc_text.h"
#include "attach/procfs/process_status.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

namespace inspect {
namespace {

struct DirectoryCloser {
  void operator()(DIR *directory) const { ::closedir(directory); }
};

/// The names of a directory that are numbers, ascending.
std::expected<std::vector<pid_t>, int> numbers_in(const std::string &path) {
  const std::unique_ptr<DIR, DirectoryCloser> directory(::opendir(path.c_str()));
  if (!directory)
    return std::unexpected(errno);
  std::vector<pid_t> numbers;
  for (;;) {
    errno = 0;
    const dirent *entry = ::readdir(directory.get());
    if (entry == nullptr)
      break;
    const std::string_view name(entry->d_name);
    pid_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size())
      numbers.push_back(number);
  }
  if (errno != 0)
    return std::unexpected(errno);
  std::ranges::sort(numbers);
  return numbers;
}

} // namespace

Result<std::vector<pid_t>> list_processes() {
  auto numbers = numbers_in("/proc");
  if (!numbers)
    return std::unexpected(Error::from_errno(numbers.error(), "listing /proc"));
  return std::move(*numbers);
}

Result<std::vector<pid_t>> list_threads(pid_t process) {
  const std::string path = proc_path(process, "task");
  auto numbers = numbers_in(path);
  if (!numbers)
    return std::unexpected(proc_error(process, numbers.error(), fmt::format("listing {}", path)));
  if (numbers->empty())
    return std::unexpected(proc_error(process, ESRCH, path));
  return std::move(*numbers);
}

Result<pid_t> living_thread(pid_t process) {
  auto stat = read_process_stat(process);
  // In execve a thread takes the id of its leader, which has ended by then: look at the leader again after the others.
  constexpr int attempts = 3;
  for (int attempt = 0; attempt < attempts && stat; ++attempt) {
    if (!has_ended(stat->state))
      return process;
    const auto threads = list_threads(process);
    if (!threads)
      return std::unexpected(threads.error());
    for (const pid_t thread : *threads) {
      const auto thread_stat = read_thread_stat(process, thread);
      if (thread_stat && !has_ended(thread_stat->state))
        return thread;
    }
    stat = read_process_stat(process);
  }
  if (!stat)
    return std::unexpected(stat.error());
  return std::unexpected(
      Error(ErrorKind::no_such_process,
            fmt::format("process {} ({}) has ended and only waits for its parent, process {}, to take note of it",
                        process, stat->name, stat->parent)));
}

Result<std::string> living_directory(pid_t process) {
  const auto thread = living_thread(process);
  if (!thread)
    return std::unexpected(thread.error());
  return *thread == process ? proc_path(process, "") : proc_path(process, *thread, "");
}

std::string living_link(pid_t process, std::string_view name) {
  std::string own = proc_path(process, name);
  if (!link_text(own).empty()) // nearly always, and then the process' state need not be read
    return own;
  const auto directory = living_directory(process);
  return directory ? fmt::format("{}{}", *directory, name) : own;
}

Result<std::string> read_living_file(pid_t process, std::string_view name) {
  constexpr int attempts = 5;
  for (int attempt = 1;; ++attempt) {
    const auto directory = living_directory(process);
    if (!directory)
      return std::unexpected(directory.error());
    auto text = read_proc_file(process, fmt::format("{}{}", *directory, name));
    const bool may_be_back =
        !text && (text.error().kind() == ErrorKind::not_found || text.error().kind() == ErrorKind::no_such_process);
    if (!may_be_back || attempt == attempts)
      return text;
  }
}

Result<ExecutableLink> read_executable_link(pid_t process) {
  const std::string path = living_link(process, "exe");
  std::string target(256, '\0');
  for (;;) {
    const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
    if (length < 0)
      return std::unexpected(proc_error(process, errno, fmt::format("reading the link {}", path)));
    if (static_cast<std::size_t>(length) < target.size()) {
      target.resize(static_cast<std::size_t>(length));
      break;
    }
    target.resize(target.size() * 2);
  }
  ExecutableLink link{std::move(target), false};
  link.deleted = take_deleted_mark(link.path);
  if (is_dynamic_loader(link.path))
    if (auto program = program_of_loader(process))
      link = {std::move(*program), false};
  return link;
}

Result<std::int64_t> boot_time() {
  const auto text = read_proc_file(::getpid(), "/proc/stat");
  if (!text)
    return std::unexpected(text.error());
  constexpr std::string_view key = "\nbtime ";
  std::int64_t seconds = 0;
  const auto place = text->find(key);
  if (place == std::string::npos)
    return std::unexpected(Error(ErrorKind::corrupt, "/proc/stat says no btime"));
  const char *begin = text->data() + place + key.size();
  if (std::from_chars(begin, text->data() + text->size(), seconds).ec != std::errc())
    return std::unexpected(Error(ErrorKind::corrupt, "the btime in /proc/stat is not a number"));
  return seconds;
}

} // namespace inspect
