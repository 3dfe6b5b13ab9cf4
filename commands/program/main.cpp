#include "commands/command_line.h"

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

int main(int count, char **arguments) {
  // A closed pipe is seen as a failed write, so that a held target is released on the way out.
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> words(arguments + (count > 0 ? 1 : 0), arguments + count);
  inspect::Output output(stdout, stderr);
  return inspect::run_command_line(words, output);
}
