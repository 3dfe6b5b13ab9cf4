// The formats that tools read: JSON (docs/json.md) and folded stacks.
#include "commands/stacks/stack_writers.h"

#include "commands/cli/json.h"
#include "inspector/stacks/dump_variables.h"

#include <fmt/format.h>
#include <map>
#include <ranges>

namespace inspect {
namespace {

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

Json end_json(StackEnd end, std::string_view reason) {
  return {{"reason", end_name(end)}, {"detail", text_or_null(reason)}};
}

Json to_json(const ReportFrame &frame) {
  Json json;
  json["pc"] = json_address(frame.pc.value);
  json["function"] = text_or_null(frame.function);
  json["offset"] = frame.offset;
  json["file"] = text_or_null(frame.file);
  json["line"] = positive_or_null(frame.line);
  json["module"] = text_or_null(frame.module);
  json["inlined"] = frame.inlined;
  json["guessed"] = frame.guessed;
  if (frame.anonymous_code)
    json["anonymous_code"] = true;
  if (frame.tail_call)
    json["tail_call"] = true;
  if (frame.signal)
    json["signal"] = true;
  if (frame.hidden_in_traceback)
    json["runtime_internal"] = true;
  if (frame.elided_before > 0)
    json["elided_before"] = frame.elided_before;
  return json;
}

Json to_json(const FrameVariable &variable) {
  Json json;
  json["name"] = variable.name;
  json["type"] = variable.type;
  json["value"] = variable.missing ? Json(nullptr) : Json(variable.value);
  if (variable.missing)
    json["missing"] = variable.value;
  for (const auto &[name, is_set] : {std::pair{"result", variable.is_result}, std::pair{"at_entry", variable.at_entry},
                                     std::pair{"shadowed", variable.shadowed}})
    if (is_set)
      json[name] = true;
  return json;
}

Json to_json_array(const std::vector<FrameVariable> &variables) {
  Json json = Json::array();
  for (const FrameVariable &variable : variables)
    json.push_back(to_json(variable));
  return json;
}

/// Arguments and locals, where they are wanted and debug information has them.
void add_variables(Json &json, const ProcessReport &report, const ThreadReport &thread, std::size_t frame,
                   const StackWriterOptions &options) {
  if (report.values == nullptr)
    return;
  if (options.arguments == ArgumentDetail::values)
    if (const auto arguments = report.values->variables(thread, frame, FrameVariables::arguments, {});
        !arguments.empty())
      json["args"] = to_json_array(arguments);
  if (options.locals)
    if (const auto locals = report.values->variables(thread, frame, FrameVariables::locals, {}); !locals.empty())
      json["locals"] = to_json_array(locals);
}

std::string_view reading_name(ThreadReading reading) {
  switch (reading) {
  case ThreadReading::stopped:
    return "stopped";
  case ThreadReading::without_stop:
    return "without_stop";
  case ThreadReading::not_read:
    return "not_read";
  }
  return "unknown";
}

Json to_json(const ProcessReport &report, const ThreadReport &thread, const StackWriterOptions &options) {
  Json json;
  json["tid"] = thread.thread;
  json["name"] = thread.name;
  json["state"] = thread.state_text;
  json["read"] = reading_name(thread.reading);
  json["why_not_stopped"] = text_or_null(thread.why_not_stopped);
  json["waiting_in"] = text_or_null(thread.waiting_in);
  json["waiting_for"] = text_or_null(thread.waiting_for);
  json["wait_channel"] = text_or_null(thread.kernel.channel);
  json["kernel_stack"] = thread.kernel.stack;
  json["lock_holder"] = positive_or_null(thread.lock_holder);
  json["lock_holder_guessed"] = thread.lock_holder_guessed;
  json["goroutine"] = positive_or_null(thread.goroutine);
  if (thread.goroutine != 0 && report.go && report.go->runtimes.size() > 1)
    json["go_runtime"] = thread.go_runtime;
  Json frames = Json::array();
  for (std::size_t i = 0; i < thread.frames.size(); ++i) {
    Json frame = to_json(thread.frames[i]);
    add_variables(frame, report, thread, i, options);
    frames.push_back(std::move(frame));
  }
  json["frames"] = std::move(frames);
  json["end"] = end_json(thread.end, thread.end_reason);
  return json;
}

/// One object for each argument: a word, or a structure's words. The runtime's text is cut after ten.
Json words_json(const ArgumentLayout &layout, std::span<const std::uint64_t> words) {
  Json arguments = Json::array();
  std::size_t depth = 0;
  std::size_t next = 0;
  const auto argument = [&]() -> Json & {
    if (depth == 0 || arguments.empty())
      arguments.push_back({{"words", Json::array()}});
    return arguments.back();
  };
  for (const ArgumentToken &token : layout.tokens) {
    switch (token.kind) {
    case ArgumentToken::Kind::open:
      argument();
      ++depth;
      break;
    case ArgumentToken::Kind::close:
      depth -= depth > 0 ? 1 : 0;
      break;
    case ArgumentToken::Kind::word: {
      Json &into = argument();
      if (next < words.size())
        into["words"].push_back(json_address(words[next++]));
      if (token.stale)
        into["stale"] = true;
      break;
    }
    case ArgumentToken::Kind::ellipsis:
    case ArgumentToken::Kind::offset_too_large:
      argument()["incomplete"] = true;
      break;
    }
  }
  return arguments;
}

/// The words in the text that the runtime would print: "{0x4c3839, 0x7}".
Json words_in(std::string_view text) {
  Json words = Json::array();
  for (std::size_t at = text.find("0x"); at != std::string_view::npos; at = text.find("0x", at + 2)) {
    const std::size_t end = text.find_first_not_of("0123456789abcdef", at + 2);
    words.push_back(text.substr(at, end == std::string_view::npos ? end : end - at));
  }
  return words;
}

Json to_json(const DecodedArgument &argument) {
  Json json;
  if (!argument.name.empty())
    json["name"] = argument.name;
  if (!argument.type.empty())
    json["type"] = argument.type;
  json["value"] = text_or_null(argument.value);
  json["words"] = words_in(argument.words);
  for (const auto &[name, is_set] : {std::pair{"result", argument.result}, std::pair{"stale", argument.stale},
                                     std::pair{"incomplete", argument.incomplete}})
    if (is_set)
      json[name] = true;
  return json;
}

/// Writes goroutines one by one. What a stack says of itself is written down once: a million goroutines share a few.
class GoroutineWriter {
public:
  GoroutineWriter(const ProcessReport &process, const StackWriterOptions &options)
      : process_(process), report_(*process.go), detail_(options.arguments), locals_(options.locals),
        stacks_(report_.stacks.size()) {}

