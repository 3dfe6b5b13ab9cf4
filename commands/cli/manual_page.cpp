// The manual page, in the macros of man(7).
#include "commands/cli/help_text.h"
#include "commands/cli/packaging.h"
#include "commands/cli/version.h"

#include <cctype>
#include <fmt/format.h>

namespace inspect {
namespace {

/// Text as roff reads it: backslashes and hyphens escaped (a bare hyphen becomes a typographic one, and nobody can copy
/// the option from the page).
std::string roff(std::string_view text) {
  std::string escaped;
  for (const char character : text) {
    if (character == '\\')
      escaped += "\\e";
    else if (character == '-')
      escaped += "\\-";
    else
      escaped += character;
  }
  if (escaped.starts_with('.') || escaped.starts_with('\''))
    escaped.insert(0, "\\&");
  return escaped;
}

/// Blank lines part paragraphs; lines that begin with a blank are examples and stay as they are.
std::string paragraphs(std::string_view text) {
  std::string result;
  bool example = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const bool indented = line.starts_with(' ');
    if (indented != example) {
      result += indented ? ".PP\n.EX\n" : ".EE\n";
      example = indented;
    }
    if (!line.empty())
      result += roff(line) + "\n";
    else if (!text.empty() && !text.starts_with(' ') && !text.starts_with('\n'))
      result += ".PP\n";
  }
  return example ? result + ".EE\n" : result;
}

std::string arguments_of(const CommandSpec &spec) {
  std::string text;
  for (const PositionalSpec &argument : spec.positionals)
    text += fmt::format(".TP\n.I {}\n{}\n", roff(argument.name), roff(argument.help));
  for (const OptionSpec &option : spec.options)
    text += fmt::format(".TP\n.B {}\n{}\n", roff(option_heading(option)), roff(option.help));
  return text;
}

std::string command_section(const CommandSpec &spec, bool in_session) {
  std::string text =
      fmt::format(".SS {}\n.B {}{}\n", roff(spec.name), in_session ? "" : "inspect ", roff(synopsis(spec)));
  if (in_session && !spec.aliases.empty())
    text += fmt::format(".PP\nAlso: {}.\n", roff(fmt::format("{}", fmt::join(spec.aliases, ", "))));
  text += fmt::format(".PP\n{}.\n", roff(spec.summary));
  if (!spec.help.empty())
    text += fmt::format(".PP\n{}", paragraphs(spec.help));
  return text + arguments_of(spec);
}

constexpr std::string_view exit_status_section = R"(.SH EXIT STATUS
.TP
.B 0
All that was asked for was printed.
.TP
.B 1
Something failed; standard error says what.
.TP
.B 2
Wrong usage.
.TP
.B 3
No such process.
.TP
.B 4
Not permitted; standard error names the missing right and what helps.
)";

constexpr std::string_view environment_section = R"(.SH ENVIRONMENT
.TP
.B NO_COLOR
When set and not empty, no colours are printed. They are printed on terminals only.
.TP
.B XDG_STATE_HOME
Sessions keep their history in
.IR $XDG_STATE_HOME/inspect/history ,
by default below
.IR \(ti/.local/state .
.TP
.B XDG_CACHE_HOME
Indexes of large debug information are kept in
.IR $XDG_CACHE_HOME/inspect ,
by default below
.IR \(ti/.cache ;
they may be deleted at any time.
.TP
.B DEBUGINFOD_URLS
The servers that
.B \-\-debuginfod
asks.
.TP
.B INSPECT_DWARFINDEX
Where the helper
.B inspect\-dwarfindex
is, if not beside the program or in
.IR ../libexec/inspect .
.SH SEE ALSO
.BR gdb (1),
.BR ps (1),
.BR ptrace (2),
.BR proc (5)
)";

} // namespace

std::string manual_page() {
  std::string page =
      fmt::format(".TH INSPECT 1 \"\" \"inspect {}\" \"User Commands\"\n.nh\n.ad l\n", program_version());
  page += ".SH NAME\ninspect \\- look into running processes and leave them as they were\n.SH SYNOPSIS\n";
  for (const CommandSpec &spec : command_table()) {
    if (spec.on_command_line)
      page += fmt::format(".B inspect {}\n.br\n", roff(synopsis(spec)));
  }
  page +=
      ".B inspect \\-\\-version\n.SH DESCRIPTION\n"
      "Shows what every thread of a running program is doing: functions, files, lines and inlined calls, from its\n"
      "memory and its debug information. The target is stopped for milliseconds only, and runs on whatever becomes\n"
      "of this program.\n.SH COMMANDS\n";
  for (const CommandSpec &spec : command_table()) {
    if (spec.on_command_line)
      page += command_section(spec, false);
  }
  bool any = false;
  for (const CommandSpec &spec : command_table()) {
    if (!spec.in_session || spec.on_command_line)
      continue;
    if (!any)
      page += ".SH SESSION COMMANDS\nWhat can be typed in\n.BR \"inspect attach\" .\n";
    any = true;
    page += command_section(spec, true);
  }
  page += exit_status_section;
  page += environment_section;
  return page;
}

} // namespace inspect
