// The formats that tools read: JSON (docs/json.md) and folded stacks.
#include "commands/stack_writers.h"

#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <ranges>

namespace inspect {
namespace {

using Json = nlohmann::ordered_json;

/// Pure ASCII: what is not UTF-8 becomes U+FFFD, so that a name can never break the document or a terminal.
std::string dump(const Json &json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string_view end_name(StackEnd end) {
  switch (end) {
  case StackEnd::complete:
    return "complete";
  case StackEnd::depth_limit:
    return "depth_limit";
  case StackEnd::no_unwind_rule:
    return "no_unwind_rule";
  case StackEnd::unreadable_memory:
    return "unreadable_memory";
  case StackEnd::no_progress:
    return "no_progress";
  case StackEnd::bad_rule:
    return "bad_rule";
  case StackEnd::not_captured:
    return "not_captured";
  case StackEnd::cancelled:
    return "cancelled";
  }
  return "unknown";
}

Json text_or_null(std::string_view text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json to_json(const ReportFrame &frame) {
  Json json;
  json["pc"] = fmt::format("{:#x}", frame.pc.value);
  json["function"] = text_or_null(frame.function);
  json["offset"] = frame.offset;
  json["file"] = text_or_null(frame.file);
  json["line"] = frame.line > 0 ? Json(frame.line) : Json(nullptr);
  json["module"] = text_or_null(frame.module);
  json["inlined"] = frame.inlined;
  json["guessed"] = frame.guessed;
  if (frame.signal)
    json["signal"] = true;
  return json;
}

Json to_json(const ThreadReport &thread) {
  Json json;
  json["tid"] = thread.thread;
  json["name"] = thread.name;
  json["state"] = thread.state_text;
  json["waiting_in"] = text_or_null(thread.waiting_in);
  json["lock_holder"] = thread.lock_holder != 0 ? Json(thread.lock_holder) : Json(nullptr);
  json["lock_holder_guessed"] = thread.lock_holder_guessed;
  json["goroutine"] = nullptr;
  Json frames = Json::array();
  for (const ReportFrame &frame : thread.frames)
    frames.push_back(to_json(frame));
  json["frames"] = std::move(frames);
  json["end"] = {{"reason", end_name(thread.end)}, {"detail", text_or_null(thread.end_reason)}};
  return json;
}

/// Folded stacks separate frames by ';' and the count by the last blank of the line.
std::string folded_name(std::string_view name) {
  std::string text = escape(name);
  for (char &character : text)
    if (character == ';')
      character = ':';
  return text;
}

} // namespace

void write_stacks_json(Output &output, const ProcessReport &report) {
  Json head;
  head["schema"] = "inspect.stacks/1";
  head["pid"] = report.process;
  head["command"] = report.command;
  head["executable"] = text_or_null(report.executable);
  head["runtime"] = {{"kind", report.runtime.kind()},
                     {"language", text_or_null(report.runtime.language)},
                     {"version", text_or_null(report.runtime.version)},
                     {"stripped", report.runtime.stripped}};
  head["pause_us"] = report.pause.count();
  std::string text = dump(head);
  text.pop_back(); // the closing brace: threads follow one by one, so that memory does not grow with their number
  output.write(text + R"(,"threads":[)");
  bool first = true;
  for (const ThreadReport &thread : report.threads) {
    output.write((first ? "" : ",") + dump(to_json(thread)));
    first = false;
  }
  output.write(R"(],"goroutines":[],"warnings":)" + dump(Json(report.warnings)) + "}\n");
}

void write_stacks_folded(Output &output, const ProcessReport &report) {
  std::map<std::string, std::size_t> counts;
  for (const ThreadReport &thread : report.threads) {
    std::string line = folded_name(report.command);
    for (const ReportFrame &frame : std::views::reverse(thread.frames)) {
      line += ';';
      if (frame.function.empty())
        line += fmt::format("{:#x}", frame.pc.value);
      else
        line += folded_name(frame.function);
    }
    ++counts[line];
  }
  for (const auto &[line, count] : counts)
    output.write(fmt::format("{} {}\n", line, count));
}

} // namespace inspect
