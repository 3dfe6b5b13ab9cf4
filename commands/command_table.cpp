#include "commands/command_spec.h"

#include <vector>

namespace inspect {

// One line per command: its declaration here, its place in the help below.
CommandSpec make_ps_command();
CommandSpec make_stacks_command();
CommandSpec make_help_command();

std::span<const CommandSpec> command_table() {
  static const std::vector<CommandSpec> table = {
      make_ps_command(),
      make_stacks_command(),
      make_help_command(),
  };
  return table;
}

} // namespace inspect
