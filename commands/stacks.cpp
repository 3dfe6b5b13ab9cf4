#include "commands/command_spec.h"
#include "commands/stack_writers.h"
#include "commands/typed_text.h"
#include "inspector/stack_report.h"

#include <cerrno>
#include <chrono>
#include <fmt/format.h>
#include <memory>
#include <sys/resource.h>

namespace inspect {
namespace {

enum class Format { text, json, folded };

struct Request {
  std::vector<pid_t> processes;
  Format format = Format::text;
  TextStackOptions text;
  bool statistics = false;
  TargetOptions target;
  ReportOptions report;
};

Result<Request> read_request(const ParsedArguments &arguments) {
  Request request;
  for (const std::string &word : arguments.positional()) {
    const auto process = parse_process_id(word);
    if (!process)
      return std::unexpected(process.error());
    request.processes.push_back(*process);
  }
  std::string format = arguments.value("--format").value_or("text");
  if (arguments.has("--json"))
    format = "json";
  request.format = format == "json" ? Format::json : format == "folded" ? Format::folded : Format::text;
  request.text.group = !arguments.has("--no-group");
  request.statistics = arguments.has("--stats");
  request.target.use_debuginfod = arguments.has("--debuginfod");
  request.target.debug_directories = arguments.values("--debug-directory");
  request.report.hold_while_thinking = arguments.has("--stopped");
  if (const auto depth = arguments.value("--depth")) {
    const auto number = parse_positive(*depth, "--depth");
    if (!number)
      return std::unexpected(number.error());
    request.report.max_depth = *number;
  }
  return request;
}

void write_statistics(const ProcessReport &report, std::chrono::steady_clock::time_point start) {
  std::size_t frames = 0;
  for (const ThreadReport &thread : report.threads)
    frames += thread.frames.size();
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto total = std::chrono::steady_clock::now() - start;
  fmt::print(stderr, "threads={} goroutines=0 frames={} pause_us={} total_ms={:.1f} peak_rss_kb={}\n",
             report.threads.size(), frames, report.pause.count(),
             std::chrono::duration<double, std::milli>(total).count(), usage.ru_maxrss);
}

Result<void> dump_one(Tracer &tracer, pid_t process, const Request &request, Output &output) {
  const auto start = std::chrono::steady_clock::now();
  auto target = Target::open(process, request.target);
  if (!target)
    return std::unexpected(target.error());
  ReportOptions options = request.report;
  options.progress = [&](std::string_view phase, std::size_t done, std::size_t total) {
    output.progress(fmt::format("{}: {} of {} threads", phase, done, total));
  };
  const auto report = report_stacks(tracer, **target, options);
  output.progress("");
  if (!report)
    return std::unexpected(report.error());
  switch (request.format) {
  case Format::json:
    write_stacks_json(output, *report);
    break;
  case Format::folded:
    write_stacks_folded(output, *report);
    break;
  case Format::text:
    write_stacks_text(output, *report, request.text);
    break;
  }
  output.flush();
  if (request.format != Format::json)
    for (const std::string &warning : report->warnings)
      output.warning(warning);
  if (request.statistics)
    write_statistics(*report, start);
  return {};
}

struct FileCloser {
  void operator()(std::FILE *file) const { std::fclose(file); }
};

Result<ExitStatus> run(CommandContext &context) {
  auto request = read_request(context.arguments);
  if (!request)
    return std::unexpected(request.error());
  std::unique_ptr<std::FILE, FileCloser> file;
  if (const auto path = context.arguments.value("-o")) {
    file.reset(std::fopen(path->c_str(), "we"));
    if (!file)
      return std::unexpected(Error::from_errno(errno, fmt::format("writing to {}", *path)));
    context.output.redirect(file.get());
  }
  Tracer tracer;
  ExitStatus status = ExitStatus::success;
  for (const pid_t process : request->processes) {
    if (auto done = dump_one(tracer, process, *request, context.output); !done) {
      context.output.error(done.error());
      if (status == ExitStatus::success)
        status = exit_status(done.error());
    }
  }
  context.output.flush();
  if (file)
    context.output.redirect(stdout);
  return status;
}

} // namespace

CommandSpec make_stacks_command() {
  CommandSpec spec;
  spec.name = "stacks";
  spec.summary = "Show what every thread of a process is doing";
  spec.help =
      "Stops the process for the milliseconds it takes to copy its stacks, lets it go, then unwinds and prints them. "
      "Threads with the same stack are shown once. Functions, files, lines and inlined calls come from the debug "
      "information where there is some, else from the symbol table.\n\n"
      "Several process ids may be given, as in `inspect stacks $(pidof nginx)`.";
  spec.positionals = {{"PID", "process id", true, true}};
  spec.options = {
      {"--threads", "", "", "the stacks of threads, which is the default", false},
      {"--no-group", "", "", "show every thread by itself", false},
      {"--depth", "", "N", "at most N frames per stack; inlined calls are not counted", false},
      {"--format", "", "text|json|folded", "text for eyes, JSON, or folded stacks for flame graphs", false},
      {"--json", "", "", "short for --format json", false},
      {"-o", "", "FILE", "write to FILE", false},
      {"--stopped", "", "", "hold the process until everything has been read, for an exact picture", false},
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
