// `inspect ps`: what runs on this machine, and everything about one process of it.
#include "attach/procfs/hidden_processes.h"
#include "commands/cli/command_spec.h"
#include "commands/cli/locale.h"
#include "commands/cli/process_choice.h"
#include "commands/process/process_details_writers.h"
#include "commands/process/ps_writers.h"
#include "inspector/process/process_table.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <regex.h>
#include <unistd.h>

namespace inspect {
namespace {

struct RegexDeleter {
  void operator()(regex_t *regex) const {
    ::regfree(regex);
    delete regex;
  }
};
using Regex = std::unique_ptr<regex_t, RegexDeleter>;

/// Null where the pattern is not a valid regular expression: then it is meant as plain text.
Regex compile(const std::string &pattern) {
  auto regex = std::make_unique<regex_t>();
  if (::regcomp(regex.get(), pattern.c_str(), REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
    return nullptr;
  return Regex(regex.release());
}

bool matches(const std::string &text, const std::string &pattern, const regex_t *regex) {
  return ::strcasestr(text.c_str(), pattern.c_str()) != nullptr ||
         (regex != nullptr && ::regexec(regex, text.c_str(), 0, nullptr, 0) == 0);
}

bool row_matches(const ProcessRow &row, const std::string &pattern, const regex_t *regex) {
  return matches(row.name, pattern, regex) || matches(command_line(row), pattern, regex) ||
         matches(row.executable, pattern, regex);
}

/// Keeps those whose name, command line or executable hold the text.
void keep_matching(std::vector<ProcessRow> &rows, const std::string &pattern) {
  const Regex regex = compile(pattern);
  const auto own = own_processes(rows);
  std::erase_if(rows, [&](const ProcessRow &row) {
    return std::ranges::find(own, row.process) != own.end() || !row_matches(row, pattern, regex.get());
  });
}

void sort_rows(std::vector<ProcessRow> &rows, std::string_view key) {
  // Ascending by process as they come; quantities from large to small.
  const auto descending = [&](auto member) { std::ranges::stable_sort(rows, std::ranges::greater{}, member); };
  if (key == "rss")
    descending(&ProcessRow::resident_kb);
  else if (key == "vsz")
    descending(&ProcessRow::virtual_kb);
  else if (key == "cpu")
    descending(&ProcessRow::cpu_percent);
  else if (key == "threads")
    descending(&ProcessRow::threads);
}

/// All of the text as a process number.
std::optional<pid_t> process_number(const std::string &text) {
  pid_t number = 0;
  const char *end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != end || number <= 0)
    return std::nullopt;
  return number;
}

/// "2s", "500ms", "1m"; a bare number is seconds.
Result<std::chrono::milliseconds> parse_duration(const std::string &text) {
  constexpr double min_time_ms = 10; // a clock tick
  constexpr double max_time_ms = 600'000;
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(parsed.ptr, text.data() + text.size());
  const double scale = unit == "ms" ? 1 : unit == "s" || unit.empty() ? 1000 : unit == "m" ? 60'000 : 0;
  const bool in_range = number * scale >= min_time_ms && number * scale <= max_time_ms; // false for "nan", too
  if (parsed.ec != std::errc{} || scale == 0 || !in_range)
    return std::unexpected(Error(ErrorKind::usage,
                                 fmt::format("'{}' is no time to watch a process for, such as 2s, 500ms or 1m", text),
                                 "it may be from 10ms to 10m"));
  return std::chrono::milliseconds(static_cast<std::int64_t>(number * scale));
}

Result<ExitStatus> run_details(CommandContext &context, pid_t process, std::chrono::milliseconds over) {
  const ParsedArguments &arguments = context.arguments;
  const auto details = read_process_details(process, {.over = over});
  if (!details)
    return std::unexpected(details.error());
  if (arguments.has("--json"))
    write_process_json(context.output, *details);
  else
    write_process_details_text(
        context.output, *details,
        {.unicode = locale_is_utf8(), .every_socket = arguments.has("--all"), .modules = arguments.has("--modules")});
  return ExitStatus::success;
}

/// What was asked for where the pattern is the number of a process; nothing where it is another pattern.
Result<std::optional<ExitStatus>> run_for_number(CommandContext &context) {
  const auto &words = context.arguments.positional();
  const auto number = words.empty() ? std::nullopt : process_number(words.front());
  std::chrono::milliseconds over{0};
  if (words.size() > 1) {
    if (!number)
      return std::unexpected(Error(ErrorKind::usage, fmt::format("'{}' is not a process number", words.front()),
                                   "a time is for one process, as in: inspect ps 4251 2s"));
    const auto duration = parse_duration(words[1]);
    if (!duration)
      return std::unexpected(duration.error());
    over = *duration;
  }
  if (number)
    if (auto hidden = explain_hidden(*number))
      return std::unexpected(std::move(*hidden));
  // Digits that are no process may still stand in a command line.
  if (!number || (words.size() == 1 && !is_process(*number)))
    return std::nullopt;
  const auto status = run_details(context, *number, over);
  if (!status)
    return std::unexpected(status.error());
  return *status;
}

Result<ExitStatus> run_ps(CommandContext &context) {
  const ParsedArguments &arguments = context.arguments;
  const auto done = run_for_number(context);
  if (!done)
    return std::unexpected(done.error());
  if (*done)
    return **done;
  auto table = read_process_table({.kernel_threads = arguments.has("--all")});
  if (!table)
    return std::unexpected(table.error());
  const auto &patterns = arguments.positional();
  if (!patterns.empty())
    keep_matching(table->rows, patterns.front());
  sort_rows(table->rows, arguments.value("--sort").value_or("pid"));

  if (arguments.has("--json"))
    write_processes_json(context.output, table->rows);
  else if (!table->rows.empty())
    write_processes_text(context.output, table->rows,
                         {.tree = arguments.has("--tree"), .unicode = locale_is_utf8(), .as_root = ::geteuid() == 0});
  if (const auto mount = hiding_mount()) {
    context.output.warning(fmt::format("processes of other users are not listed: {}", describe_hiding(*mount)));
    context.output.error_detail("try: " + remedy_for_hiding(*mount));
  }
  if (!table->rows.empty())
    return ExitStatus::success;
  return std::unexpected(
      Error(ErrorKind::not_found,
            patterns.empty() ? "no processes are visible" : fmt::format("no process matches '{}'", patterns.front()),
            arguments.has("--all") ? "" : "kernel threads are listed with --all"));
}

} // namespace

CommandSpec make_ps_command() {
  CommandSpec spec;
  spec.name = "ps";
  spec.summary = "List the processes with their runtimes, sizes and containers, or all there is to say of one";
  spec.help =
      "Lists every process with the runtime it was built with: Go (with its version and main module), C++, C, Rust, "
      "Python, Java, Node; told from the executable alone, without touching the process. A process that could not "
      "be inspected is listed with what is known, its runtime as \"?\".\n\n"
      "PATTERN is a text or extended regular expression that the name, the command line or the executable must "
      "contain, in either case. Kernel threads are listed with --all only.\n\n"
      "With the number of a process, everything that the kernel and its executable say of it is shown: parents, user, "
      "command line, times, threads by state, memory, open files by kind, listening and connected sockets, limits, "
      "capabilities, namespaces, control group, how it was built, and what confines it. With a DURATION (2s, 500ms, "
      "1m) it is watched that long, and its processor use over that time is shown, the busiest threads by themselves. "
      "The process is not stopped. --all shows every socket by itself, --modules every Go module that was built in; "
      "--json has all of it.\n\n"
      "VSZ and RSS are virtual and resident memory; CPU% is the CPU time used over the time since the start, 100 being "
      "one processor. With --sort the largest come first.";
  spec.options = {
      {.name = "--all", .short_name = "-a", .value = "", .help = "kernel threads, too; of one process: every socket"},
      {.name = "--sort",
       .short_name = "",
       .value = "rss|vsz|cpu|threads|pid",
       .help = "order; sizes from large to small"},
      {.name = "--tree", .short_name = "", .value = "", .help = "show who started whom"},
      {.name = "--modules", .short_name = "", .value = "", .help = "of one process: the Go modules in it"},
      {.name = "--json", .short_name = "", .value = "", .help = "for programs: inspect.ps/1, see docs/json.md"},
  };
  spec.positionals = {{.name = "PATTERN", .help = "process number, text or regular expression"},
                      {.name = "DURATION", .help = "with a process number: watch its processor use that long (2s)"}};
  spec.completion = CompletionKind::process;
  spec.on_command_line = true;
  spec.run = run_ps;
  return spec;
}

} // namespace inspect
