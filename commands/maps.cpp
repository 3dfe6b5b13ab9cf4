#include "attach/memory_map.h"
#include "commands/command_spec.h"
#include "commands/session.h"

#include <fmt/format.h>

namespace inspect {
namespace {

Result<ExitStatus> run_maps(CommandContext &context) {
  Session &session = *context.session;
  const auto maps = read_memory_map(session.target().process());
  if (!maps)
    return std::unexpected(maps.error());
  for (const Mapping &mapping : *maps) {
    if (session.cancellation().requested())
      return std::unexpected(Error(ErrorKind::cancelled, "cancelled"));
    context.output.write(fmt::format("{:#014x}-{:#014x} {}{}{}{} {:>10} {}{}\n", mapping.range.begin.value,
                                     mapping.range.end.value, mapping.readable ? 'r' : '-',
                                     mapping.writable ? 'w' : '-', mapping.executable ? 'x' : '-',
                                     mapping.shared ? 's' : 'p', fmt::format("{} kB", mapping.range.size() / 1024),
                                     escape(mapping.path), mapping.deleted ? " (deleted)" : ""));
  }
  return ExitStatus::success;
}

} // namespace

CommandSpec make_maps_command() {
  CommandSpec spec;
  spec.name = "maps";
  spec.summary = "List the mapped ranges of memory";
  spec.help = "Range, rights (p: private, s: shared), size, file.";
  spec.in_session = true;
  spec.run = run_maps;
  return spec;
}

} // namespace inspect
