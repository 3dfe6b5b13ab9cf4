#include "commands/cli/command_spec.h"
#include "commands/cli/count_text.h"
#include "commands/cli/typed_text.h"
#include "commands/frames/goroutine_request.h"
#include "commands/session/session.h"
#include "commands/session/session_loop.h"
#include "commands/stacks/frame_text.h"
#include "commands/stacks/goroutine_text.h"
#include "inspector/scope/frame_scope.h"
#include "inspector/stacks/goroutine_details.h"
#include "values/expression/expression_evaluator.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <span>

namespace inspect {
namespace {

constexpr std::size_t max_listed_in_group = 10;

std::string labels_of(const GoReport &report, const GoroutineReport &goroutine) {
  std::string text;
  for (const auto &[key, value] : report.label_sets[goroutine.labels])
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", escape(key), escape(value));
  return text;
}

StackWriterOptions stack_options(const Settings &settings, const GoroutineRequest &request) {
  StackWriterOptions options;
  options.arguments = ArgumentDetail::values;
  options.internal = request.internal;
  options.depth = request.depth != 0 ? request.depth : settings.number("depth");

  return options;
}

/// As split_words() takes them apart again.
std::string joined_words(std::span<const std::string> words) {
  std::string line;
  for (const std::string &word : words) {
    line += line.empty() ? "" : " ";
    for (const char character : word)
      line += character == ' ' || character == '\'' || character == '"' || character == '\\'
                  ? std::string{'\\', character}
                  : std::string{character};
  }
  return line;
}

class GoroutineList {
public:
  GoroutineList(Session &session, Output &output, const GoReport &report, const GoroutineRequest &request)
      : session_(session), output_(output), report_(report), request_(request) {}

  Result<ExitStatus> write() {
    auto chosen = choose();
    if (!chosen)
      return std::unexpected(chosen.error());
    if (request_.group_by)
      return write_grouped(*chosen);
    if (!request_.command.empty())
      return run_for_each(*chosen);
    for (const std::uint32_t index : *chosen) {
      if (session_.cancellation().requested())
        return std::unexpected(Error(ErrorKind::cancelled, "cancelled"));
      write_one(report_.goroutines[index]);
    }
    write_total(chosen->size(), {});
    return ExitStatus::success;
  }

private:
  struct GoroutineName {
    std::uint64_t id;
    std::size_t runtime;
  };

  /// Of a channel what its variable points to: that is where the runtime's own structure lies. Else the address that
  /// the expression stands for.
  Result<std::uint64_t> channel_address() {
    if (!parse_number(request_.channel))
      if (const auto scope = session_.evaluator.scope())
        if (const auto value = evaluate(request_.channel, **scope);
            value && value->source && value->type.go != nullptr && value->type.go->kind == GoKind::channel)
          if (const auto address = value->source->unsigned_at(0, 8))
            return *address;
    return session_.evaluator.address(request_.channel);
  }

  Result<std::vector<std::uint32_t>> choose() {
    std::vector<std::uint32_t> chosen;
    if (!request_.channel.empty()) {
      const auto channel = channel_address();
      if (!channel)
        return std::unexpected(channel.error());
      auto waiting = goroutines_waiting_on(session_.target(), report_, RunAddress{*channel});
      if (!waiting)
        return std::unexpected(waiting.error());
      chosen = std::move(*waiting);
    } else {
      chosen.resize(report_.goroutines.size());
      for (std::uint32_t i = 0; i < chosen.size(); ++i)
        chosen[i] = i;
    }
    // Whoever says what is wanted gets the runtime's own, too, where they match.
    const bool with_system = request_.internal || !request_.conditions.empty() || !request_.channel.empty();
    std::erase_if(chosen, [&](std::uint32_t index) {
      const GoroutineReport &goroutine = report_.goroutines[index];
      if (goroutine.system && !with_system) {
        ++hidden_;
        return true;
      }
      return !request_.accepts(report_, goroutine);
    });
    return chosen;
  }

