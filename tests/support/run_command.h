// Runs a program to its end and keeps what it printed.
//
//     const CommandResult result = run_inspect({"stacks", std::to_string(pid), "--json"});
//     CHECK(result.status == 0);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inspect::test {

struct CommandResult {
  int status = 0; ///< exit status; 128 + signal number when a signal ended it; 127 when it could not be started
  std::string out;
  std::string err;
};

CommandResult run_command(const std::vector<std::string> &words);
/// The built `inspect` with these arguments.
CommandResult run_inspect(std::vector<std::string> arguments);
/// The same where a seccomp filter meets one system call with `answer` (SECCOMP_RET_ERRNO | EPERM,
/// SECCOMP_RET_KILL_PROCESS); both its outputs in `out`. Status 77: there are no filters here.
CommandResult run_inspect_filtered(long system_call, std::uint32_t answer, const std::vector<std::string> &arguments);
/// Whether a program of this name is on PATH.
bool have_program(std::string_view name);

} // namespace inspect::test
