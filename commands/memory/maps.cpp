// `inspect maps PID`, and `maps` in a session: every mapping with what it is for.
#include "commands/cli/command_spec.h"
#include "commands/cli/process_choice.h"
#include "commands/cli/typed_text.h"
#include "commands/memory/maps_writers.h"
#include "commands/session/session.h"
#include "inspector/mappings/mapping_selection.h"
#include "inspector/mappings/process_mappings.h"

#include <fmt/format.h>

namespace inspect {
namespace {

struct OrderName {
  std::string_view name;
  MappingOrder order;
};

constexpr std::array order_names = {
    OrderName{"address", MappingOrder::address},   OrderName{"vsz", MappingOrder::reserved},
    OrderName{"rss", MappingOrder::resident},      OrderName{"pss", MappingOrder::proportional},
    OrderName{"dirty", MappingOrder::dirty},       OrderName{"swap", MappingOrder::swapped},
    OrderName{"lazy", MappingOrder::lazily_freed}, OrderName{"huge", MappingOrder::huge},
};

Result<MappingSelection> read_selection(const ParsedArguments &arguments) {
  MappingSelection selection;
  for (const std::string &given : arguments.values("--kind")) {
    for (std::string_view rest = given;;) {
      const auto comma = rest.find(',');
      const auto kind = parse_mapping_kind(trimmed(rest.substr(0, comma)));
      if (!kind)
        return std::unexpected(kind.error());
      selection.kinds.push_back(*kind);
      if (comma == std::string_view::npos)
        break;
      rest.remove_prefix(comma + 1);
    }
  }
  selection.text = arguments.value("--filter").value_or("");
  return selection;
}

/// Nothing: the order that is natural for what is shown.
std::optional<MappingOrder> read_order(const ParsedArguments &arguments) {
  const auto given = arguments.value("--sort");
  if (!given)
    return std::nullopt;
  const auto known = std::ranges::find(order_names, *given, &OrderName::name);
  return known == order_names.end() ? std::nullopt : std::optional(known->order);
}

Result<ProcessMappings> read_mappings(CommandContext &context) {
  if (context.session == nullptr) {
    const auto process = chosen_process(context.arguments.positional().front());
    if (!process)
      return std::unexpected(process.error());
    return read_process_mappings(*process);
  }
  return read_process_mappings(context.session->target());
}

void write_groups(Output &output, const ProcessMappings &mappings, MappingGrouping grouping,
                  std::optional<MappingOrder> order, bool json) {
  std::vector<MappingGroup> groups = group_mappings(mappings.mappings, grouping);
  sort_groups(groups, order.value_or(mappings.measured ? MappingOrder::resident : MappingOrder::reserved));
  if (json)
    write_mapping_groups_json(output, mappings, groups);
  else
    write_mapping_groups_text(output, mappings, groups, grouping);
}

Result<ExitStatus> run_maps(CommandContext &context) {
  const ParsedArguments &arguments = context.arguments;
  const auto selection = read_selection(arguments);
  if (!selection)
    return std::unexpected(selection.error());
  auto mappings = read_mappings(context);
  if (!mappings)
    return std::unexpected(mappings.error());
  select_mappings(mappings->mappings, *selection);
  const auto order = read_order(arguments);
  const bool json = arguments.has("--json");
  const std::string group = arguments.value("--group").value_or("none");
  if (group != "none") {
    write_groups(context.output, *mappings, group == "kind" ? MappingGrouping::kind : MappingGrouping::file, order,
                 json);
  } else {
    sort_mappings(mappings->mappings, order.value_or(MappingOrder::address));
    if (json)
      write_mappings_json(context.output, *mappings);
    else
      write_mappings_text(context.output, *mappings, [&] {
        return context.output.failed() || (context.session != nullptr && context.session->cancellation().requested());
      });
  }
  context.output.flush();
  if (!json)
    for (const std::string &warning : mappings->warnings)
      context.output.warning(warning);
  if (context.session != nullptr && context.session->cancellation().requested())
    return std::unexpected(Error(ErrorKind::cancelled, "cancelled"));
  return ExitStatus::success;
}

} // namespace

CommandSpec make_maps_command() {
  CommandSpec spec;
  spec.name = "maps";
  spec.summary = "List the mapped ranges of memory with what each is for and how much of it is used";
  spec.help =
      "Every mapping of the process with its kind: text and data of the program and of its libraries, stacks of which "
      "thread and how deep they are used, heap, malloc's arenas, Go's heap, address space that is only reserved, "
      "shared "
      "memory, files. Nothing is stopped.\n\n"
      "MODE is as in ls -l, the last letter p (private) or s (shared). VSZ is address space; RSS is in memory; PSS is "
      "RSS with each page divided by the number of processes that have it; DIRTY was written to. SWAP, LAZY (given "
      "back "
      "with MADV_FREE: counted in RSS until memory is short), HUGE (in huge pages) and LOCKED are shown where there is "
      "some. \"(guessed)\" marks what is told from size and place alone.\n\n"
      "KIND is one of program_text, program_data, library_text, library_data, thread_stack, guard, main_heap, "
      "malloc_arena, malloc_mapped, go_heap, go_metadata, anonymous, jit, shared_memory, memfd, file, device, kernel, "
      "reserved; several are separated by commas.";
  spec.positionals = {{.name = "PID",
                       .help = "the process, by its id or name; -p and --pid may stand in front",
                       .required = true,
                       .only_on_command_line = true}};
  spec.options = {
      {.name = "--sort",
       .value = "address|vsz|rss|pss|dirty|swap|lazy|huge",
       .help = "order; amounts from large to small"},
      {.name = "--kind", .value = "KIND", .help = "only these kinds", .repeatable = true},
      {.name = "--filter", .value = "TEXT", .help = "only those whose kind or description contains TEXT"},
      {.name = "--group", .value = "kind|file|none", .help = "add up by kind or by file, largest resident first"},
      {.name = "--json", .help = "for programs: inspect.maps/1, see docs/json.md"},
  };
  spec.completion = CompletionKind::process;
  spec.on_command_line = true;
  spec.in_session = true;
  spec.run = run_maps;
  return spec;
}

} // namespace inspect
