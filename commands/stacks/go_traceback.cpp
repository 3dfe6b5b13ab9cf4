// The Go runtime's own traceback text, so that whatever reads a Go crash reads this: goroutines as runtime.Stack(buf,
// true) and SIGQUIT print them, frame for frame, but without the limit of 100 frames.
//
// Threads have no form of their own in it, so they take that of a goroutine. Readers expect a frame's file to end in
// .c, .go or .s, or to be "??"; and a '/' in a function's name to be followed by a '.' (panicparse, stack/context.go
// and stack/stack.go, v2.5.0). The file or module of other code therefore stands behind the function's name.
//
// Source: runtime/traceback.go, goroutineheader, traceback2, printcreatedby, Go 1.16 to 1.27.
#include "commands/stacks/stack_writers.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::string_view no_stack = "\tgoroutine running on other thread; stack unavailable\n";
constexpr std::string_view stack_is_cut = "...additional frames elided...\n";

/// As the runtime says it since 1.21.
std::string elided_text(std::size_t frames) {
  return fmt::format("...{} frames elided...\n", frames);
}

std::string_view file_text(std::string_view file) {
  return file.empty() ? "??" : file;
}

/// What a panic looks like in a crash text.
std::string traceback_function(std::string_view function) {
  return function == "runtime.gopanic" ? "panic" : escape(function);
}

std::string go_arguments(const GoReport &report, const GoroutineReport &goroutine, const ReportFrame &frame) {
  if (frame.inlined)
    return "...";
  // Assembly without a description has empty parentheses (printArgs).
  if (frame.arguments == nullptr || !frame.arguments->known)
    return {};
  const auto words = report.words_of(goroutine, frame);
  return words ? argument_text(*frame.arguments, *words) : "...";
}

std::string go_frame(const ReportFrame &frame, const std::string &arguments) {
  std::string text = fmt::format("{}({})\n\t{}:{}", traceback_function(frame.function), arguments,
                                 escape(file_text(frame.file)), frame.line);
  if (!frame.inlined && frame.offset > 0)
    text += fmt::format(" +{:#x}", frame.offset);
  return text + "\n";
}

bool read_as_source(std::string_view file) {
  return file.ends_with(".c") || file.ends_with(".go") || file.ends_with(".s");
}

/// Readers take '/' for the end of an import path, and '%' for the start of an escaped byte, which names in C++ do not
/// mean; characters that look the same stand for them.
std::string native_function(const ReportFrame &frame) {
  std::string name;
  for (const char character : frame.function.empty() ? fmt::format("{:#x}", frame.pc.value) : escape(frame.function))
    name += character == '%' ? "\u066a" : character == '/' ? "\u2215" : std::string(1, character);
  if (read_as_source(frame.file))
    return name;
  const std::string where =
      frame.file.empty() ? std::string(frame.module) : std::filesystem::path(frame.file).filename().string();
  return where.empty() ? name : fmt::format("{} in {}", name, escape(where));
}

std::string native_frame(const ReportFrame &frame) {
  std::string text = fmt::format("{}(...)\n\t{}:{}", native_function(frame),
                                 read_as_source(frame.file) ? escape(frame.file) : "??", std::max(frame.line, 0));
  if (!frame.inlined && frame.offset > 0)
    text += fmt::format(" +{:#x}", frame.offset);
  return text + "\n";
}

/// The code point that a text begins with, and its bytes; beyond all code points, and one byte, where it is not UTF-8
/// (Unicode 15, table 3-7).
std::pair<std::uint32_t, std::size_t> first_rune(std::string_view text) {
  constexpr std::pair<std::uint32_t, std::size_t> none{0x110000, 1};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80)
    return {lead, 1};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length)
    return none;
  std::uint32_t value = lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80)
      return none;
    value = value << 6U | (byte(i) & 0x3fU);
  }
  const bool overlong = value < (length == 4 ? 0x10000U : length == 3 ? 0x800U : 0x80U);
  return overlong || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff) ? none : std::pair(value, length);
}

