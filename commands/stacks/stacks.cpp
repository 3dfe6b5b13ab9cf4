#include "commands/cli/command_spec.h"
#include "commands/cli/output_file.h"
#include "commands/cli/process_choice.h"
#include "commands/cli/typed_text.h"
#include "commands/session/settings.h"
#include "commands/stacks/pprof_profile.h"
#include "commands/stacks/stack_writers.h"
#include "commands/stacks/thread_variables.h"
#include "inspector/stacks/stack_report.h"
#include "machine/thrown_error.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/format.h>
#include <limits>
#include <sys/resource.h>

namespace inspect {
namespace {

using StackWriter = void (*)(Output &, const ProcessReport &, const StackWriterOptions &);

struct Format {
  std::string_view name;
  StackWriter write;
};

constexpr std::array formats = {Format{"text", write_stacks_text}, Format{"json", write_stacks_json},
                                Format{"go", write_go_traceback}, Format{"folded", write_stacks_folded},
                                Format{"pprof", write_pprof_profile}};

/// Which of the two: goroutines where the process has some, and threads in any case.
enum class Wanted { all, threads, goroutines };

struct Request {
  std::vector<pid_t> processes;
  const Format *format = &formats.front();
  Wanted wanted = Wanted::all;
  StackWriterOptions writer;
  bool statistics = false;
  TargetOptions target;
  ReportOptions report;
};

/// Values cost reads of the target for every frame, so machine formats have them only when they are asked for.
ArgumentDetail argument_detail(const ParsedArguments &arguments, std::string_view format) {
  if (format == "folded" || format == "pprof")
    return ArgumentDetail::none; // they have no place for them
  const std::string detail = arguments.value("--args").value_or(format == "text" ? "values" : "words");
  return detail == "values" ? ArgumentDetail::values : detail == "words" ? ArgumentDetail::words : ArgumentDetail::none;
}

Result<Wanted> what_is_wanted(const ParsedArguments &arguments) {
  if (arguments.has("--threads") && arguments.has("--goroutines"))
    return std::unexpected(Error(ErrorKind::usage, "--threads and --goroutines exclude each other",
                                 "leave both out to see goroutines and the threads that run none"));
  return arguments.has("--threads")      ? Wanted::threads
         : arguments.has("--goroutines") ? Wanted::goroutines
                                         : Wanted::all;
}

Result<StopChoice> stop_choice(const ParsedArguments &arguments) {
  const std::string word = arguments.value("--stop").value_or(arguments.has("--no-stop") ? "none" : "all");
  if (arguments.has("--no-stop") && word != "none")
    return std::unexpected(Error(ErrorKind::usage, fmt::format("--no-stop and --stop {} exclude each other", word),
                                 "leave one of them out"));
  if (arguments.has("--stopped") && word != "all")
    return std::unexpected(Error(ErrorKind::usage, fmt::format("--stopped and --stop {} exclude each other", word),
                                 "leave one of them out"));
  return stop_choice_of(word);
}

Result<Request> read_request(const ParsedArguments &arguments) {
  Request request;
  for (const std::string &word : arguments.positional()) {
    const auto processes = chosen_processes(word, arguments.has("--all"));
    if (!processes)
      return std::unexpected(processes.error());
    request.processes.insert(request.processes.end(), processes->begin(), processes->end());
  }
  std::string format = arguments.value("--format").value_or("text");
  if (arguments.has("--json"))
    format = "json";
  request.format = std::ranges::find(formats, format, &Format::name);
  const auto wanted = what_is_wanted(arguments);
  if (!wanted)
    return std::unexpected(wanted.error());
  request.wanted = *wanted;
  request.writer.group = !arguments.has("--no-group");
  request.writer.arguments = argument_detail(arguments, format);
  request.writer.locals = arguments.has("--locals");
  request.writer.internal = arguments.has("--internal");
  request.writer.goroutines_only = request.wanted == Wanted::goroutines;
  request.report.goroutines = request.wanted == Wanted::threads      ? GoroutineWish::none
                              : request.wanted == Wanted::goroutines ? GoroutineWish::required
                                                                     : GoroutineWish::if_any;
  request.report.argument_words = request.writer.arguments != ArgumentDetail::none;
  request.report.argument_values = request.writer.arguments == ArgumentDetail::values || request.writer.locals;
  if (request.report.argument_values)
    request.report.max_equal_with_registers =
        request.writer.group && format == "text" ? max_decoded_threads : std::numeric_limits<std::size_t>::max();
  request.statistics = arguments.has("--stats");
  request.target.use_debuginfod = arguments.has("--debuginfod");
  request.target.debug_directories = arguments.values("--debug-directory");
  request.report.symbolize_while_stopped = arguments.has("--stopped");
  const auto stop = stop_choice(arguments);
  if (!stop)
    return std::unexpected(stop.error());
  request.report.stop = *stop;
  if (const auto depth = arguments.value("--depth")) {
    const auto number = parse_positive(*depth, "--depth");
    if (!number)
      return std::unexpected(number.error());
    request.report.max_depth = *number;
    request.report.outermost_frames = 0; // the innermost ones are what was asked for
    request.report.max_thread_frames = std::max(request.report.max_thread_frames, request.report.max_depth);
  }
  return request;
}

void write_statistics(const ProcessReport &report, std::chrono::steady_clock::time_point start) {
  std::size_t frames = 0;
  for (const ThreadReport &thread : report.threads)
    frames += thread.frames.size();
  if (report.go)
    for (const GoroutineReport &goroutine : report.go->goroutines)
      frames += report.go->stack_of(goroutine).frames.size();
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto total = std::chrono::steady_clock::now() - start;
  fmt::print(stderr, "threads={} goroutines={} frames={} pause_us={} total_ms={:.1f} peak_rss_kb={}\n",
             report.threads.size(), report.go ? report.go->goroutines.size() : 0, frames, report.pause.count(),
             std::chrono::duration<double, std::milli>(total).count(), usage.ru_maxrss);
}

std::string no_goroutines(const ProcessReport &report) {
  std::string sentence = fmt::format("process {} has no goroutines", report.process);
  if (report.runtime.language != "go")
    return sentence + ": it is not a Go program";
  return sentence + " that could be found" + (report.warnings.empty() ? "" : ": " + report.warnings.front());
}

Result<void> dump_one(pid_t process, const Request &request, Output &output) {
  const auto start = std::chrono::steady_clock::now();
  auto target = Target::open(process, request.target);
  if (!target)
    return std::unexpected(target.error());
  ReportOptions options = request.report;
  options.progress = [&](std::string_view phase, std::size_t done, std::size_t total) {
    output.progress(fmt::format("{}: {} of {}", phase, done, total));
  };
  const auto report = report_stacks(**target, options);
  output.progress("");
  if (!report)
    return std::unexpected(report.error());
  // What arguments point to is read while it is printed, and may lie where nobody answers. Where no process can be
  // started for it, it is read as it is.
  const auto limited = (*target)->memory().limit_reads(LiveMemory::command_patience);
  if (request.wanted == Wanted::goroutines && !report->go)
    return std::unexpected(
        Error(ErrorKind::unsupported, no_goroutines(*report), "leave --goroutines out to see threads"));
  request.format->write(output, *report, request.writer);
  output.flush();
  if (request.format->name != "json")
    for (const std::string &warning : report->warnings)
      output.warning(warning);
  if (request.statistics)
    write_statistics(*report, start);
  return {};
}

/// A profile is one compressed file.
Result<void> check_profile(const Request &request, bool to_terminal) {
  if (request.format->name != "pprof")
    return {};
  if (to_terminal)
    return std::unexpected(Error(ErrorKind::usage, "a profile is binary and does no good to a terminal",
                                 "-o FILE, then go tool pprof -top FILE"));
  if (request.processes.size() > 1)
    return std::unexpected(Error(ErrorKind::usage, "a profile holds one process", "one PID at a time"));
  return {};
}

/// All of them: one that cannot be dumped, for whatever reason, takes no other with it.
ExitStatus dump_all(const Request &request, Output &output) {
  ExitStatus status = ExitStatus::success;
  for (const pid_t process : request.processes) {
    if (auto done = caught([&] { return dump_one(process, request, output); }); !done) {
      output.error(done.error());
      if (status == ExitStatus::success)
        status = exit_status(done.error());
    }
    if (output.failed())
      break;
  }
  return status;
}

Result<ExitStatus> dump_to_file(const std::string &path, const Request &request, Output &output) {
  auto file = OutputFile::open(path);
  if (!file)
    return std::unexpected(file.error());
  if (const int failed = output.redirect(file->stream()); failed != 0)
    return std::unexpected(Error::from_errno(failed, "writing the output"));
  const ExitStatus status = dump_all(request, output);
  if (const int failed = output.redirect(stdout); failed != 0)
    return std::unexpected(Error::from_errno(failed, fmt::format("writing to {}", path)));
  // Of several processes those that could be dumped are worth a file; nothing at all is not.
  if (status != ExitStatus::success && std::ftell(file->stream()) <= 0)
    return status;
  if (auto done = file->finish(); !done)
    return std::unexpected(done.error());
  return status;
}

Result<ExitStatus> run(CommandContext &context) {
  auto request = read_request(context.arguments);
  if (!request)
    return std::unexpected(request.error());
  const bool to_terminal = context.output.is_terminal() && !context.arguments.has("-o");
  if (auto checked = check_profile(*request, to_terminal); !checked)
    return std::unexpected(checked.error());
  if (const auto path = context.arguments.value("-o"))
    return dump_to_file(*path, *request, context.output);
  const ExitStatus status = dump_all(*request, context.output);
  context.output.flush();
  return status;
}

} // namespace

CommandSpec make_stacks_command() {
  CommandSpec spec;
  spec.name = "stacks";
  spec.summary = "Show what every thread and goroutine of a process is doing";
  spec.help =
      "Stops the process for the milliseconds it takes to copy its stacks, lets it go, then unwinds and prints them. "
      "Threads with the same stack are shown once. Of a Go process the goroutines are shown, and the threads that run "
      "none. Functions, files, lines and inlined calls come from the debug "
      "information where there is some, else from the symbol table.\n\n"
      "Several processes may be given, each by its PID or its name, with -p or --pid in front where you like; of a "
      "name "
      "that several have, --all takes all.";
  spec.positionals = {{"PID", "process id, or a name", true, true}};
  spec.options = {
      {"--all", "", "", "all processes that have the name", false},
      {"--threads", "", "", "the stacks of threads alone, also of a Go process", false},
      {"--goroutines", "", "", "the stacks of goroutines alone", false},
      {"--args", "", "none|words|values", "arguments by value (text), as the words that Go prints, or not", false},
      {"--locals", "", "", "also the local variables of each frame, where debug information has them", false},
      {"--internal", "", "", "also the Go runtime's own goroutines, threads and frames", false},
      {"--no-group", "", "", "show every thread and goroutine by itself", false},
      {"--depth", "", "N", "at most N frames per stack; inlined calls are not counted", false},
      {"--format", "", "text|json|go|folded|pprof",
       "human-readable, or for tools: JSON, a Go traceback, folded stacks, a profile", false},
      {"--json", "", "", "short for --format json", false},
      {"-o", "", "FILE", "write to FILE, which is replaced when all is written", false},
      {"--stopped", "", "", "hold the process until everything has been read, for an exact picture", false},
      {"--stop", "", "auto|all|none",
       "what is stopped: all at once (as if not given), only what runs, or nothing: see docs/harmless.md", false},
      {"--no-stop", "", "", "short for --stop none: no pause, and no call is interrupted", false},
      {"--stats", "", "", "one line of figures on standard error", false},
      {"--debug-directory", "", "DIR", "look for separate debug files here instead of /usr/lib/debug", true},
      {"--debuginfod", "", "", "ask the debuginfod servers of $DEBUGINFOD_URLS for missing debug files", false},
  };
  spec.completion = CompletionKind::process;
  spec.on_command_line = true;
  spec.run = run;
  return spec;
}

} // namespace inspect