  std::string text(const GoroutineReport &goroutine) {
    Json head;
    head["id"] = goroutine.id;
    head["status"] = status_text(goroutine.status);
    head["wait_reason"] = text_or_null(goroutine.wait_reason);
    head["wait_minutes"] = number_or_null(goroutine.wait_minutes());
    head["thread"] = positive_or_null(goroutine.thread);
    head["locked_to_thread"] = goroutine.locked_to_thread;
    if (report_.runtimes.size() > 1)
      head["go_runtime"] = goroutine.runtime;
    head["synctest_bubble"] = positive_or_null(goroutine.bubble);
    head["system"] = goroutine.system;
    head["created_by"] = created_by(goroutine);
    Json labels = Json::object();
    for (const auto &[key, value] : report_.label_sets[goroutine.labels])
      labels[key] = value;
    head["labels"] = std::move(labels);
    std::string text = json_text(head);
    text.back() = ','; // the closing brace
    text += R"("frames":[)";
    append_frames(text, goroutine);
    const GoroutineStack &stack = report_.stack_of(goroutine);
    return text + R"(],"end":)" + json_text(end_json(stack.end, stack.end_reason)) + "}";
  }

private:
  Json created_by(const GoroutineReport &goroutine) const {
    const CreationSite &site = report_.creations[goroutine.creation];
    if (site.function.empty())
      return nullptr;
    return {{"function", site.function},
            {"file", text_or_null(site.file)},
            {"line", positive_or_null(site.line)},
            {"goroutine", positive_or_null(goroutine.parent_id)}};
  }

  void append_frames(std::string &text, const GoroutineReport &goroutine) {
    const std::vector<ReportFrame> &frames = report_.stack_of(goroutine).frames;
    std::vector<std::string> &known = stacks_[goroutine.stack];
    if (known.empty())
      for (const ReportFrame &frame : frames)
        known.push_back(json_text(to_json(frame)));
    for (std::size_t i = 0; i < frames.size(); ++i) {
      text += i == 0 ? "" : ",";
      text += known[i];
      const Json arguments = arguments_of(goroutine, i);
      if (!arguments.is_null()) {
        text.back() = ',';
        text += R"("args":)" + json_text(arguments) + "}";
      }
      if (const std::string locals = locals_of(goroutine, i); !locals.empty()) {
        text.back() = ',';
        text += R"("locals":)" + locals + "}";
      }
    }
  }

  std::string locals_of(const GoroutineReport &goroutine, std::size_t frame) const {
    if (!locals_ || process_.values == nullptr)
      return {};
    const auto locals = process_.values->variables(report_, goroutine, frame, FrameVariables::locals, {});
    return locals.empty() ? std::string() : json_text(to_json_array(locals));
  }

