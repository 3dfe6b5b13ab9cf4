#include "tests/support/run_command.h"

#include "machine/file_descriptor.h"
#include "tests/support/child_process.h"
#include "tests/support/this_build.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace inspect::test {
namespace {

struct Pipe {
  FileDescriptor read_end;
  FileDescriptor write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw std::runtime_error("pipe2 failed");
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

void drain(const Pipe &out, const Pipe &err, CommandResult &result) {
  std::array<pollfd, 2> wait{{{out.read_end.get(), POLLIN, 0}, {err.read_end.get(), POLLIN, 0}}};
  std::array<std::string *, 2> into{&result.out, &result.err};
  std::array<char, 65536> buffer;
  std::size_t open = 2;
  while (open > 0) {
    if (::poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR)
      throw std::runtime_error("poll failed");
    for (std::size_t i = 0; i < wait.size(); ++i) {
      if (wait[i].fd < 0 || wait[i].revents == 0)
        continue;
      const ssize_t count = ::read(wait[i].fd, buffer.data(), buffer.size());
      if (count > 0) {
        into[i]->append(buffer.data(), static_cast<std::size_t>(count));
      } else if (count == 0 || errno != EINTR) {
        wait[i].fd = -1;
        --open;
      }
    }
  }
}

} // namespace

CommandResult run_command(const std::vector<std::string> &words) {
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, err.write_end.get(), 2);
  std::vector<char *> arguments;
  for (const std::string &word : words)
    arguments.push_back(const_cast<char *>(word.c_str()));
  arguments.push_back(nullptr);
  CommandResult result;
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  out.write_end = {};
  err.write_end = {};
  if (failed != 0) {
    result.status = 127;
    return result;
  }
  drain(out, err, result);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

CommandResult run_inspect(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), built_program("inspect"));
  return run_command(arguments);
}

CommandResult run_inspect_filtered(long system_call, std::uint32_t answer, const std::vector<std::string> &arguments) {
  ChildProcess child = ChildProcess::forked([&] {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(system_call), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{4, program};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
      return 77;
    const std::string inspect = built_program("inspect");
    std::vector<char *> words = {const_cast<char *>(inspect.c_str())};
    for (const std::string &word : arguments)
      words.push_back(const_cast<char *>(word.c_str()));
    words.push_back(nullptr);
    ::dup2(1, 2);
    ::execv(inspect.c_str(), words.data());
    return 126;
  });
  child.close_stdin();
  CommandResult result;
  result.out = child.read_all();
  const int status = child.wait();
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

bool have_program(std::string_view name) {
  return run_command({"/bin/sh", "-c", "command -v \"$0\"", std::string(name)}).status == 0;
}

} // namespace inspect::test
