#include "commands/cli/command_line.h"

#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace {

/// A mapped file that somebody truncates while it is read ends in SIGBUS. The target runs on: what traces it ends with
/// this process, and nothing of it was changed.
void say_file_vanished(int) {
  constexpr std::string_view sentence = "inspect: a file was truncated while it was being read\n"
                                        "  try: again, now that the file has changed\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, sentence.data(), sentence.size());
  ::_exit(1);
}

/// Each module keeps its file open, and some processes have a thousand.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

} // namespace

int main(int count, char **arguments) {
  // A closed pipe is seen as a failed write, so that a held target is released on the way out.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGBUS, say_file_vanished);
  raise_descriptor_limit();
  const std::vector<std::string> words(arguments + (count > 0 ? 1 : 0), arguments + count);
  inspect::Output output(stdout, stderr);
  return inspect::run_command_line(words, output);
}
