#include "commands/cli/command_spec.h"
#include "commands/session/session.h"
#include "inspector/target/mapped_code.h"

#include <fmt/format.h>

namespace inspect {
namespace {

Result<ExitStatus> run_libraries(CommandContext &context) {
  Session &session = *context.session;
  for (const LibraryRow &row : list_libraries(session.target())) {
    context.output.write(fmt::format("{:#014x}-{:#014x} {}{}\n", row.range.begin.value, row.range.end.value,
                                     escape(row.path), row.from_memory ? " (read from its image in memory)" : ""));
    context.output.write(fmt::format("    build-id {}\n    debug information: {}\n",
                                     row.build_id.empty() ? "none" : row.build_id, escape(row.debug_info)));
  }
  return ExitStatus::success;
}

} // namespace

CommandSpec make_libraries_command() {
  CommandSpec spec;
  spec.name = "libraries";
  spec.summary = "List the executable and its libraries, with where debug information came from";
  spec.in_session = true;
  spec.run = run_libraries;
  return spec;
}

} // namespace inspect
