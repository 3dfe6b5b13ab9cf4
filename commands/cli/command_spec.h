// One table of commands. A command is one file that makes one CommandSpec; the command line, the REPL, `help`, shell
// completion and the manual page are all made from it.
//
// To add a command: write commands/<name>.cpp with `CommandSpec make_<name>_command()`, and add that one line to
// command_table.cpp.
#pragma once

#include "commands/cli/output.h"
#include "machine/error.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

class Session; // commands/session/session.h: the attached process of a REPL

enum class ExitStatus : int { success = 0, failure = 1, usage = 2, no_such_process = 3, not_permitted = 4 };

/// The exit status an error leads to (design: contract of the command line).
ExitStatus exit_status(const Error &error);

struct OptionSpec {
  std::string name;            ///< "--sort", "-e", or dlv's "-fmt"
  std::string short_name = {}; ///< "-o", or empty
  /// Placeholder of its value ("FILE", "rss|vsz|cpu"); empty: a switch. `a|b|c` are its only choices.
  std::string value = {};
  std::string help = {}; ///< one line
  bool repeatable = false;
};

struct PositionalSpec {
  std::string name; ///< "PID", "PATTERN"
  std::string help = {};
  bool required = false;
  bool repeatable = false;
  bool only_on_command_line = false; ///< a session has it already: the process
};

/// The words of one invocation after parsing against the spec.
class ParsedArguments {
public:
  bool has(std::string_view option) const;                         ///< by its name, with dashes
  std::optional<std::string> value(std::string_view option) const; ///< the last one given
  std::vector<std::string> values(std::string_view option) const;
  const std::vector<std::string> &positional() const { return positional_; }

  struct Given {
    std::string option;
    std::string value;
  };
  std::vector<Given> given_;
  std::vector<std::string> positional_;
};

/// What a command runs with.
struct CommandContext {
  Output &output;
  const ParsedArguments &arguments;
  Session *session = nullptr; ///< null on the command line
};

enum class CompletionKind { none, process, thread, goroutine, symbol, expression, file, command, config_key };

struct CommandSpec {
  std::string name;
  std::vector<std::string> aliases;
  std::string summary; ///< one line, no full stop
  std::string help;    ///< paragraphs for `help NAME` and the manual page
  std::vector<OptionSpec> options;
  std::vector<PositionalSpec> positionals;
  CompletionKind completion = CompletionKind::none; ///< of its positionals
  bool on_command_line = false;
  bool in_session = false;
  bool works_after_end = false; ///< in a session whose process has ended, too (help, exit, config …)
  /// Session commands with an expression-like tail (`set 0x10 = 5`, `x -fmt hex 0x10`): everything is still split at
  /// blanks, honouring quotes.
  std::function<Result<ExitStatus>(CommandContext &)> run;
  /// Not parsed against options at all: the raw words are the positionals (config, set, help …).
  bool raw_arguments = false;
  /// All that follows the name is one positional, as it was typed, blanks and quotes included: an expression. A format
  /// may follow the name at once (p/x).
  bool raw_line = false;
};

/// The command as it is typed in a session: without the arguments that a session has already.
CommandSpec as_in_session(CommandSpec spec);

/// Every command, in the order of the help.
std::span<const CommandSpec> command_table();
/// By name or alias; for sessions a unique prefix will do ("backt"), else ErrorKind::usage with near misses.
Result<const CommandSpec *> find_command(std::string_view name, bool in_session);

/// Splits a line at blanks; '…' and "…" group, a backslash escapes the next character. usage on an open quote.
Result<std::vector<std::string>> split_words(std::string_view line);
/// Options may stand before or after positionals, `--name=value` works, `--` ends options, dlv's single-dash long
/// options (-fmt hex) are declared as such ("-fmt"). Numbers like -5 are positionals.
Result<ParsedArguments> parse_arguments(const CommandSpec &spec, std::span<const std::string> words);

} // namespace inspect
