// What the program prints as JSON is what docs/schemas/ promises, of every process on this machine.
#include "tests/commands/json_schema.h"

#include "commands/stacks/stack_writers.h"
#include "tests/support/captured_output.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/report_builder.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace inspect::test {
namespace {

using Json = nlohmann::json;

Json read_schema(const std::string &name) {
  std::ifstream file(INSPECT_SOURCE_DIRECTORY "/docs/schemas/" + name);
  return Json::parse(file);
}

std::string output_of(std::vector<std::string> command) {
  command.insert(command.begin(), INSPECT_BINARY_DIRECTORY "/inspect");
  ChildProcess program(command);
  std::string text = program.read_all();
  CHECK(program.wait() == 0);
  return text;
}

void check_conforms(const Json &schema, const Json &document) {
  for (const std::string &error : schema_errors(schema, document))
    FAIL_CHECK(error);
}

TEST_CASE("the JSON of ps is as its schema says") {
  const Json processes = Json::parse(output_of({"ps", "--all", "--json"}));
  CHECK_FALSE(processes["processes"].empty());
  check_conforms(read_schema("inspect.ps.1.json"), processes);
}

TEST_CASE("the JSON of ps about one process is as its schema says, of every kind of process") {
  ChildProcess service({fixture_path("demo_service")});
  service.wait_for_line("ready");
  const Json schema = read_schema("inspect.ps.1.json");
  for (const std::string &process : {std::to_string(service.pid()), std::string("1"), std::string("2")}) {
    INFO(process);
    if (!std::filesystem::exists("/proc/" + process)) // no kernel threads in a container
      continue;
    const Json document = Json::parse(output_of({"ps", process, "50ms", "--json"}));
    REQUIRE(document["processes"].size() == 1);
    CHECK(document["processes"][0].contains("details"));
    check_conforms(schema, document);
  }
}

TEST_CASE("the JSON of stacks is as its schema says, one line for each process") {
  ChildProcess service({fixture_path("demo_service")});
  service.wait_for_line("ready");
  ChildProcess other({"sleep", "600"});
  const std::string text = output_of({"stacks", std::to_string(service.pid()), std::to_string(other.pid()), "--json"});
  std::istringstream lines(text);
  std::vector<Json> documents;
  for (std::string line; std::getline(lines, line);)
    documents.push_back(Json::parse(line));
  REQUIRE(documents.size() == 2);
  const Json schema = read_schema("inspect.stacks.1.json");
  for (const Json &document : documents)
    check_conforms(schema, document);
  CHECK(documents[0]["pid"] == service.pid());
  CHECK(documents[0]["threads"].size() == 19);
  CHECK(documents[1]["pid"] == other.pid());
}

TEST_CASE("the JSON of maps is as its schema says, by mapping and by group") {
  ChildProcess process({fixture_path("memory_kinds")});
  process.wait_for_line("ready");
  const Json schema = read_schema("inspect.maps.1.json");
  for (const std::string group : {"none", "kind", "file"}) {
    const Json document = Json::parse(output_of({"maps", std::to_string(process.pid()), "--group", group, "--json"}));
    check_conforms(schema, document);
    CHECK(document["pid"] == process.pid());
    const char *rows = group == "none" ? "mappings" : "groups";
    REQUIRE(document.contains(rows));
    std::uint64_t sum = 0;
    for (const Json &one : document[rows])
      if (one.value("counted", true))
        sum += one["proportional"].get<std::uint64_t>();
    CHECK(sum == document["total"]["proportional"]);
  }
}

/// Two arguments: a number and a string.
class NumberAndText final : public ArgumentValues {
public:
  std::vector<DecodedArgument> decode(const GoReport & /*report*/, const GoroutineReport & /*goroutine*/,
                                      std::size_t /*frame*/, std::span<const std::uint64_t> /*words*/) override {
    return {{.name = "count", .type = "int", .value = "1", .words = "0x1", .stale = true},
            {.name = "", .type = "", .value = "", .words = "{0x4c3839, 0x7}", .result = true, .incomplete = true}};
  }
};

ProcessReport go_process() {
  ProcessReport report = empty_report();
  add_thread(report, 4252, 'S', {{"main.worker", 12}}).goroutine = 17;
  GoReportBuilder build(report);
  ReportFrame frame = build.frame("main.worker", 12);
  build.describe_arguments(frame, "?{w{w}.}.");
  const std::uint32_t stack = build.add_stack({build.frame("runtime.gopark", 402), frame});
  build.add(1, stack, {0x1, 0x4c3839, 0x7});
  GoroutineReport &goroutine = build.add(17, stack, {0x2, 0x4c3839, 0x7});
  goroutine.wait_seconds = 60 * 61;
  goroutine.thread = 4252;
  goroutine.locked_to_thread = true;
  goroutine.creation = build.add_creation("main.serve", 41);
  goroutine.parent_id = 1;
  goroutine.labels = build.add_labels({{"queue", "mail"}});
  build.go().values = std::make_shared<NumberAndText>();
  build.finish();
  return report;
}

Json stacks_json(const ProcessReport &report, const StackWriterOptions &options) {
  CapturedOutput captured;
  write_stacks_json(captured.output(), report, options);
  Json document = Json::parse(captured.text());
  check_conforms(read_schema("inspect.stacks.1.json"), document);
  return document;
}

TEST_CASE("the JSON of goroutines is as its schema says") {
  const ProcessReport report = go_process();
  const Json document = stacks_json(report, {.arguments = ArgumentDetail::words});
  CHECK(document["runtime"]["kind"] == "go");
  CHECK(document["threads"][0]["goroutine"] == 17);
  REQUIRE(document["goroutines"].size() == 2);
  CHECK(document["goroutines"][0]["created_by"].is_null());
  CHECK(document["goroutines"][0]["wait_minutes"].is_null());
  const Json &goroutine = document["goroutines"][1];
  CHECK(goroutine["id"] == 17);
  CHECK(goroutine["status"] == "waiting");
  CHECK(goroutine["wait_reason"] == "chan receive");
  CHECK(goroutine["wait_minutes"] == 61);
  CHECK(goroutine["thread"] == 4252);
  CHECK(goroutine["locked_to_thread"] == true);
  CHECK(goroutine["system"] == false);
  CHECK(goroutine["created_by"] ==
        Json({{"function", "main.serve"}, {"file", "/src/svc.go"}, {"line", 41}, {"goroutine", 1}}));
  CHECK(goroutine["labels"] == Json({{"queue", "mail"}}));
  CHECK(goroutine["end"]["reason"] == "complete");
  CHECK(goroutine["frames"][0]["runtime_internal"] == true);
  CHECK_FALSE(goroutine["frames"][0].contains("args"));
  CHECK_FALSE(goroutine["frames"][1].contains("runtime_internal"));
  CHECK(goroutine["frames"][1]["args"] == Json::parse(R"([{"words": ["0x2"], "stale": true},
            {"words": ["0x4c3839", "0x7"], "incomplete": true}, {"words": [], "incomplete": true}])"));
}

TEST_CASE("JSON has argument values where they are asked for") {
  const Json document = stacks_json(go_process(), {.arguments = ArgumentDetail::values, .goroutines_only = true});
  CHECK(document["threads"].empty());
  CHECK(document["goroutines"][0]["frames"][1]["args"] ==
        Json::parse(R"([{"name": "count", "type": "int", "value": "1", "words": ["0x1"], "stale": true},
            {"value": null, "words": ["0x4c3839", "0x7"], "result": true, "incomplete": true}])"));
  CHECK_FALSE(stacks_json(go_process(), {})["goroutines"][0]["frames"][1].contains("args"));
}

TEST_CASE("a document that breaks its schema is noticed") {
  const Json schema = read_schema("inspect.ps.1.json");
  CHECK(schema_errors(schema, Json::parse(R"({"schema": "inspect.ps/1", "processes": []})")).empty());
  CHECK_FALSE(schema_errors(schema, Json::parse(R"({"schema": "inspect.ps/2", "processes": []})")).empty());
  CHECK_FALSE(schema_errors(schema, Json::parse(R"({"processes": []})")).empty());
  CHECK_FALSE(schema_errors(schema, Json::parse(R"({"schema": "inspect.ps/1", "processes": {}})")).empty());
  CHECK_FALSE(schema_errors(schema, Json::parse(R"({"schema": "inspect.ps/1", "processes": [], "more": 1})")).empty());
  CHECK_FALSE(schema_errors(schema, Json::parse(R"({"schema": "inspect.ps/1", "processes": [{"pid": "1"}]})")).empty());
  const Json stacks = read_schema("inspect.stacks.1.json");
  const auto frame = [&](const char *text) {
    const Json document = {{"$ref", "#/$defs/frame"}, {"$defs", stacks["$defs"]}};
    return schema_errors(document, Json::parse(text));
  };
  CHECK(frame(R"({"pc": "0x1f", "function": "f", "offset": 0, "file": null, "line": 3, "module": "m",
                  "inlined": false, "guessed": false})")
            .empty());
  CHECK(frame(R"({"pc": "1f", "function": "f", "offset": -1, "file": null, "line": 3.5, "module": "m",
                  "inlined": false, "guessed": false})")
            .size() == 3);
}

} // namespace
} // namespace inspect::test
