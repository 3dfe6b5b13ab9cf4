#include "commands/stacks/frame_text.h"

#include "inspector/scope/source_text.h"
#include "inspector/scope/symbol_search.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <utility>

namespace inspect {
namespace {

/// Tabs of source text become blanks, since the line number shifts them; everything else that is not text is escaped.
std::string displayed(std::string_view line) {
  std::string result;
  for (std::string_view rest = line; !rest.empty();) {
    const std::size_t tab = std::min(rest.find('\t'), rest.size());
    result += escape(rest.substr(0, tab));
    if (tab < rest.size())
      result += "    ";
    rest.remove_prefix(std::min(tab + 1, rest.size()));
  }
  return result;
}

std::string function_name(const ReportFrame &frame, bool address_is_shown) {
  if (frame.signal)
    return "<signal handler called>";
  if (frame.function.empty())
    return address_is_shown ? "??" : fmt::format("{:#018x}", frame.pc.value);
  return escape(frame.function);
}

std::string location(const ReportFrame &frame) {
  if (!frame.file.empty()) {
    const std::string file = shown_path(frame.file);
    return frame.line > 0 ? fmt::format(" at {}:{}", file, frame.line) : fmt::format(" at {}", file);
  }
  if (frame.anonymous_code)
    return frame.function.empty() ? " in anonymous executable memory (JIT code?)"
                                  : fmt::format("+{:#x} in JIT code", frame.offset);
  if (frame.module.empty())
    return " in no known module";
  if (frame.function.empty() || frame.inlined || frame.signal)
    return fmt::format(" in {}", escape(frame.module));
  return fmt::format("+{:#x} in {}", frame.offset, escape(frame.module));
}

} // namespace

std::string shown_path(std::string_view path) {
  return escape(std::filesystem::path(path).lexically_normal().string());
}

std::string frame_line(const Output &output, std::size_t number, const ReportFrame &frame, bool with_address,
                       std::string_view arguments) {
  std::string line = fmt::format("{:<3} ", fmt::format("#{}", number));
  if (with_address)
    line += output.styled(Style::dim, fmt::format("{:#018x} ", frame.pc.value));
  // "handle(Request&)" has the types already; what was passed says more.
  const bool native_arguments = !arguments.empty() && !frame.go;
  ReportFrame named = frame;
  if (native_arguments)
    named.function = without_parameters(frame.function);
  line += output.styled(Style::function, function_name(named, with_address));
  line += arguments;
  line += output.styled(Style::location, location(frame));
  if (frame.inlined)
    line += output.styled(Style::dim, " (inlined)");
  if (frame.tail_call)
    line += output.styled(Style::dim, " (tail call)");
  if (frame.guessed)
    line += output.styled(Style::warning, " (guessed)");
  return line + "\n";
}

Result<void> write_selected_frame(Output &output, Target &target, Selection &selection) {
  const auto frame = selection.report_frame();
  if (!frame)
    return std::unexpected(frame.error());
  output.write(frame_line(output, selection.frame_index(), **frame, true));
  // The line is a courtesy: where the sources are not at hand the frame alone is the answer.
  if (!(*frame)->file.empty() && (*frame)->line > 0)
    (void)write_source(output, target,
                       {std::string((*frame)->file), (*frame)->line, (*frame)->line, (*frame)->line, std::string()});
  return {};
}

Result<void> write_source(Output &output, Target &target, const SourceLines &lines) {
  const auto text = read_source_text(target, lines.file);
  if (!text)
    return std::unexpected(text.error());
  int number = 0;
  bool printed = false;
  for (std::string_view rest = *text; !rest.empty() && number < lines.last;) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    ++number;
    if (number >= lines.first) {
      const bool marked = number == lines.marked;
      const std::string line =
          fmt::format("{} {:>5}: {}", marked ? "=>" : "  ", number, displayed(rest.substr(0, end)));
      if (!std::exchange(printed, true))
        output.write(lines.heading);
      output.write((marked ? output.styled(Style::heading, line) : line) + "\n");
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (!printed)
    return std::unexpected(
        Error(ErrorKind::not_found, fmt::format("{} has {} lines, not {}", lines.file, number, lines.first)));
  return {};
}

} // namespace inspect
