#include "commands/cli/command_spec.h"
#include "commands/explain/explanation_writers.h"
#include "inspector/explain/explanation.h"
#include "machine/file_descriptor.h"

#include <algorithm>
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

constexpr std::size_t looked_at_for_encoding = 4096;

void append_code_point(std::string &into, std::uint32_t code) {
  if (code < 0x80) {
    into += static_cast<char>(code);
    return;
  }
  int continuation = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr std::array<unsigned, 4> lead = {0, 0xc0, 0xe0, 0xf0};
  into += static_cast<char>(lead[static_cast<std::size_t>(continuation)] | (code >> (6 * continuation)));
  while (continuation-- > 0)
    into += static_cast<char>(0x80 | ((code >> (6 * continuation)) & 0x3f));
}

/// PowerShell writes what is redirected to a file as UTF-16, with a byte order mark or, in a pipe, without: then every
/// second byte is zero.
std::string without_utf16(std::string &&text) {
  bool big_endian = text.starts_with("\xfe\xff");
  std::size_t at = big_endian || text.starts_with("\xff\xfe") ? 2 : 0;
  if (at == 0) {
    const std::string_view begin = std::string_view(text).substr(0, looked_at_for_encoding);
    std::array<std::size_t, 2> zeros{};
    for (std::size_t i = 0; i < begin.size(); ++i)
      zeros[i % 2] += begin[i] == '\0' ? 1 : 0;
    if (std::max(zeros[0], zeros[1]) * 4 < begin.size() || begin.size() < 2)
      return std::move(text);
    big_endian = zeros[0] > zeros[1];
  }
  const auto unit = [&](std::size_t i) {
    const auto first = static_cast<unsigned char>(text[i]), second = static_cast<unsigned char>(text[i + 1]);
    return static_cast<std::uint32_t>(big_endian ? first << 8 | second : second << 8 | first);
  };
  std::string narrow;
  narrow.reserve(text.size() / 2);
  for (; at + 1 < text.size(); at += 2) {
    std::uint32_t code = unit(at);
    if (code >= 0xd800 && code < 0xdc00 && at + 3 < text.size()) {
      code = 0x10000 + ((code - 0xd800) << 10) + (unit(at + 2) & 0x3ff);
      at += 2;
    }
    append_code_point(narrow, code);
  }
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
    return std::unexpected(
        Error(ErrorKind::not_found,
              fmt::format("no Go traceback found in {}: {}", text->source, escape(explanation.error().message())),
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
      "/debug/pprof/goroutine (debug=1, debug=2) give, from FILE or standard input, in whatever a logger or collector "
      "put them into; says what happened, where and why, what the argument words of the calls mean, which goroutines "
      "are alike and which wait "
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
