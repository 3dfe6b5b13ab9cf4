#include "attach/cgroup/own_memory_limit.h"
#include "commands/cli/command_line.h"
#include "machine/thrown_error.h"

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace {

void say(std::string_view text) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

/// A mapped file that somebody truncates while it is read ends in SIGBUS. The target runs on: what traces it ends with
/// this process, and nothing of it was changed.
void say_file_vanished(int) {
  constexpr std::string_view sentence = "inspect: a file was truncated while it was being read\n"
                                        "  try: again, now that the file has changed\n";
  say(sentence);
  ::_exit(1);
}

/// What nobody catches would end in SIGABRT: an exception of a thread or of a destructor, for want of memory most
/// likely. There is nothing left to trust but the kernel, which lets every target go when this process ends.
[[noreturn]] void say_and_end() {
  say("inspect: it cannot go on: not enough memory, or a fault of inspect\n");
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
  std::set_terminate(say_and_end);
  raise_descriptor_limit();
  inspect::keep_within_control_group();
  // A held target is released on the way here: whoever holds it lets it go as its scope ends.
  try {
    const std::vector<std::string> words(arguments + (count > 0 ? 1 : 0), arguments + count);
    inspect::Output output(stdout, stderr);
    return inspect::run_command_line(words, output);
  } catch (...) {
    const inspect::Error error = inspect::thrown_error();
    std::fflush(stdout);
    std::fprintf(stderr, "inspect: %s\n  try: %s\n", error.message().c_str(), error.remedy().c_str());
    return 1;
  }
}
