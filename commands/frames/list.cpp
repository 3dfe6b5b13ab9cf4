#include "commands/cli/command_spec.h"
#include "commands/cli/typed_text.h"
#include "commands/session/session.h"
#include "commands/stacks/frame_text.h"
#include "inspector/scope/symbol_search.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

namespace inspect {
namespace {

struct Place {
  std::string file;
  int line = 0;
  int marked = 0;
};

Result<Place> place_of_frame(Selection &selection) {
  const auto frame = selection.report_frame();
  if (!frame)
    return std::unexpected(frame.error());
  if ((*frame)->file.empty() || (*frame)->line <= 0)
    return std::unexpected(Error(ErrorKind::not_found,
                                 fmt::format("no source line is known for frame {}", selection.frame_index()),
                                 "disassemble, or install the debug information of its module (libraries)"));
  return Place{std::string((*frame)->file), (*frame)->line, (*frame)->line};
}

std::optional<int> line_number(std::string_view text) {
  const auto number = parse_number(text);
  if (!number || *number == 0 || *number > static_cast<std::uint64_t>(std::numeric_limits<int>::max() - 10'000))
    return std::nullopt;
  return static_cast<int>(*number);
}

/// The source file meant by a path or by its last parts ("server.cpp", "net/server.cpp").
Result<std::string> complete_path(Session &session, const std::string &name) {
  if (name.starts_with('/'))
    return name;
  // The selected frame's own file is the likeliest, and costs no walk over all units.
  if (const auto frame = session.selection.report_frame(); frame && std::string((*frame)->file).ends_with("/" + name))
    return std::string((*frame)->file);
  const auto files = source_files(session.target(), session.cancellation());
  if (!files)
    return std::unexpected(files.error());
  for (const std::string &file : *files) {
    if (file == name || file.ends_with("/" + name))
      return file;
  }
  return std::unexpected(Error(ErrorKind::not_found, fmt::format("no source file is named {}", name), "sources"));
}

Result<Place> place_of_function(Session &session, const std::string &name) {
  const auto symbol = find_symbol(session.target(), name, session.cancellation());
  if (!symbol)
    return std::unexpected(symbol.error());
  const Symbolized &where = session.target().symbolizer().at(symbol->address);
  if (where.frames.empty() || where.frames.back().file.empty())
    return std::unexpected(Error(ErrorKind::not_found, fmt::format("no source line is known for {}", name),
                                 fmt::format("disassemble -l {}", name)));
  return Place{std::string(where.frames.back().file), where.frames.back().line, 0};
}

Result<Place> wanted_place(CommandContext &context) {
  Session &session = *context.session;
  const auto &positional = context.arguments.positional();
  if (positional.empty())
    return place_of_frame(session.selection);
  const std::string text = fmt::format("{}", fmt::join(positional, " "));
  if (const auto line = line_number(text)) {
    auto place = place_of_frame(session.selection);
    if (place)
      place->line = *line;
    return place;
  }
  const std::size_t colon = text.rfind(':');
  const auto line = colon == std::string::npos ? std::nullopt : line_number(text.substr(colon + 1));
  if (!line)
    return place_of_function(session, text);
  const auto file = complete_path(session, text.substr(0, colon));
  if (!file)
    return std::unexpected(file.error());
  return Place{*file, *line, 0};
}

Result<ExitStatus> run_list(CommandContext &context) {
  const auto place = wanted_place(context);
  if (!place)
    return std::unexpected(place.error());
  const int around = static_cast<int>(
      std::min<std::size_t>(context.session->dialogue.settings.number("source-list-line-count"), 5'000));
  const std::string heading =
      context.output.styled(Style::location, fmt::format("{}:{}", shown_path(place->file), place->line)) + "\n";
  const SourceLines lines{place->file, std::max(1, place->line - around), place->line + around, place->marked, heading};
  if (auto written = write_source(context.output, context.session->target(), lines); !written)
    return std::unexpected(written.error());
  return ExitStatus::success;
}

} // namespace

CommandSpec make_list_command() {
  CommandSpec spec;
  spec.name = "list";
  spec.aliases = {"l"};
  spec.summary = "Show source text around the selected frame, a line, or a function";
  spec.help = "Without an argument: around the selected frame's line, which is marked. A file may be named by the last "
              "parts of its path. It is read where the target sees it (in its container), with the rights of the "
              "target's user, and only if it is a source file by its name and content.";
  spec.positionals = {{.name = "FILE:LINE | FUNCTION | LINE", .help = "where", .repeatable = true}};
  spec.completion = CompletionKind::symbol;
  spec.in_session = true;
  spec.run = run_list;
  return spec;
}

} // namespace inspect
