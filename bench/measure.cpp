// measure [-t SECONDS] [-o FILE] [-e FILE] COMMAND…: runs a command and says what it cost, in one line:
//
//     wall_us=… cpu_us=… max_rss_kb=… status=…
//
// Its stdout goes to FILE or /dev/null, its stderr to FILE or ours. `max_rss_kb` is that of the largest process among
// the command and those it waited for (getrusage(2)). A command that takes longer than SECONDS is killed:
// status=timeout.
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  int seconds = 600;
  const char *output = "/dev/null";
  const char *errors = nullptr;
};

[[noreturn]] void run(const Options &options, char **command) {
  const auto redirect = [](const char *path, int descriptor) {
    const int file = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || ::dup2(file, descriptor) < 0) {
      std::perror(path);
      ::_exit(127);
    }
  };
  redirect(options.output, STDOUT_FILENO);
  if (options.errors != nullptr)
    redirect(options.errors, STDERR_FILENO);
  ::execvp(command[0], command);
  std::perror(command[0]);
  ::_exit(127);
}

long long microseconds(const timeval &time) {
  return time.tv_sec * 1'000'000LL + time.tv_usec;
}

/// True where the process ended within the time.
bool ends_within(pid_t pid, int seconds) {
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) {
    std::perror("pidfd_open");
    std::exit(1);
  }
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd ready{handle, POLLIN, 0};
    const int events = ::poll(&ready, 1, left > 0 ? static_cast<int>(left) : 0);
    if (events < 0 && errno == EINTR)
      continue;
    ::close(handle);
    return events > 0;
  }
}

int measure(const Options &options, char **command) {
  const auto begin = Clock::now();
  const pid_t pid = ::fork();
  if (pid == 0)
    run(options, command);
  if (pid < 0) {
    std::perror("fork");
    return 1;
  }
  const bool ended = ends_within(pid, options.seconds);
  if (!ended)
    ::kill(pid, SIGKILL);
  int status = 0;
  rusage usage{};
  while (::wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  const auto wall = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin).count();
  const std::string outcome = !ended              ? "timeout"
                              : WIFEXITED(status) ? std::to_string(WEXITSTATUS(status))
                                                  : "signal" + std::to_string(WTERMSIG(status));
  std::printf("wall_us=%lld cpu_us=%lld max_rss_kb=%ld status=%s\n", static_cast<long long>(wall),
              microseconds(usage.ru_utime) + microseconds(usage.ru_stime), usage.ru_maxrss, outcome.c_str());
  return 0;
}

} // namespace

int main(int count, char **words) {
  Options options;
  int option = 0;
  while ((option = ::getopt(count, words, "+t:o:e:")) != -1) {
    if (option == 't')
      options.seconds = std::atoi(optarg);
    else if (option == 'o')
      options.output = optarg;
    else if (option == 'e')
      options.errors = optarg;
    else
      return 2;
  }
  if (optind >= count) {
    std::fputs("usage: measure [-t SECONDS] [-o FILE] [-e FILE] COMMAND…\n", stderr);
    return 2;
  }
  return measure(options, words + optind);
}
