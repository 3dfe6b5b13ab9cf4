#include "commands/session/session_loop.h"

#include "commands/cli/command_line.h"
#include "commands/cli/typed_text.h"
#include "commands/session/interrupt.h"
#include "commands/session/line_editor.h"
#include "machine/cancellation_point.h"
#include "machine/thrown_error.h"

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <unistd.h>

namespace inspect {
namespace {

constexpr int max_source_nesting = 16;

/// A line of a stream, however long it is (within reason), without its end.
class LineReader {
public:
  explicit LineReader(std::FILE *stream) : stream_(stream) {}
  ~LineReader() { std::free(line_); }
  LineReader(const LineReader &) = delete;
  LineReader &operator=(const LineReader &) = delete;

  std::optional<std::string> next() {
    errno = 0;
    ssize_t length = -1;
    while ((length = ::getline(&line_, &capacity_, stream_)) < 0) {
      // Ctrl-C interrupts the read; the stream itself is as before.
      if (errno != EINTR || std::feof(stream_) != 0)
        return std::nullopt;
      std::clearerr(stream_);
    }
    std::string text(line_, static_cast<std::size_t>(length));
    while (text.ends_with('\n') || text.ends_with('\r'))
      text.pop_back();
    return text;
  }

private:
  std::FILE *stream_;
  char *line_ = nullptr;
  std::size_t capacity_ = 0;
};

/// gdb's "x/8gx ADDRESS": the format becomes a word of its own.
void part_gdb_format(std::vector<std::string> &words) {
  const std::size_t slash = words.front().find('/');
  if (slash == std::string::npos || slash == 0)
    return;
  const std::string command = words.front().substr(0, slash);
  if (command != "x" && command != "examinemem")
    return;
  words.insert(words.begin() + 1, words.front().substr(slash));
  words.front() = command;
}

/// The command whose argument is all that follows its name: "p/x a[0]", "set s = \"a b\"". Null where it is none.
const CommandSpec *raw_line_command(std::string_view line, std::vector<std::string> &words) {
  const std::size_t begin = line.find_first_not_of(" \t");
  std::size_t end = begin;
  while (end < line.size() && std::isalpha(static_cast<unsigned char>(line[end])) != 0)
    ++end;
  if (end == begin)
    return nullptr;
  const auto command = find_command(line.substr(begin, end - begin), true);
  if (!command || !(*command)->raw_line)
    return nullptr;
  words = {std::string(line.substr(begin, end - begin))};
  if (const std::string_view rest = trimmed(line.substr(end)); !rest.empty())
    words.emplace_back(rest);
  return *command;
}

bool asks_for_help(const CommandSpec &spec, std::span<const std::string> words) {
  return (!spec.raw_arguments || spec.raw_line) && words.size() == 1 && words.front() == "--help";
}

std::string stripped(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string() : std::string(line.substr(begin));
}

ExitStatus report(Output &output, const Error &error) {
  output.error(error);
  return exit_status(error);
}

ExitStatus report_end(Session &session, Output &output) {
  session.let_go();
  return report(output, Error(ErrorKind::no_such_process, fmt::format("process {} has ended", session.process())));
}

ExitStatus read_plainly(Session &session, Output &output) {
  LineReader reader(stdin);
  ExitStatus status = ExitStatus::success;
  while (!session.dialogue.leave) {
    const auto line = reader.next();
    if (!line)
      break;
    session.cancellation().clear();
    output.note_in_transcript(fmt::format("{}{}\n", prompt(session), *line));
    status = both(status, run_line(session, output, *line));
    output.flush();
    if (output.failed())
      break;
  }
  return status;
}

ExitStatus read_with_editor(Session &session, Output &output) {
  LineEditor editor(session, output);
  std::string last;
  while (!session.dialogue.leave && !output.failed()) {
    session.cancellation().clear();
    const auto typed = editor.read(prompt(session));
    if (!typed)
      break;
    // An empty line runs the last command again, as in gdb and dlv.
    const std::string line = stripped(*typed).empty() ? last : *typed;
    session.cancellation().clear();
    output.note_in_transcript(fmt::format("{}{}\n", prompt(session), line));
    run_line(session, output, line);
    output.flush();
    last = line;
  }
  return ExitStatus::success;
}

} // namespace

std::string prompt(const Session &session) {
  return fmt::format("(inspect {} {}) ", session.process(),
                     session.target_ended() ? "ended"
                     : session.held()       ? "held"
                                            : "running");
}

ExitStatus run_line(Session &session, Output &output, std::string_view line) {
  if (stripped(line).empty() || stripped(line).starts_with('#'))
    return ExitStatus::success;
  std::vector<std::string> raw_words;
  const CommandSpec *raw = raw_line_command(line, raw_words);
  auto words = raw != nullptr ? Result<std::vector<std::string>>(raw_words) : split_words(line);
  if (!words)
    return report(output, words.error());
  if (raw == nullptr)
    part_gdb_format(*words);
  const auto command = find_command(words->front(), true);
  if (!command)
    return report(output, command.error());
  const InterruptibleCommand running;
  const CancellationScope scope(&session.cancellation());
  const std::span arguments = std::span(*words).subspan(1);
  if (asks_for_help(**command, arguments))
    return run_line(session, output, "help " + (*command)->name);
  if ((*command)->works_after_end)
    return run_command(**command, arguments, output, &session);
  if (session.target_ended())
    return report_end(session, output);
  if (const auto followed = caught([&] { return session.follow_target(); }); !followed)
    return session.target_ended() ? report_end(session, output) : report(output, followed.error());
  // No command hangs in memory that nobody delivers. Where no process can be started for it, it is read as it is.
  const auto limited = session.target().memory().limit_reads(LiveMemory::command_patience);
  const bool held = session.held();
  const auto done = try_command(**command, arguments, output, &session);
  for (const std::string &warning : session.evaluator.take_warnings())
    output.warning(warning);
  // Killed meanwhile: then that is why the command failed, and what it printed of a held target may be cut short.
  const bool succeeded = done && *done == ExitStatus::success;
  if ((held || !succeeded) && session.target_ended())
    return report_end(session, output);
  return done ? *done : report(output, done.error());
}

ExitStatus both(ExitStatus first, ExitStatus second) {
  if (first == ExitStatus::no_such_process || second == ExitStatus::no_such_process)
    return ExitStatus::no_such_process;
  return first == ExitStatus::success && second == ExitStatus::success ? ExitStatus::success : ExitStatus::failure;
}

Result<ExitStatus> run_file(Session &session, Output &output, const std::string &path) {
  if (session.dialogue.source_depth >= max_source_nesting)
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("{} is sourced too deeply; does it source itself?", path)));
  const std::unique_ptr<std::FILE, int (*)(std::FILE *)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (!file)
    return std::unexpected(Error::from_errno(errno, fmt::format("opening {}", path)));
  ++session.dialogue.source_depth;
  const std::string outer_prefix = output.error_prefix();
  LineReader reader(file.get());
  ExitStatus status = ExitStatus::success;
  for (int number = 1; !session.dialogue.leave && !session.cancellation().requested(); ++number) {
    const auto line = reader.next();
    if (!line)
      break;
    output.set_error_prefix(fmt::format("{}:{}: ", path, number));
    status = both(status, run_line(session, output, *line));
  }
  output.set_error_prefix(outer_prefix);
  --session.dialogue.source_depth;
  if (std::ferror(file.get()) != 0)
    return std::unexpected(Error(ErrorKind::system, fmt::format("reading {} failed", path)));
  return status;
}

ExitStatus run_interactively(Session &session, Output &output) {
  return ::isatty(STDIN_FILENO) == 1 ? read_with_editor(session, output) : read_plainly(session, output);
}

} // namespace inspect
