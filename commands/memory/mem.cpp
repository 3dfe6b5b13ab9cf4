// `inspect mem`: where the memory of a process is.
#include "commands/cli/command_spec.h"
#include "commands/cli/locale.h"
#include "commands/cli/process_choice.h"
#include "commands/cli/typed_text.h"
#include "commands/memory/memory_writers.h"
#include "commands/session/session.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <thread>

namespace inspect {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double shortest_wait = 0.1; ///< seconds
constexpr double max_wait = 86'400;
/// How soon Ctrl-C ends a wait.
constexpr std::chrono::milliseconds wait_slice{50};
/// Ours is some ten kilobytes; arenas by the thousand make it larger.
constexpr std::size_t max_file_size = 64U << 20U;

struct MemRequest {
  std::optional<std::chrono::milliseconds> every; ///< --watch
  std::size_t looks = 1;                          ///< 0: until the process ends
  std::optional<MemoryFigures> since;
  bool json = false;
  bool stop = true;
  MemoryTextOptions text;
};

struct FileCloser {
  void operator()(std::FILE *file) const { std::fclose(file); }
};

Result<std::string> read_text_file(const std::string &path) {
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "re"));
  if (!file)
    return std::unexpected(Error::from_errno(errno, fmt::format("reading {}", path)));
  std::string text;
  std::array<char, 65536> buffer;
  for (std::size_t got = buffer.size(); got == buffer.size();) {
    got = std::fread(buffer.data(), 1, buffer.size(), file.get());
    text.append(buffer.data(), got);
    if (text.size() > max_file_size)
      return std::unexpected(
          Error(ErrorKind::corrupt, fmt::format("{} is too large for an output of mem --json", path)));
  }
  if (std::ferror(file.get()) != 0)
    return std::unexpected(Error::from_errno(errno, fmt::format("reading {}", path)));
  return text;
}

Result<std::chrono::milliseconds> parse_seconds(const std::string &text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || !(seconds >= shortest_wait) || !(seconds <= max_wait))
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("--watch takes seconds between 0.1 and 86400, not '{}'", text)));
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

Result<MemRequest> read_request(const ParsedArguments &arguments) {
  MemRequest request;
  request.json = arguments.has("--json");
  request.stop = !arguments.has("--no-stop");
  request.text.unicode = locale_is_utf8();
  if (const auto seconds = arguments.value("--watch")) {
    const auto every = parse_seconds(*seconds);
    if (!every)
      return std::unexpected(every.error());
    request.every = *every;
    request.looks = 0;
  }
  if (const auto count = arguments.value("--count")) {
    if (!request.every)
      return std::unexpected(Error(ErrorKind::usage, "--count goes with --watch", "mem PID --watch 5 --count 12"));
    const auto looks = parse_positive(*count, "--count");
    if (!looks)
      return std::unexpected(looks.error());
    request.looks = *looks;
  }
  if (const auto path = arguments.value("--since")) {
    const auto text = read_text_file(*path);
    if (!text)
      return std::unexpected(text.error());
    auto figures = read_memory_json(*text, *path);
    if (!figures)
      return std::unexpected(figures.error());
    request.since = std::move(*figures);
  }
  return request;
}

void write_warnings(Output &output, const MemoryReport &report) {
  output.flush();
  for (const std::string &warning : report.warnings)
    output.warning(warning);
}

/// One look after the other, each compared with the one before.
class Watch {
public:
  Watch(Output &output, MemoryReader &reader, const MemRequest &request, const Cancellation *cancellation)
      : output_(output), reader_(reader), request_(request), cancellation_(cancellation), before_(request.since) {}

  Result<ExitStatus> run(const MemoryReadOptions &options) {
    for (std::size_t look = 1;; ++look) {
      const auto report = reader_.read(options);
      output_.progress({});
      if (!report)
        return look > 1 && report.error().kind() == ErrorKind::no_such_process
                   ? ended(report.error())
                   : Result<ExitStatus>(std::unexpected(report.error()));
      if (auto written = write(*report, look); !written)
        return std::unexpected(written.error());
      if (report->refused)
        return std::unexpected(*report->refused);
      if (look == request_.looks || output_.failed())
        return ExitStatus::success;
      before_ = figures_of(*report);
      if (!wait())
        return std::unexpected(Error(ErrorKind::cancelled, "cancelled"));
    }
  }

private:
  Result<ExitStatus> ended(const Error &error) {
    if (!request_.json)
      output_.write(escape(error.message()) + "\n");
    return ExitStatus::success;
  }

