// Completions for the command line, as the shells want them.
#include "commands/cli/help_text.h"
#include "commands/cli/packaging.h"

#include <fmt/format.h>

namespace inspect {
namespace {

/// For single quotes of a POSIX shell.
std::string in_quotes(std::string_view text) {
  std::string result = "'";
  for (const char character : text) {
    if (character == '\'')
      result += "'\\''";
    else
      result += character;
  }
  return result + "'";
}

std::vector<std::string> option_names(const CommandSpec &spec) {
  std::vector<std::string> names;
  for (const OptionSpec &option : spec.options) {
    names.push_back(option.name);
    if (!option.short_name.empty())
      names.push_back(option.short_name);
  }
  names.emplace_back("--help");
  return names;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const CommandSpec &spec : command_table()) {
    if (spec.on_command_line)
      names.push_back(spec.name);
  }
  return names;
}

bool takes_file(const OptionSpec &option) {
  return option.value == "FILE" || option.value == "PATH";
}

std::string bash_words(const std::vector<std::string> &words) {
  return fmt::format("mapfile -t COMPREPLY < <(compgen -W {} -- \"$current\")",
                     in_quotes(fmt::format("{}", fmt::join(words, " "))));
}

std::string bash_positionals(const CommandSpec &spec) {
  switch (spec.completion) {
  case CompletionKind::process:
    return "mapfile -t COMPREPLY < <(compgen -W \"$(ps -eo pid=)\" -- \"$current\")";
  case CompletionKind::file:
    return "mapfile -t COMPREPLY < <(compgen -f -- \"$current\")";
  case CompletionKind::command:
    return bash_words(command_names());
  case CompletionKind::none:
  case CompletionKind::thread:
  case CompletionKind::goroutine:
  case CompletionKind::symbol:
  case CompletionKind::expression:
  case CompletionKind::config_key:
    break;
  }
  return ":";
}

std::string bash_command(const CommandSpec &spec) {
  std::string text = fmt::format("  {})\n    case \"$previous\" in\n", spec.name);
  for (const OptionSpec &option : spec.options) {
    if (option.value.empty())
      continue;
    const std::string names = option.short_name.empty() ? option.name : option.name + "|" + option.short_name;
    const auto values = choices(option);
    const std::string complete = !values.empty()      ? bash_words(values)
                                 : takes_file(option) ? "mapfile -t COMPREPLY < <(compgen -f -- \"$current\")"
                                                      : ":";
    text += fmt::format("    {}) {}; return ;;\n", names, complete);
  }
  text += fmt::format("    esac\n    if [[ $current == -* ]]; then\n      {}\n    else\n      {}\n    fi\n    ;;\n",
                      bash_words(option_names(spec)), bash_positionals(spec));
  return text;
}

/// A description inside an _arguments specification: brackets and colons mean something there.
std::string zsh_text(std::string_view text) {
  std::string result;
  for (const char character : text) {
    if (character == '[' || character == ']' || character == ':' || character == '\\')
      result += '\\';
    result += character;
  }
  return result;
}

std::string zsh_option(const OptionSpec &option, std::string_view name) {
  std::string action;
  if (!option.value.empty()) {
    const auto values = choices(option);
    action = !values.empty()      ? fmt::format(":{}:({})", "value", fmt::join(values, " "))
             : takes_file(option) ? ":file:_files"
                                  : fmt::format(":{}: ", zsh_text(option.value));
  }
  return in_quotes(fmt::format("{}{}[{}]{}", option.repeatable ? "*" : "", name, zsh_text(option.help), action));
}

std::string_view zsh_positional(CompletionKind kind) {
  switch (kind) {
  case CompletionKind::process:
    return "*:process:_pids";
  case CompletionKind::file:
    return "*:file:_files";
  case CompletionKind::command:
    return "1:command:($commands_only)";
  case CompletionKind::none:
  case CompletionKind::thread:
  case CompletionKind::goroutine:
  case CompletionKind::symbol:
  case CompletionKind::expression:
  case CompletionKind::config_key:
    break;
  }
  return "*: : ";
}

} // namespace