  void write_total(std::size_t shown, const std::string &how) {
    const std::size_t all = report_.goroutines.size() - hidden_;
    std::string text = shown == all ? counted(shown, "goroutine")
                                    : fmt::format("{} of {}", with_thousands(shown), counted(all, "goroutine"));
    text += how;
    if (hidden_ > 0)
      text += fmt::format("; {} of the runtime's own with -a", with_thousands(hidden_));
    output_.write(text + "\n");
    const auto unknown = static_cast<std::size_t>(std::ranges::count_if(report_.goroutines, [](const auto &one) {
      return one.status == GoroutineStatus::waiting && !one.wait_seconds && !one.system;
    }));
    if (request_.by_wait && unknown > 0)
      output_.write(
          output_.styled(Style::dim, fmt::format("{} wait since a time that is not known: Go notes it when its garbage "
                                                 "collector runs\n",
                                                 with_thousands(unknown))));
  }

  void write_one(const GoroutineReport &goroutine) {
    if (request_.stacks) {
      write_goroutine(output_, report_, goroutine, stack_options(session_.dialogue.settings, request_));
      return;
    }
    const bool selected = session_.selection.is_selected(goroutine);
    std::string location = location_text(report_, goroutine, request_.location);
    output_.write(fmt::format("{} {}; {}\n", selected ? "*" : " ", goroutine_title(report_, goroutine),
                              output_.styled(Style::function, escape(location))));
    if (const std::string labels = labels_of(report_, goroutine); request_.labels && !labels.empty())
      output_.write(output_.styled(Style::dim, fmt::format("      labels {}\n", labels)));
  }

  void write_members(const std::vector<std::uint32_t> &members) {
    // Their place stands in the heading already.
    if (request_.group_place == request_.location && !request_.stacks && !request_.labels) {
      std::vector<std::uint64_t> ids;
      for (const std::uint32_t index : members)
        ids.push_back(report_.goroutines[index].id);
      output_.write(output_.styled(Style::dim, fmt::format("  ids{}\n", id_ranges(ids))));
      return;
    }
    for (std::size_t i = 0; i < members.size() && i < max_listed_in_group; ++i)
      write_one(report_.goroutines[members[i]]);
    if (members.size() > max_listed_in_group)
      output_.write(output_.styled(
          Style::dim, fmt::format("  … and {} more\n", with_thousands(members.size() - max_listed_in_group))));
  }

  Result<ExitStatus> write_grouped(const std::vector<std::uint32_t> &chosen) {
    std::map<std::string, std::vector<std::uint32_t>> groups;
    for (const std::uint32_t index : chosen)
      groups[(*request_.group_by)(report_, report_.goroutines[index])].push_back(index);
    std::vector<const std::pair<const std::string, std::vector<std::uint32_t>> *> sorted;
    for (const auto &group : groups)
      sorted.push_back(&group);
    std::ranges::stable_sort(sorted, std::greater{}, [](const auto *group) { return group->second.size(); });
    for (const auto *group : sorted) {
      output_.write(fmt::format("{}: {}\n", output_.styled(Style::heading, counted(group->second.size(), "goroutine")),
                                group->first.empty() ? "not known" : escape(group->first)));
      write_members(group->second);
    }
    write_total(chosen.size(), fmt::format(" in {}", counted(sorted.size(), "group")));
    return ExitStatus::success;
  }

  /// All of them as they were in this one look: the target is not stopped again for each.
  Result<ExitStatus> run_for_each(const std::vector<std::uint32_t> &chosen) {
    std::vector<GoroutineName> names; // the command may replace the report
    for (const std::uint32_t index : chosen)
      names.push_back({report_.goroutines[index].id, report_.goroutines[index].runtime});
    const std::size_t runtime = session_.selection.go_runtime();
    const std::uint64_t goroutine = session_.selection.goroutine_id();
    const pid_t thread = session_.selection.thread_id();
    session_.selection.keep_same_look(true);
    auto status = run_for_each(names);
    session_.selection.keep_same_look(false);
    // What was selected may have ended: then the last one stays selected.
    static_cast<void>(goroutine != 0 ? session_.selection.select_goroutine(goroutine, runtime)
                                     : session_.selection.select_thread(thread));
    return status;
  }

