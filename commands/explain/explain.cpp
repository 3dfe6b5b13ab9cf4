#include "commands/cli/command_spec.h"
#include "commands/explain/explanation_writers.h"
#include "inspector/explain/explanation.h"
#include "machine/file_descriptor.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace inspect {
namespace {

constexpr std::size_t max_text_size = std::size_t{1} << 30;

struct CrashText {
  std::string source; ///< "crash.txt", "standard input"
  std::string text;
};

/// PowerShell writes what is redirected to a file as UTF-16.
std::string without_utf16(std::string &&text) {
  if (text.size() < 2 || text[0] != '\xff' || text[1] != '\xfe')
    return std::move(text);
  std::string narrow;
  narrow.reserve(text.size() / 2);
  for (std::size_t i = 2; i + 1 < text.size(); i += 2)
    narrow += text[i + 1] == '\0' ? text[i] : '?';
  return narrow;
}

Result<std::string> read_all(int descriptor, std::string_view source) {
  std::string text;
  std::array<char, 1 << 16> part;
  for (;;) {
    const ssize_t count = ::read(descriptor, part.data(), part.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return std::unexpected(Error::from_errno(errno, fmt::format("reading {}", source)));
    if (count == 0)
      return without_utf16(std::move(text));
    if (text.size() + static_cast<std::size_t>(count) > max_text_size)
      return std::unexpected(Error(ErrorKind::unsupported, fmt::format("{} has more than 1 GiB", source),
                                   "cut out the crash, from \"panic:\" or \"goroutine\" on"));
    text.append(part.data(), static_cast<std::size_t>(count));
  }
}

Result<CrashText> read_text(const std::vector<std::string> &positional) {
  const bool standard_input = positional.empty() || positional.front() == "-";
  CrashText result;
  result.source = standard_input ? "standard input" : positional.front();
  if (positional.empty() && ::isatty(STDIN_FILENO) == 1)
    return std::unexpected(
        Error(ErrorKind::usage, "there is no text to explain",
              "inspect explain crash.txt, or PROGRAM 2>&1 | inspect explain; `-` reads what you type"));
  FileDescriptor file;
  if (!standard_input) {
    file = FileDescriptor(::open(positional.front().c_str(), O_RDONLY | O_CLOEXEC));
    if (!file)
      return std::unexpected(Error::from_errno(errno, fmt::format("opening {}", positional.front())));
  }
  auto text = read_all(standard_input ? STDIN_FILENO : file.get(), result.source);
  if (!text)
    return std::unexpected(text.error());
  result.text = std::move(*text);
  return result;
}

Result<ExitStatus> run(CommandContext &context) {
  const ParsedArguments &arguments = context.arguments;
  auto text = read_text(arguments.positional());
  if (!text)
    return std::unexpected(text.error());
  ExplainOptions options;
  options.executable = arguments.value("--exe").value_or("");
  options.declarations = arguments.values("--decl");
  options.group = !arguments.has("--no-group");
  const auto explanation = explain_text(text->text, options);
  if (!explanation && explanation.error().kind() == ErrorKind::not_found && options.executable.empty())
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("no Go traceback found in {}", text->source),
                                 explanation.error().remedy()));
  if (!explanation)
    return std::unexpected(explanation.error());
  if (arguments.has("--json"))
    write_explanation_json(context.output, *explanation, text->source, options.executable);
  else
    write_explanation_text(context.output, *explanation, text->source);
  return ExitStatus::success;
}

} // namespace

CommandSpec make_explain_command() {
  CommandSpec spec;
  spec.name = "explain";
  spec.summary = "Say what a Go crash text or a dump of goroutines means";
  spec.help =
      "Reads what a Go program prints when it crashes, or the stacks that SIGQUIT, debug.Stack or "
      "/debug/pprof/goroutine?debug=2 give, from FILE or standard input, with or without a logger's prefixes; says "
      "what "
      "happened, where and why, what the argument words of the calls mean, which goroutines are alike and which wait "
      "for which.\n\n"
      "With the binary (--exe) or with declarations (--decl) words get names, types and values; without, their shape "
      "is all "
      "there is. Whether text and binary belong together is checked. Several declarations and the types they need may "
      "be "
      "given, as in `inspect explain crash.txt --decl 'func (p *T) f(a []string) error' --decl 'type T struct { a, b "
      "int }'`.";
  spec.positionals = {{"FILE", "the text; `-` or nothing: standard input", false, false}};
  spec.options = {
      {"--exe", "", "PATH", "the binary that crashed", false},
      {"--decl", "", "SIGNATURE", "a function's declaration as in its source, or a type's", true},
      {"--no-group", "", "", "show every goroutine by itself, in the order of the text", false},
      {"--json", "", "", "for programs", false},
  };
  spec.completion = CompletionKind::file;
  spec.on_command_line = true;
  spec.run = run;
  return spec;
}

} // namespace inspect
