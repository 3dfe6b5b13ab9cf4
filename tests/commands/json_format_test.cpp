// What the program prints as JSON is what docs/schemas/ promises, of every process on this machine.
#include "tests/commands/json_schema.h"

#include "tests/support/catch.h"
#include "tests/support/child_process.h"

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
