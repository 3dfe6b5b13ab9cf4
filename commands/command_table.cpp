#include "commands/command_spec.h"

#include <vector>

namespace inspect {

// One line per command: its declaration here, its place in the help below.
CommandSpec make_help_command();
CommandSpec make_ps_command();

std::span<const CommandSpec> command_table() {
  static const std::vector<CommandSpec> table = {
      make_ps_command(),
      make_help_command(),
  };
  return table;
}

} // namespace inspect
