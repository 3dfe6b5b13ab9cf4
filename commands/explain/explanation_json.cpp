#include "commands/explain/explanation_writers.h"

#include "commands/cli/json.h"

namespace inspect {
namespace {

Json address_or_null(const std::optional<std::uint64_t> &address) {
  return address ? Json(json_address(*address)) : Json(nullptr);
}

std::string_view kind_name(CrashKind kind) {
  switch (kind) {
  case CrashKind::panic:
    return "panic";
  case CrashKind::fatal_error:
    return "fatal_error";
  case CrashKind::signal:
    return "signal";
  case CrashKind::data_race:
    return "data_race";
  case CrashKind::stacks:
    return "stacks";
  }
  return "stacks";
}

Json source_name(ArgumentSource source) {
  switch (source) {
  case ArgumentSource::none:
    return nullptr;
  case ArgumentSource::declaration:
    return "declaration";
  case ArgumentSource::debug_info:
    return "debug_info";
  case ArgumentSource::binary:
    return "binary";
  case ArgumentSource::shape:
    return "shape";
  }
  return nullptr;
}

Json to_json(const DecodedArgument &argument) {
  return {{"name", text_or_null(argument.name)},
          {"type", text_or_null(argument.type)},
          {"value", text_or_null(argument.value)},
          {"words", argument.words},
          {"result", argument.result},
          {"stale", argument.stale},
          {"incomplete", argument.incomplete}};
}

Json to_json(const ExplainedFrame &frame) {
  Json json;
  json["function"] = frame.function;
  json["file"] = text_or_null(frame.file);
  json["line"] = positive_or_null(frame.line);
  json["offset"] = number_or_null(frame.offset);
  json["pc"] = address_or_null(frame.pc);
  json["inlined"] = frame.inlined;
  json["words"] = frame.words;
  json["args"] = Json::array();
  for (const DecodedArgument &argument : frame.arguments)
    json["args"].push_back(to_json(argument));
  json["args_from"] = source_name(frame.source);
  json["contradicted"] = frame.contradicted;
  json["crashed_here"] = frame.crashed_here;
  json["panicked_later"] = frame.panicked_later;
  json["remarks"] = frame.remarks;
  return json;
}

Json to_json(const ExplainedGroup &group) {
  Json json;
  json["ids"] = group.ids;
  json["count"] = group.count;
  json["state"] = group.state;
  json["longest_wait_minutes"] = number_or_null(group.longest_wait_minutes);
  json["shortest_wait_minutes"] = number_or_null(group.shortest_wait_minutes);
  json["locked_to_thread"] = group.locked_to_thread;
  json["crashed"] = group.crashed;
  json["notes"] = group.notes;
  json["created_by"] = group.created_by ? to_json(*group.created_by) : Json(nullptr);
  json["created_in"] = number_or_null(group.created_in);
  json["creation_of"] = number_or_null(group.ancestor_of);
  json["frames"] = Json::array();
  for (const ExplainedFrame &frame : group.frames)
    json["frames"].push_back(to_json(frame));
  json["frames_elided"] = group.frames_elided;
  json["stack_unavailable"] = group.stack_unavailable;
  return json;
}

Json to_json(const ExplainedTraceback &traceback) {
  Json json;
  json["text_line"] = traceback.text_line;
  json["kind"] = kind_name(traceback.kind);
  json["messages"] = traceback.messages;
  json["signal"] = nullptr;
  if (const auto &signal = traceback.signal)
    json["signal"] = {{"name", signal->name},
                      {"description", text_or_null(signal->description)},
                      {"code", number_or_null(signal->code)},
                      {"address", address_or_null(signal->address)},
                      {"pc", address_or_null(signal->pc)}};
  json["what"] = text_or_null(traceback.what);
  json["crashed"] = number_or_null(traceback.crashed);
  json["where"] = text_or_null(traceback.where);
  json["then"] = traceback.then;
  json["why"] = traceback.why;
  json["waiting"] = traceback.waiting;
  json["goroutines"] = traceback.goroutines;
  json["groups"] = Json::array();
  for (const ExplainedGroup &group : traceback.groups)
    json["groups"].push_back(to_json(group));
  json["registers"] = Json::object();
  for (const auto &[name, value] : traceback.registers)
    json["registers"][name] = json_address(value);
  json["exit_status"] = number_or_null(traceback.exit_status);
  json["warnings"] = traceback.warnings;
  return json;
}

} // namespace

void write_explanation_json(Output &output, const Explanation &explanation, std::string_view source,
                            std::string_view executable) {
  Json json;
  json["schema"] = "inspect.explain/1";
  json["source"] = source;
  json["executable"] = text_or_null(executable);
  json["go_version"] = text_or_null(explanation.go_version);
  json["tracebacks"] = Json::array();
  for (const ExplainedTraceback &traceback : explanation.tracebacks)
    json["tracebacks"].push_back(to_json(traceback));
  output.write(json_text(json) + "\n");
}

} // namespace inspect
