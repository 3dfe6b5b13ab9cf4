// funcs, types, vars and sources: lists of names, filtered by a pattern.
#include "commands/cli/command_spec.h"
#include "commands/cli/name_filter.h"
#include "commands/session/session.h"
#include "inspector/scope/program_values.h"
#include "inspector/scope/symbol_search.h"

namespace inspect {
namespace {

Result<std::function<bool(const std::string &)>> filter_of(const CommandContext &context) {
  const auto &positional = context.arguments.positional();
  return name_filter(positional.empty() ? "" : positional.front());
}

Result<ExitStatus> print(CommandContext &context, const std::vector<std::string> &names) {
  for (const std::string &name : names) {
    if (context.session->cancellation().requested())
      return std::unexpected(Error(ErrorKind::cancelled, "cancelled"));
    context.output.write(escape(name) + "\n");
  }
  return ExitStatus::success;
}

Result<ExitStatus> run_funcs(CommandContext &context) {
  const auto filter = filter_of(context);
  if (!filter)
    return std::unexpected(filter.error());
  const auto names = function_names(context.session->target(), *filter, context.session->cancellation());
  return names ? print(context, *names) : std::unexpected(names.error());
}

Result<ExitStatus> print_declared(CommandContext &context, NameKind kind) {
  const auto filter = filter_of(context);
  if (!filter)
    return std::unexpected(filter.error());
  Session &session = *context.session;
  session.evaluator.wait_for_names();
  auto names = session.evaluator.program().names().names_like("", kind, SIZE_MAX, &session.cancellation());
  std::erase_if(names, [&](const std::string &name) { return !(*filter)(name); });
  return print(context, names);
}

Result<ExitStatus> run_types(CommandContext &context) {
  return print_declared(context, NameKind::type);
}

Result<ExitStatus> run_vars(CommandContext &context) {
  return print_declared(context, NameKind::variable);
}

Result<ExitStatus> run_sources(CommandContext &context) {
  const auto filter = filter_of(context);
  if (!filter)
    return std::unexpected(filter.error());
  auto names = source_files(context.session->target(), context.session->cancellation());
  if (!names)
    return std::unexpected(names.error());
  std::erase_if(*names, [&](const std::string &name) { return !(*filter)(name); });
  return print(context, *names);
}

CommandSpec list_command(std::string name, std::string summary, Result<ExitStatus> (*run)(CommandContext &)) {
  CommandSpec spec;
  spec.name = std::move(name);
  spec.summary = std::move(summary);
  spec.positionals = {{.name = "REGEX", .help = "only those that match, as grep -E has it"}};
  spec.in_session = true;
  spec.run = run;
  return spec;
}

} // namespace

CommandSpec make_funcs_command() {
  return list_command("funcs", "List the functions of the executable and its libraries", run_funcs);
}

CommandSpec make_types_command() {
  return list_command("types", "List the types that the debug information names", run_types);
}

CommandSpec make_vars_command() {
  return list_command("vars", "List the global and static variables that the debug information names", run_vars);
}

CommandSpec make_sources_command() {
  return list_command("sources", "List the source files that the debug information names", run_sources);
}

} // namespace inspect
