// gdb's info KIND, for fingers that are used to it: each is another command here.
#include "commands/cli/command_spec.h"
#include "commands/session/session.h"
#include "commands/session/session_loop.h"
#include "machine/near_misses.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

struct InfoKind {
  std::string_view name;
  std::string_view command;
};

constexpr auto kinds = std::to_array<InfoKind>({
    {"args", "args"},
    {"locals", "locals"},
    {"registers", "regs"},
    {"all-registers", "regs -a"},
    {"threads", "threads"},
    {"goroutines", "goroutines"},
    {"frame", "frame"},
    {"stack", "bt"},
    {"functions", "funcs"},
    {"types", "types"},
    {"variables", "vars"},
    {"sources", "sources"},
    {"sharedlibrary", "libraries"},
    {"proc", "maps"},
});

Result<ExitStatus> run_info(CommandContext &context) {
  const std::vector<std::string> &words = context.arguments.positional();
  std::vector<std::string> names;
  for (const InfoKind &kind : kinds)
    names.emplace_back(kind.name);
  if (words.empty())
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("info needs one of {}", fmt::join(names, ", ")), "help info"));
  // As in gdb, any beginning that only one has will do; of several the first.
  const auto found =
      std::ranges::find_if(kinds, [&](const InfoKind &kind) { return kind.name.starts_with(words.front()); });
  if (found == kinds.end())
    return std::unexpected(Error(ErrorKind::usage,
                                 fmt::format("info has no '{}'{}", words.front(), did_you_mean(words.front(), names)),
                                 "help info"));
  std::string line(found->command);
  for (std::size_t i = 1; i < words.size(); ++i)
    line += fmt::format(" '{}'", words[i]);
  return run_line(*context.session, context.output, line);
}

} // namespace

CommandSpec make_info_command() {
  CommandSpec spec;
  spec.name = "info";
  spec.summary = "gdb's word for other commands: info args, info locals, info registers, info threads, …";
  spec.help = "info args, locals, registers, all-registers, threads, goroutines, frame, stack, functions, types, "
              "variables, sources, sharedlibrary and proc are args, locals, regs, regs -a, threads, goroutines, frame, "
              "bt, funcs, types, vars, sources, libraries and maps.";
  spec.positionals = {{.name = "KIND", .help = "see above"},
                      {.name = "REGEX", .help = "as the command takes it", .repeatable = true}};
  spec.in_session = true;
  spec.run = run_info;
  return spec;
}

} // namespace inspect