std::string bash_completion() {
  std::string text = "# bash completion for inspect\n_inspect() {\n"
                     "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
                     "  COMPREPLY=()\n  if (( COMP_CWORD == 1 )); then\n";
  auto names = command_names();
  names.emplace_back("--version");
  names.emplace_back("--help");
  text += fmt::format("    {}\n    return\n  fi\n  case ${{COMP_WORDS[1]}} in\n", bash_words(names));
  for (const CommandSpec &spec : command_table()) {
    if (spec.on_command_line)
      text += bash_command(spec);
  }
  return text + "  esac\n}\ncomplete -o filenames -F _inspect inspect\n";
}

std::string zsh_completion() {
  std::string text = fmt::format("#compdef inspect\n_inspect() {{\n  local commands_only={}\n  local -a commands\n"
                                 "  commands=(\n",
                                 in_quotes(fmt::format("{}", fmt::join(command_names(), " "))));
  for (const CommandSpec &spec : command_table()) {
    if (spec.on_command_line)
      text += fmt::format("    {}\n", in_quotes(fmt::format("{}:{}", spec.name, zsh_text(spec.summary))));
  }
  text += "  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n"
          "  local chosen=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $chosen in\n";
  for (const CommandSpec &spec : command_table()) {
    if (!spec.on_command_line)
      continue;
    text += fmt::format("  {})\n    _arguments", spec.name);
    for (const OptionSpec &option : spec.options) {
      text += fmt::format(" \\\n      {}", zsh_option(option, option.name));
      if (!option.short_name.empty())
        text += fmt::format(" \\\n      {}", zsh_option(option, option.short_name));
    }
    const std::string_view positional = zsh_positional(spec.completion);
    const bool expands = positional.find('$') != std::string_view::npos;
    text += fmt::format(" \\\n      '--help[explain the command]' \\\n      {}\n    ;;\n",
                        expands ? fmt::format("\"{}\"", positional) : in_quotes(positional));
  }
  return text + "  esac\n}\n_inspect \"$@\"\n";
}

std::string fish_completion() {
  std::string text = "# fish completion for inspect\ncomplete -c inspect -f\n"
                     "complete -c inspect -n __fish_use_subcommand -l version -d 'Name the version'\n";
  for (const CommandSpec &spec : command_table()) {
    if (!spec.on_command_line)
      continue;
    text +=
        fmt::format("complete -c inspect -n __fish_use_subcommand -a {} -d {}\n", spec.name, in_quotes(spec.summary));
    const std::string seen = in_quotes("__fish_seen_subcommand_from " + spec.name);
    for (const OptionSpec &option : spec.options) {
      text += fmt::format("complete -c inspect -n {}", seen);
      for (const std::string &name : {option.name, option.short_name}) {
        if (!name.empty())
          text += name.starts_with("--") ? fmt::format(" -l {}", name.substr(2))
                  : name.size() == 2     ? fmt::format(" -s {}", name.substr(1))
                                         : fmt::format(" -o {}", name.substr(1));
      }
      const auto values = choices(option);
      if (!option.value.empty())
        text += takes_file(option) ? " -r -F"
                : values.empty()   ? " -x"
                                   : fmt::format(" -x -a {}", in_quotes(fmt::format("{}", fmt::join(values, " "))));
      text += fmt::format(" -d {}\n", in_quotes(option.help));
    }
    if (spec.completion == CompletionKind::process)
      text += fmt::format("complete -c inspect -n {} -a '(__fish_complete_pids)'\n", seen);
    else if (spec.completion == CompletionKind::file)
      text += fmt::format("complete -c inspect -n {} -F\n", seen);
    else if (spec.completion == CompletionKind::command)
      text += fmt::format("complete -c inspect -n {} -a {}\n", seen,
                          in_quotes(fmt::format("{}", fmt::join(command_names(), " "))));
  }
  return text;
}

ExitStatus generate_for_packaging(std::span<const std::string> words, Output &output) {
  const std::string what = words.empty() ? "" : words.front();
  if (what == "man")
    output.write(manual_page());
  else if (what == "bash")
    output.write(bash_completion());
  else if (what == "zsh")
    output.write(zsh_completion());
  else if (what == "fish")
    output.write(fish_completion());
  else {
    output.error("--generate takes one of man, bash, zsh, fish");
    return ExitStatus::usage;
  }
  return ExitStatus::success;
}

} // namespace inspect
