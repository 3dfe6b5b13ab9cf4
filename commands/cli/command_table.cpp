#include "commands/cli/command_spec.h"

#include <vector>

namespace inspect {

// One line per command: its declaration here, its place in the help below.
CommandSpec make_ps_command();
CommandSpec make_mem_command();
CommandSpec make_stacks_command();
CommandSpec make_explain_command();
CommandSpec make_attach_command();
CommandSpec make_backtrace_command();
CommandSpec make_threads_command();
CommandSpec make_thread_command();
CommandSpec make_goroutines_command();
CommandSpec make_goroutine_command();
CommandSpec make_deferred_command();
CommandSpec make_frame_command();
CommandSpec make_up_command();
CommandSpec make_down_command();
CommandSpec make_args_command();
CommandSpec make_locals_command();
CommandSpec make_print_command();
CommandSpec make_whatis_command();
CommandSpec make_ptype_command();
CommandSpec make_info_command();
CommandSpec make_regs_command();
CommandSpec make_examine_memory_command();
CommandSpec make_set_command();
CommandSpec make_list_command();
CommandSpec make_disassemble_command();
CommandSpec make_maps_command();
CommandSpec make_libraries_command();
CommandSpec make_funcs_command();
CommandSpec make_types_command();
CommandSpec make_vars_command();
CommandSpec make_sources_command();
CommandSpec make_stop_command();
CommandSpec make_continue_command();
CommandSpec make_config_command();
CommandSpec make_source_command();
CommandSpec make_transcript_command();
CommandSpec make_help_command();
CommandSpec make_exit_command();

std::span<const CommandSpec> command_table() {
  static const std::vector<CommandSpec> table = {
      make_ps_command(),          make_mem_command(),
      make_stacks_command(),      make_explain_command(),
      make_attach_command(),      make_backtrace_command(),
      make_threads_command(),     make_thread_command(),
      make_goroutines_command(),  make_goroutine_command(),
      make_deferred_command(),    make_frame_command(),
      make_up_command(),          make_down_command(),
      make_args_command(),        make_locals_command(),
      make_print_command(),       make_whatis_command(),
      make_ptype_command(),       make_info_command(),
      make_regs_command(),        make_examine_memory_command(),
      make_set_command(),         make_list_command(),
      make_disassemble_command(), make_maps_command(),
      make_libraries_command(),   make_funcs_command(),
      make_types_command(),       make_vars_command(),
      make_sources_command(),     make_stop_command(),
      make_continue_command(),    make_config_command(),
      make_source_command(),      make_transcript_command(),
      make_help_command(),        make_exit_command(),
  };
  return table;
}

} // namespace inspect