  Result<void> write(const MemoryReport &report, std::size_t look) {
    std::optional<MemoryDifference> difference;
    if (before_) {
      auto compared = compare_memory(*before_, figures_of(report));
      if (!compared)
        return std::unexpected(compared.error());
      difference = std::move(*compared);
    }
    if (request_.json) {
      write_memory_json(output_, report, difference ? &*difference : nullptr, request_.every.has_value());
      output_.flush();
      return {};
    }
    if (look > 1)
      output_.write("\n");
    if (difference)
      write_memory_difference_text(output_, *difference, request_.text);
    else
      write_memory_text(output_, report, request_.text);
    // What every look would say is said once.
    if (report.warnings != warnings_)
      write_warnings(output_, report);
    warnings_ = report.warnings;
    output_.flush();
    return {};
  }

  /// False: Ctrl-C.
  bool wait() const {
    const auto until = Clock::now() + *request_.every;
    while (Clock::now() < until) {
      if (cancellation_ != nullptr && cancellation_->requested())
        return false;
      std::this_thread::sleep_for(std::min<Clock::duration>(wait_slice, until - Clock::now()));
    }
    return true;
  }

  Output &output_;
  MemoryReader &reader_;
  const MemRequest &request_;
  const Cancellation *cancellation_; ///< null: Ctrl-C ends the program
  std::optional<MemoryFigures> before_;
  std::vector<std::string> warnings_;
};

Result<ExitStatus> run_in_session(CommandContext &context, const MemRequest &request) {
  Session &session = *context.session;
  MemoryReader reader(session.target());
  return Watch(context.output, reader, request, &session.cancellation())
      .run({.stop = request.stop && !session.held() && session.stop_choice() != StopChoice::none,
            .held = session.held()});
}

Result<ExitStatus> run_mem(CommandContext &context) {
  const auto request = read_request(context.arguments);
  if (!request)
    return std::unexpected(request.error());
  if (context.session != nullptr)
    return run_in_session(context, *request);
  const auto process = chosen_process(context.arguments.positional().front());
  if (!process)
    return std::unexpected(process.error());
  context.output.progress(fmt::format("reading process {}", *process));
  TargetOptions target;
  target.debug_directories = context.arguments.values("--debug-directory");
  const auto reader = MemoryReader::open(*process, target);
  context.output.progress({});
  if (!reader)
    return std::unexpected(reader.error());
  return Watch(context.output, **reader, *request, nullptr).run({.stop = request->stop});
}

} // namespace

CommandSpec make_mem_command() {
  CommandSpec spec;
  spec.name = "mem";
  spec.summary = "Explain where the memory of a process is: totals, kinds, the allocators' statistics, findings";
  spec.help =
      "One screen in four parts: the totals with the control group's limit; what the memory is for, by kind, largest "
      "first; what the Go runtime and glibc's malloc know of their own memory, under the names of runtime.MemStats and "
      "mallinfo(3); and findings: sentences that hold for these figures, each with the knob or page behind it.\n\n"
      "The process is stopped only for the allocators' statistics, and only while they are copied; --no-stop leaves "
      "them out. "
      "Where it may not be stopped or read, what is left is shown, and what is missing is said.\n\n"
      "--watch looks again and again and shows what changed, until the process ends or Ctrl-C. --since compares with "
      "an "
      "earlier output of --json, in the manner of pprof -base.\n\n"
      "  inspect mem 4251 --json > before.json; …; inspect mem 4251 --since before.json";
  spec.options = {
      {.name = "--json", .help = "for programs: inspect.mem/1, see docs/json.md; with --watch one document a line"},
      {.name = "--watch", .value = "SECONDS", .help = "look again and again, and show what changed"},
      {.name = "--count", .value = "N", .help = "with --watch: N looks in all"},
      {.name = "--since", .value = "FILE", .help = "show what changed since an earlier output of --json"},
      {.name = "--no-stop", .help = "never stop the process: leaves the allocators' statistics out"},
      {.name = "--debug-directory",
       .value = "DIR",
       .help = "look for separate debug files here instead of /usr/lib/debug",
       .repeatable = true},
  };
  spec.positionals = {{.name = "PID",
                       .help = "the process, by its id or name; -p and --pid may stand in front",
                       .required = true,
                       .only_on_command_line = true}};
  spec.completion = CompletionKind::process;
  spec.on_command_line = true;
  spec.in_session = true;
  spec.run = run_mem;
  return spec;
}

} // namespace inspect
