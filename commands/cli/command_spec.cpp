#include "commands/cli/command_spec.h"

#include "machine/near_misses.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

bool offered(const CommandSpec &spec, bool in_session) {
  return in_session ? spec.in_session : spec.on_command_line;
}

bool is_named(const CommandSpec &spec, std::string_view name) {
  return spec.name == name || std::ranges::find(spec.aliases, name) != spec.aliases.end();
}

Error unknown_command(std::string_view name, bool in_session) {
  std::vector<std::string> names;
  for (const CommandSpec &spec : command_table()) {
    if (!offered(spec, in_session))
      continue;
    names.push_back(spec.name);
    if (in_session)
      names.insert(names.end(), spec.aliases.begin(), spec.aliases.end());
  }
  return Error(ErrorKind::usage, fmt::format("there is no command '{}'{}", name, did_you_mean(name, names)),
               in_session ? "help" : "inspect help");
}

} // namespace

ExitStatus exit_status(const Error &error) {
  switch (error.kind()) {
  case ErrorKind::usage:
    return ExitStatus::usage;
  case ErrorKind::no_such_process:
    return ExitStatus::no_such_process;
  case ErrorKind::not_permitted:
  case ErrorKind::already_traced:
    return ExitStatus::not_permitted;
  case ErrorKind::unsupported:
  case ErrorKind::not_found:
  case ErrorKind::unreadable:
  case ErrorKind::corrupt:
  case ErrorKind::timed_out:
  case ErrorKind::cancelled:
  case ErrorKind::system:
    return ExitStatus::failure;
  }
  return ExitStatus::failure;
}

Result<const CommandSpec *> find_command(std::string_view name, bool in_session) {
  std::vector<const CommandSpec *> beginning;
  for (const CommandSpec &spec : command_table()) {
    if (!offered(spec, in_session))
      continue;
    if (is_named(spec, name))
      return &spec;
    if (in_session && !name.empty() && spec.name.starts_with(name))
      beginning.push_back(&spec);
  }
  if (beginning.size() == 1)
    return beginning.front();
  if (beginning.size() < 2)
    return std::unexpected(unknown_command(name, in_session));
  std::string names;
  for (const CommandSpec *spec : beginning)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", spec->name);
  return std::unexpected(
      Error(ErrorKind::usage, fmt::format("'{}' may be any of {}", name, names), "more letters of its name"));
}

} // namespace inspect
