#include "dwarf/unit_index/unit_index_worker.h"

#include "machine/file_descriptor.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <vector>

namespace inspect {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int worker_input = 3;
constexpr int worker_output = 4;
constexpr int worker_common = 5;
constexpr int worker_package = 6;
constexpr int status_split = 3; ///< dwarf/indexer/main.cpp
constexpr std::chrono::milliseconds patience{50};
constexpr std::size_t max_complaint_length = 2000;

/// A copy whose number collides with none of those the worker is to see.
Result<FileDescriptor> high_copy(int descriptor) {
  FileDescriptor copy(::fcntl(descriptor, F_DUPFD_CLOEXEC, 16));
  if (!copy)
    return std::unexpected(Error::from_errno(errno, "duplicating a descriptor for inspect-dwarfindex"));
  return copy;
}

class SpawnSettings {
public:
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  SpawnSettings(const SpawnSettings &) = delete;
  SpawnSettings &operator=(const SpawnSettings &) = delete;
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

std::vector<std::string> words_of(const UnitIndexJob &job) {
  std::vector<std::string> words{job.worker, "--fd", std::to_string(worker_input), "--output-fd",
                                 std::to_string(worker_output)};
  const auto add = [&](const char *option, std::string value) {
    words.emplace_back(option);
    words.push_back(std::move(value));
  };
  if (!job.build_id.empty())
    add("--build-id", job.build_id);
  if (job.names)
    add("--what", "names");
  if (job.common >= 0)
    add("--common-fd", std::to_string(worker_common));
  if (job.package >= 0)
    add("--package-fd", std::to_string(worker_package));
  if (job.other_files != 0)
    add("--other-files", std::to_string(job.other_files));
  return words;
}

/// The id of the running worker, whose complaints arrive at `complaints`.
Result<pid_t> start(const UnitIndexJob &job, int complaints) {
  auto input = high_copy(job.input);
  if (!input)
    return std::unexpected(input.error());
  auto output = high_copy(job.output);
  if (!output)
    return std::unexpected(output.error());
  std::vector<std::string> words = words_of(job);
  std::vector<FileDescriptor> others;
  SpawnSettings settings;
  for (const auto &[descriptor, number] : {std::pair(job.common, worker_common), {job.package, worker_package}}) {
    if (descriptor < 0)
      continue;
    auto copy = high_copy(descriptor);
    if (!copy)
      return std::unexpected(copy.error());
    ::posix_spawn_file_actions_adddup2(&settings.actions, copy->get(), number);
    others.push_back(std::move(*copy));
  }
  ::posix_spawn_file_actions_addopen(&settings.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&settings.actions, complaints, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&settings.actions, complaints, STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(&settings.actions, input->get(), worker_input);
  ::posix_spawn_file_actions_adddup2(&settings.actions, output->get(), worker_output);
  // Whatever we block or ignore, the worker shall die of its limits' signals.
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&settings.attributes, &none);
  ::posix_spawnattr_setsigdefault(&settings.attributes, &all);
  // In a group of its own a Ctrl-C, which may mean another command, does not reach it; when we end, it ends by itself
  // (dwarf/indexer/main.cpp).
  ::posix_spawnattr_setpgroup(&settings.attributes, 0);
  ::posix_spawnattr_setflags(&settings.attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  std::vector<char *> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string &word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<char *, 1> environment{nullptr};
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, job.worker.c_str(), &settings.actions, &settings.attributes, arguments.data(),
                                   environment.data());
  if (failed != 0)
    return std::unexpected(Error::from_errno(failed, fmt::format("starting {}", job.worker)));
  return pid;
}

std::chrono::milliseconds time_left(Clock::time_point end) {
  return std::max(std::chrono::milliseconds(0), std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()));
}

bool is_cancelled(const Cancellation *cancellation) {
  return cancellation != nullptr && cancellation->requested();
}

/// What the worker says until it closes its end, the time is up or nobody wants it any more, at most
/// `max_complaint_length` bytes of it.
std::string listen(int descriptor, Clock::time_point end, const Cancellation *cancellation) {
  std::string heard;
  while (true) {
    pollfd ready{descriptor, POLLIN, 0};
    const auto left = time_left(end);
    const int events = ::poll(&ready, 1, static_cast<int>(std::min(left, patience).count()));
    if (is_cancelled(cancellation))
      return heard;
    if ((events < 0 && errno == EINTR) || (events == 0 && left > patience))
      continue;
    if (events <= 0)
      return heard;
    std::array<char, 512> buffer{};
    const ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return heard;
    const std::size_t room = max_complaint_length - std::min(max_complaint_length, heard.size());
    heard.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
  }
}

/// The wait status, or nothing where `end` came first. ECHILD (somebody ignores SIGCHLD) counts as a clean exit: the
/// index is checked in any case.
std::optional<int> wait_until(pid_t pid, Clock::time_point end) {
  while (true) {
    int status = 0;
    const pid_t waited = ::waitpid(pid, &status, WNOHANG);
    if (waited == pid)
      return status;
    if (waited < 0 && errno != EINTR)
      return 0;
    if (time_left(end).count() == 0)
      return std::nullopt;
    ::poll(nullptr, 0, 1);
  }
}

void kill_and_reap(pid_t pid) {
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

} // namespace

Result<void> run_unit_index_worker(const UnitIndexJob &job) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return std::unexpected(Error::from_errno(errno, "making a pipe for inspect-dwarfindex"));
  const FileDescriptor listening(ends[0]);
  FileDescriptor speaking(ends[1]);
  auto high_speaking = high_copy(speaking.get());
  if (!high_speaking)
    return std::unexpected(high_speaking.error());
  const Clock::time_point end = Clock::now() + job.deadline;
  const auto pid = start(job, high_speaking->get());
  if (!pid)
    return std::unexpected(pid.error());
  speaking = FileDescriptor();
  *high_speaking = FileDescriptor();
  const std::string complaint = listen(listening.get(), end, job.cancellation);
  const bool cancelled = is_cancelled(job.cancellation);
  const std::optional<int> status = cancelled ? std::nullopt : wait_until(*pid, end);
  if (!status) {
    kill_and_reap(*pid);
    if (cancelled)
      return std::unexpected(Error(ErrorKind::cancelled, "inspect-dwarfindex was not waited for"));
    return std::unexpected(
        Error(ErrorKind::timed_out, fmt::format("inspect-dwarfindex took more than {} ms", job.deadline.count())));
  }
  if (WIFSIGNALED(*status))
    return std::unexpected(Error(ErrorKind::corrupt, fmt::format("inspect-dwarfindex ended by signal {} ({})",
                                                                 WTERMSIG(*status), ::strsignal(WTERMSIG(*status)))));
  if (WEXITSTATUS(*status) == status_split)
    return std::unexpected(Error(ErrorKind::unsupported, first_line(complaint)));
  if (WEXITSTATUS(*status) != 0)
    return std::unexpected(Error(
        ErrorKind::corrupt, complaint.empty() ? fmt::format("inspect-dwarfindex failed with {}", WEXITSTATUS(*status))
                                              : first_line(complaint)));
  return {};
}

} // namespace inspect
