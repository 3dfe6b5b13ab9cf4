#include "commands/cli/command_spec.h"
#include "commands/session/session.h"

#include <cerrno>
#include <fmt/format.h>

namespace inspect {
namespace {

/// Ends the transcript; what could not be written to it is said here, at last.
Result<void> end_transcript(CommandContext &context) {
  context.output.set_transcript(nullptr);
  context.output.set_quiet(false);
  std::FILE *file = std::exchange(context.session->dialogue.transcript, nullptr);
  if (file == nullptr)
    return {};
  const bool failed = std::ferror(file) != 0;
  if (std::fclose(file) != 0 || failed)
    return std::unexpected(Error::from_errno(errno != 0 ? errno : EIO, "writing the transcript"));
  return {};
}

Result<ExitStatus> run_transcript(CommandContext &context) {
  const auto &positional = context.arguments.positional();
  const bool off = context.arguments.has("-off");
  if (off == !positional.empty())
    return std::unexpected(Error(ErrorKind::usage, "transcript needs either a file or -off", "help transcript"));
  if (auto ended = end_transcript(context); !ended)
    return std::unexpected(ended.error());
  if (off)
    return ExitStatus::success;
  const std::string &path = positional.front();
  std::FILE *file = std::fopen(path.c_str(), context.arguments.has("-t") ? "we" : "ae");
  if (file == nullptr)
    return std::unexpected(Error::from_errno(errno, fmt::format("opening {}", path)));
  context.session->dialogue.transcript = file;
  context.output.set_transcript(file);
  context.output.set_quiet(context.arguments.has("-x"));
  return ExitStatus::success;
}

} // namespace

CommandSpec make_transcript_command() {
  CommandSpec spec;
  spec.name = "transcript";
  spec.summary = "Copy what is typed and printed to a file";
  spec.help = "It is appended to the file, without colours, until transcript -off or the end of the session.";
  spec.options = {{.name = "-t", .help = "empty the file first"},
                  {.name = "-x", .help = "print to the file only"},
                  {.name = "-off", .help = "end the transcript"}};
  spec.positionals = {{.name = "FILE", .help = "the file"}};
  spec.completion = CompletionKind::file;
  spec.in_session = true;
  spec.works_after_end = true;
  spec.run = run_transcript;
  return spec;
}

} // namespace inspect
