#include "commands/cli/command_line.h"

#include "commands/cli/help_text.h"
#include "commands/cli/packaging.h"
#include "commands/cli/version.h"
#include "machine/thrown_error.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <system_error>

namespace inspect {
namespace {

bool asks_for_help(std::span<const std::string> words) {
  for (const std::string &word : words) {
    if (word == "--")
      return false;
    if (word == "--help" || word == "-h")
      return true;
  }
  return false;
}

ExitStatus dispatch(std::span<const std::string> words, Output &output) {
  if (words.empty()) {
    std::fputs(short_usage().c_str(), stderr);
    return ExitStatus::usage;
  }
  const std::string &name = words.front();
  if (name == "--version" || name == "-V" || name == "version") {
    output.write(version_text());
    return ExitStatus::success;
  }
  if (name == "--help" || name == "-h") {
    output.write(command_list(false));
    return ExitStatus::success;
  }
  if (name == "--generate")
    return generate_for_packaging(words.subspan(1), output);
  if (name.starts_with('-')) {
    output.error(Error(ErrorKind::usage,
                       fmt::format("{} is not an option of inspect itself; a command comes first", name),
                       "inspect help"));
    return ExitStatus::usage;
  }
  const auto command = find_command(name, false);
  if (!command) {
    output.error(command.error());
    return exit_status(command.error());
  }
  if (asks_for_help(words.subspan(1))) {
    output.write(help_text(**command, false));
    return ExitStatus::success;
  }
  return run_command(**command, words.subspan(1), output, nullptr);
}

} // namespace

Result<ExitStatus> try_command(const CommandSpec &spec, std::span<const std::string> words, Output &output,
                               Session *session) {
  const auto arguments = parse_arguments(session != nullptr ? as_in_session(spec) : spec, words);
  if (!arguments) {
    // The parser's remedies are commands as a session takes them.
    const Error &error = arguments.error();
    const bool in_shell = session == nullptr && !error.remedy().empty();
    return std::unexpected(in_shell ? Error(error.kind(), error.message(), "inspect " + error.remedy()) : error);
  }
  CommandContext context{output, *arguments, session};
  output.progress({}); // the wait that may be shown begins here
  auto done = caught([&] { return spec.run(context); });
  output.progress({});
  return done;
}

ExitStatus run_command(const CommandSpec &spec, std::span<const std::string> words, Output &output, Session *session) {
  const auto done = try_command(spec, words, output, session);
  if (done)
    return *done;
  output.error(done.error());
  return exit_status(done.error());
}

int run_command_line(std::span<const std::string> words, Output &output) {
  const ExitStatus status = dispatch(words, output);
  output.flush();
  if (!output.failed())
    return static_cast<int>(status);
  // Whoever closed the pipe (head, less) has seen enough and needs no message.
  if (output.write_error() != EPIPE)
    output.error(fmt::format("writing the output: {}", std::generic_category().message(output.write_error())));
  return static_cast<int>(status == ExitStatus::success ? ExitStatus::failure : status);
}

} // namespace inspect