  Result<ExitStatus> run_for_each(const std::vector<GoroutineName> &names) {
    const std::string line = joined_words(request_.command);
    ExitStatus status = ExitStatus::success;
    for (const auto [id, runtime] : names) {
      if (session_.cancellation().requested())
        return std::unexpected(Error(ErrorKind::cancelled, "cancelled"));
      if (const auto selected = session_.selection.select_goroutine(id, runtime); !selected)
        return std::unexpected(selected.error());
      if (!request_.command_says_which)
        output_.write(output_.styled(Style::heading, fmt::format("goroutine {}:\n", id)));
      if (run_line(session_, output_, line) != ExitStatus::success)
        status = ExitStatus::failure;
    }
    return status;
  }

  Session &session_;
  Output &output_;
  const GoReport &report_;
  const GoroutineRequest &request_;
  std::size_t hidden_ = 0;
};

Result<ExitStatus> run_goroutines(CommandContext &context) {
  Session &session = *context.session;
  const auto request = parse_goroutine_request(context.arguments.positional());
  if (!request)
    return std::unexpected(request.error());
  const auto report = session.selection.fresh_report();
  if (!report)
    return std::unexpected(report.error());
  const auto go = session.selection.go_report();
  if (!go)
    return std::unexpected(go.error());
  for (const std::string &warning : (*report)->warnings)
    context.output.warning(warning);
  return GoroutineList(session, context.output, **go, *request).write();
}

} // namespace

CommandSpec make_goroutines_command() {
  CommandSpec spec;
  spec.name = "goroutines";
  spec.aliases = {"grs"};
  spec.summary = "List the goroutines: id, state, where they are";
  spec.help =
      "Takes a fresh look. Each goroutine is shown with one place, of which -u, -r, -g and -s say which.\n\n"
      "CONDITION is userloc, curloc, goloc or startloc with a REGEX for that place; label KEY or label KEY=VALUE; "
      "running (on a thread); or user (not the runtime's own). All conditions must hold. KEY is one of the same words, "
      "without a REGEX.\n\n"
      "  goroutines -with userloc main\\.handle -waiting '>5m'\n"
      "  goroutines -group goloc\n"
      "  goroutines -with label tenant=7 -t 5\n"
      "  goroutines -chan 0xc000012120 -exec deferred";
  spec.options = {
      {.name = "-u", .help = "with the innermost frame that is not the standard library's (as without any)"},
      {.name = "-r", .help = "with the innermost frame"},
      {.name = "-g", .help = "with the go statement that created it"},
      {.name = "-s", .help = "with the function it began in"},
      {.name = "-t", .help = "with stacks; -t 5: the five innermost frames"},
      {.name = "-l", .help = "with labels"},
      {.name = "-a", .help = "also the runtime's own goroutines"},
      {.name = "-with", .value = "CONDITION", .help = "only those", .repeatable = true},
      {.name = "-without", .value = "CONDITION", .help = "not those", .repeatable = true},
      {.name = "-waiting", .value = "TIME", .help = "'>5m', '<90s', '2h' (so long or longer)"},
      {.name = "-group", .value = "KEY", .help = "together with those of the same KEY, the largest group first"},
      {.name = "-chan", .value = "EXPRESSION", .help = "only those that wait on this channel: s.queue, or its address"},
      {.name = "-exec",
       .value = "COMMAND",
       .help = "runs it for each, all in one look; the rest of the line is its own"},
  };
  spec.raw_arguments = true;
  spec.in_session = true;
  spec.run = run_goroutines;
  return spec;
}

} // namespace inspect