/// runtime/traceback.go, tracebackStringNeedsQuoting, and runtime/print.go, printquoted.
std::string label_text(std::string_view text) {
  const auto is_plain = [](char one) {
    return (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || (one >= '0' && one <= '9') || one == '.' ||
           one == '/' || one == '_';
  };
  if (std::ranges::all_of(text, is_plain))
    return std::string(text);
  std::string quoted;
  while (!text.empty()) {
    const auto [value, length] = first_rune(text);
    const auto byte = static_cast<unsigned char>(text.front());
    text.remove_prefix(length);
    if (value == '"' || value == '\\')
      quoted += {'\\', static_cast<char>(value)};
    else if (value == '\n' || value == '\r' || value == '\t')
      quoted += value == '\n' ? "\\n" : value == '\r' ? "\\r" : "\\t";
    else if (value >= ' ' && value <= '~')
      quoted += static_cast<char>(value);
    else if (value < 0x80 || value > 0x10ffff)
      quoted += fmt::format("\\x{:02x}", byte);
    else
      quoted += value < 0x10000 ? fmt::format("\\u{:04x}", value) : fmt::format("\\U{:08x}", value);
  }
  return fmt::format("\"{}\"", quoted);
}

/// Behind the brackets, since Go 1.27.
std::string labels_in_header(const GoReport &report, const GoroutineReport &goroutine) {
  const LabelSet &labels = report.label_sets[goroutine.labels];
  if (labels.empty() || !report.runtimes[goroutine.runtime].labels_in_traceback)
    return {};
  std::string text;
  for (const auto &[key, value] : labels)
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", label_text(key), label_text(value));
  return fmt::format(" {{{}}}", text);
}

std::string header(const GoReport &report, const GoroutineReport &goroutine) {
  const bool has_reason = goroutine.status == GoroutineStatus::waiting || goroutine.status == GoroutineStatus::leaked;
  std::string text = fmt::format(
      "goroutine {} [{}", goroutine.id,
      escape(has_reason && !goroutine.wait_reason.empty() ? goroutine.wait_reason : status_text(goroutine.status)));
  if (goroutine.status == GoroutineStatus::leaked)
    text += " (leaked)";
  if (goroutine.being_scanned)
    text += " (scan)";
  const bool waits = goroutine.status == GoroutineStatus::waiting || goroutine.status == GoroutineStatus::in_syscall;
  if (waits && goroutine.wait_minutes().value_or(0) >= 1)
    text += fmt::format(", {} minutes", *goroutine.wait_minutes());
  if (goroutine.locked_to_thread)
    text += ", locked to thread";
  if (report.runtimes.size() > 1)
    text += "," + escape(report.of_image(goroutine));
  if (goroutine.bubble != 0)
    text += fmt::format(", synctest bubble {}", goroutine.bubble);
  return text + "]" + labels_in_header(report, goroutine) + ":\n";
}

std::string created_by(const GoReport &report, const GoroutineReport &goroutine, bool internal) {
  const CreationSite &site = report.creations[goroutine.creation];
  const bool shown = internal || !site.hidden_in_traceback;
  if (site.function.empty() || !shown || goroutine.id == 1)
    return {};
  std::string text = "created by " + traceback_function(site.function);
  if (goroutine.parent_id != 0)
    text += fmt::format(" in goroutine {}", goroutine.parent_id);
  text += fmt::format("\n\t{}:{}", escape(file_text(site.file)), site.line);
  if (site.offset > 0)
    text += fmt::format(" +{:#x}", site.offset);
  return text + "\n";
}

std::string goroutine_text(const GoReport &report, const GoroutineReport &goroutine, bool internal) {
  const GoroutineStack &stack = report.stack_of(goroutine);
  // Where it would show no frame at all, the runtime shows its own.
  const auto is_visible = [](const ReportFrame &frame) { return frame.go && !frame.hidden_in_traceback; };
  const bool all = internal || std::ranges::none_of(stack.frames, is_visible);
  std::string text = header(report, goroutine);
  for (const ReportFrame &frame : stack.frames) {
    if (frame.elided_before > 0)
      text += elided_text(frame.elided_before);
    if (frame.go && (all || is_visible(frame)))
      text += go_frame(frame, go_arguments(report, goroutine, frame));
    else if (!frame.go && internal)
      text += native_frame(frame);
  }
  if (stack.frames.empty())
    text += no_stack;
  else if (stack.end != StackEnd::complete)
    text += stack_is_cut;
  return text + created_by(report, goroutine, internal);
}

/// A header ends at the first ']', and ", " parts what it says.
std::string header_item(std::string_view text) {
  std::string item = escape(text);
  std::ranges::replace_if(
      item, [](char character) { return character == '[' || character == ']' || character == ','; }, '_');
  return item;
}

std::string thread_text(const ThreadReport &thread) {
  std::string text = fmt::format("goroutine {} [{}, thread {}]:\n", thread.thread, header_item(thread.state_text),
                                 header_item(thread.name));
  for (const ReportFrame &frame : thread.frames) {
    if (frame.elided_before > 0)
      text += elided_text(frame.elided_before);
    text += frame.go ? go_frame(frame, "...") : native_frame(frame);
  }
  if (thread.frames.empty())
    text += no_stack;
  else if (thread.end != StackEnd::complete)
    text += stack_is_cut;
  return text;
}

/// The runtime's own threads (sysmon, those that wait for work) are left out, as their goroutines are.
bool is_of_go_runtime(const ThreadReport &thread) {
  return std::ranges::any_of(thread.frames,
                             [](const ReportFrame &frame) { return frame.function.starts_with("runtime."); });
}

} // namespace

void write_go_traceback(Output &output, const ProcessReport &report, const StackWriterOptions &options) {
  bool first = true;
  const auto write = [&](const std::string &text) { output.write((std::exchange(first, false) ? "" : "\n") + text); };
  if (report.go)
    for (const GoroutineReport &goroutine : report.go->goroutines)
      if (options.internal || !goroutine.system)
        write(goroutine_text(*report.go, goroutine, options.internal));
  if (options.goroutines_only)
    return;
  for (const ThreadReport &thread : report.threads) {
    const bool is_shown = !report.go || options.internal || !is_of_go_runtime(thread);
    if ((!report.go || thread.goroutine == 0) && is_shown)
      write(thread_text(thread));
  }
}

} // namespace inspect
