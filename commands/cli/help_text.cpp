#include "commands/cli/help_text.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::size_t text_width = 100;

/// Breaks a paragraph at blanks; lines that begin with a blank (examples) stay as they are.
std::string wrapped(std::string_view text, std::size_t indent) {
  const std::string margin(indent, ' ');
  std::string result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.starts_with(' ') && line.size() > text_width - indent) {
      const std::size_t blank = line.rfind(' ', text_width - indent);
      if (blank == std::string_view::npos)
        break;
      result += fmt::format("{}{}\n", margin, line.substr(0, blank));
      line.remove_prefix(blank + 1);
    }
    result += line.empty() ? "\n" : fmt::format("{}{}\n", margin, line);
  }
  return result;
}

struct Row {
  std::string left;
  std::string right;
};

/// Two columns; a left side that is too long has a line of its own.
std::string two_columns(const std::vector<Row> &rows) {
  constexpr std::size_t max_left_width = 26;
  std::size_t width = 0;
  for (const Row &row : rows) {
    if (row.left.size() <= max_left_width)
      width = std::max(width, row.left.size());
  }
  std::string text;
  for (const Row &row : rows) {
    if (row.right.empty())
      text += fmt::format("  {}\n", row.left);
    else if (row.left.size() > width)
      text += fmt::format("  {}\n  {:{}}  {}\n", row.left, "", width, row.right);
    else
      text += fmt::format("  {:{}}  {}\n", row.left, width, row.right);
  }
  return text;
}

} // namespace

std::vector<std::string> choices(const OptionSpec &option) {
  if (option.value.find('|') == std::string::npos)
    return {};
  std::vector<std::string> values;
  std::string_view rest = option.value;
  while (true) {
    const std::size_t bar = rest.find('|');
    values.emplace_back(rest.substr(0, bar));
    if (bar == std::string_view::npos)
      return values;
    rest.remove_prefix(bar + 1);
  }
}

std::string option_heading(const OptionSpec &option) {
  std::string heading = option.short_name.empty() ? option.name : fmt::format("{}, {}", option.short_name, option.name);
  if (!option.value.empty())
    heading += fmt::format(" {}", option.value);
  return heading;
}

std::string synopsis(const CommandSpec &spec) {
  std::string line = spec.name;
  const auto positional = [](const PositionalSpec &argument) {
    const std::string name = argument.name + (argument.repeatable ? "..." : "");
    return argument.required ? fmt::format(" {}", name) : fmt::format(" [{}]", name);
  };
  const auto option = [](const OptionSpec &one) {
    return fmt::format(" [{}{}{}]{}", one.name, one.value.empty() ? "" : " ", one.value, one.repeatable ? "..." : "");
  };
  // dlv's manner: single-dash options stand before the arguments, double-dash ones after.
  for (const OptionSpec &one : spec.options) {
    if (!one.name.starts_with("--") && one.name.size() > 2)
      line += option(one);
  }
  for (const PositionalSpec &argument : spec.positionals)
    line += positional(argument);
  for (const OptionSpec &one : spec.options) {
    if (one.name.starts_with("--") || one.name.size() <= 2)
      line += option(one);
  }
  return line;
}

std::string help_text(const CommandSpec &command, bool in_session) {
  const CommandSpec spec = in_session ? as_in_session(command) : command;
  std::string text = wrapped(fmt::format("{}{}", in_session ? "" : "inspect ", synopsis(spec)), 0);
  if (!spec.aliases.empty())
    text += fmt::format("also: {}\n", fmt::join(spec.aliases, ", "));
  text += fmt::format("\n{}.\n", spec.summary);
  if (!spec.help.empty())
    text += fmt::format("\n{}", wrapped(spec.help, 0));
  std::vector<Row> rows;
  rows.reserve(spec.positionals.size() + spec.options.size());
  for (const PositionalSpec &argument : spec.positionals)
    rows.push_back({argument.name, argument.help});
  for (const OptionSpec &option : spec.options)
    rows.push_back({option_heading(option), option.help});
  if (!rows.empty())
    text += fmt::format("\n{}", two_columns(rows));
  return text;
}

std::string command_list(bool in_session) {
  std::vector<Row> rows;
  for (const CommandSpec &spec : command_table()) {
    if (!(in_session ? spec.in_session : spec.on_command_line))
      continue;
    std::string names = spec.name;
    if (in_session && !spec.aliases.empty())
      names += fmt::format(", {}", fmt::join(spec.aliases, ", "));
    rows.push_back({std::move(names), spec.summary});
  }
  const std::string heading =
      in_session ? "Commands (any unique beginning of a name will do; an empty line repeats the last one):\n"
                 : "inspect COMMAND [ARGUMENTS]: looks into running processes and leaves them as they were.\n";
  const std::string tail = in_session
                               ? "help COMMAND says more about one.\n"
                               : "inspect help COMMAND says more about one; inspect --version names the version.\n";
  return fmt::format("{}\n{}\n{}", heading, two_columns(rows), tail);
}

std::string short_usage() {
  std::string text = "usage: inspect COMMAND [ARGUMENTS]\n";
  std::vector<Row> rows;
  for (const CommandSpec &spec : command_table()) {
    if (spec.on_command_line)
      rows.push_back({spec.name, spec.summary});
  }
  return text + two_columns(rows) + "inspect help COMMAND says more.\n";
}

} // namespace inspect