  Json arguments_of(const GoroutineReport &goroutine, std::size_t index) const {
    if (detail_ == ArgumentDetail::none)
      return nullptr;
    const ReportFrame &frame = report_.stack_of(goroutine).frames[index];
    const auto words = report_.words_of(goroutine, frame);
    if (!words)
      return nullptr;
    if (detail_ == ArgumentDetail::words || report_.values == nullptr)
      return words_json(*frame.arguments, *words);
    Json arguments = Json::array();
    for (const DecodedArgument &argument : report_.values->decode(report_, goroutine, index, *words))
      arguments.push_back(to_json(argument));
    return arguments;
  }

  const ProcessReport &process_;
  const GoReport &report_;
  ArgumentDetail detail_;
  bool locals_;
  std::vector<std::vector<std::string>> stacks_; ///< the frames of each, without arguments; empty: not needed yet
};

/// Folded stacks separate frames by ';' and the count by the last blank of the line.
std::string folded_name(std::string_view name) {
  std::string text = escape(name);
  for (char &character : text)
    if (character == ';')
      character = ':';
  return text;
}

std::string folded_line(const ProcessReport &report, std::span<const ReportFrame> frames) {
  std::string line = folded_name(report.command);
  for (const ReportFrame &frame : std::views::reverse(frames)) {
    line += ';';
    line += frame.function.empty() ? json_address(frame.pc.value) : folded_name(frame.function);
  }
  return line;
}

} // namespace

void write_stacks_json(Output &output, const ProcessReport &report, const StackWriterOptions &options) {
  Json head;
  head["schema"] = "inspect.stacks/1";
  head["pid"] = report.process;
  head["command"] = report.command;
  head["executable"] = text_or_null(report.executable);
  head["runtime"] = {{"kind", report.runtime.kind()},
                     {"language", text_or_null(report.runtime.language)},
                     {"version", text_or_null(report.runtime.version)},
                     {"stripped", report.runtime.stripped}};
  if (report.go) {
    head["go_runtimes"] = Json::array();
    for (const GoRuntimeReport &runtime : report.go->runtimes)
      head["go_runtimes"].push_back({{"version", text_or_null(runtime.version)}, {"image", runtime.image}});
  }
  head["pause_us"] = report.pause.count();
  head["why_not_stopped"] = text_or_null(report.why_not_stopped);
  const bool with_values = options.arguments == ArgumentDetail::values || options.locals;
  head["values_read_later"] = with_values && (report.values_are_later || (report.go && report.go->values_are_later));
  std::string text = json_text(head);
  text.pop_back(); // the closing brace: threads follow one by one, so that memory does not grow with their number
  output.write(text + R"(,"threads":[)");
  bool first = true;
  const auto write = [&](const std::string &element) {
    output.write((std::exchange(first, false) ? "" : ",") + element);
  };
  if (!options.goroutines_only)
    for (const ThreadReport &thread : report.threads)
      write(json_text(to_json(report, thread, options)));
  output.write(R"(],"goroutines":[)");
  first = true;
  if (report.go) {
    GoroutineWriter goroutines(report, options);
    for (const GoroutineReport &goroutine : report.go->goroutines)
      write(goroutines.text(goroutine));
  }
  std::vector<std::string> warnings = report.warnings;

  if (report.values != nullptr && report.values->frames_left_out() > 0)
    warnings.push_back(fmt::format("the values of {} frames are left out: reading them took longer than {} seconds",
                                   report.values->frames_left_out(), DumpVariables::budget.count() / 1000));
  output.write("]");
  if (!report.note.empty())
    output.write(R"(,"note":)" + json_text(Json(report.note)));
  output.write(R"(,"warnings":)" + json_text(Json(warnings)) + "}\n");
}

void write_stacks_folded(Output &output, const ProcessReport &report, const StackWriterOptions &options) {
  std::map<std::string, std::size_t> counts;
  if (report.go) {
    std::vector<std::size_t> by_stack(report.go->stacks.size());
    for (const GoroutineReport &goroutine : report.go->goroutines)
      if (options.internal || !goroutine.system)
        ++by_stack[goroutine.stack];
    for (std::size_t i = 0; i < by_stack.size(); ++i)
      if (by_stack[i] > 0)
        counts[folded_line(report, report.go->stacks[i].frames)] += by_stack[i];
  }
  if (!options.goroutines_only)
    for (const ThreadReport &thread : report.threads)
      if (!report.go || thread.goroutine == 0)
        ++counts[folded_line(report, thread.frames)];
  for (const auto &[line, count] : counts)
    output.write(fmt::format("{} {}\n", line, count));
}

} // namespace inspect
