// process_crowd N COMMAND…: starts N copies of a command, prints "ready" when all of them run, and kills them when its
// stdin closes. They also die with it.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

/// The copy's id once it has executed the command; 0 where that failed. The pipe's end closes at exec.
pid_t start(char **command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return 0;
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(nothing, STDOUT_FILENO);
    ::execvp(command[0], command);
    [[maybe_unused]] const ssize_t said = ::write(ends[1], "x", 1);
    ::_exit(127);
  }
  ::close(ends[1]);
  char failed = 0;
  ssize_t got = 0;
  while ((got = ::read(ends[0], &failed, 1)) < 0 && errno == EINTR) {
  }
  ::close(ends[0]);
  return pid > 0 && got == 0 ? pid : 0;
}

} // namespace

int main(int count, char **words) {
  if (count < 3) {
    std::fputs("usage: process_crowd N COMMAND…\n", stderr);
    return 2;
  }
  const int wanted = std::atoi(words[1]);
  std::vector<pid_t> crowd;
  bool complete = true;
  while (complete && static_cast<int>(crowd.size()) < wanted) {
    const pid_t pid = start(words + 2);
    complete = pid > 0;
    if (complete)
      crowd.push_back(pid);
  }
  if (complete) {
    std::puts("ready");
    std::fflush(stdout);
    char byte = 0;
    while (::read(STDIN_FILENO, &byte, 1) > 0) {
    }
  } else {
    std::perror("starting a copy");
  }
  for (const pid_t pid : crowd)
    ::kill(pid, SIGKILL);
  for (const pid_t pid : crowd)
    ::waitpid(pid, nullptr, 0);
  return complete ? 0 : 1;
}
