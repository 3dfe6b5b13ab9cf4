// `inspect explain` on crashes that happen here: fixtures/golang/crash_kinds, built with the toolchains of this
// machine. What it decodes is compared with what the program said of its own arguments.
#include "machine/elf_file.h"
#include "machine/file_descriptor.h"
#include "tests/golang/other_version.h"
#include "tests/support/catch.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

namespace inspect::test {
namespace {

using Catch::Matchers::Contains;
using Json = nlohmann::json;

struct Crash {
  std::string said; ///< standard output
  Json explained;   ///< the first traceback
};

/// Runs the program until it crashes; GOTRACEBACK as given.
Crash crash(const std::string &program, const std::string &kind, const std::string &level = "all",
            const std::string &executable = {}) {
  const TemporaryDirectory folder;
  const std::string text = folder / "crash.txt";
  const CommandResult run = run_command(
      {"bash", "-c", fmt::format("ulimit -c 0; GOTRACEBACK={} '{}' {} 2>'{}'", level, program, kind, text)});
  const CommandResult result =
      run_inspect({"explain", text, "--exe", executable.empty() ? program : executable, "--json"});
  CAPTURE(result.err);
  REQUIRE(result.status == 0);
  return {run.out, Json::parse(result.out)["tracebacks"][0]};
}

std::string crash_sentences(const Json &list) {
  std::string text;
  for (const Json &sentence : list)
    text += sentence.get<std::string>() + "\n";
  return text;
}

std::vector<std::string> fields_of(const std::string &line) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, '\t');)
    fields.push_back(field);
  return fields;
}

const Json *find_argument(const Json &traceback, const std::string &function, const std::string &name) {
  for (const Json &group : traceback["groups"])
    for (const Json &frame : group["frames"])
      if (frame["function"] == function)
        for (const Json &argument : frame["args"])
          if (argument["name"] == name)
            return &argument;
  return nullptr;
}

/// How many of the arguments that the program announced are decoded to what it said. Stale ones may be anything.
std::size_t check_expectations(const Crash &crash) {
  std::size_t confirmed = 0;
  std::istringstream lines(crash.said);
  for (std::string line; std::getline(lines, line);) {
    const auto fields = fields_of(line);
    if (fields.size() != 4 || fields[0] != "EXPECT")
      continue;
    CAPTURE(line);
    const Json *argument = find_argument(crash.explained, fields[1], fields[2]);
    CHECK(argument != nullptr);
    if (argument == nullptr || (*argument)["stale"].get<bool>())
      continue;
    CAPTURE(argument->dump());
    const std::string value = (*argument)["value"].is_string() ? (*argument)["value"].get<std::string>() : "";
    CHECK((value.find(fields[3]) != std::string::npos || (*argument)["words"] == fields[3]));
    ++confirmed;
  }
  return confirmed;
}

} // namespace

TEST_CASE("arguments of every kind are decoded to what the program passed") {
  for_each_go([](const GoToolchain &go) {
    const Crash plain = crash(build_go(go, "crash_kinds"), "kinds");
    CHECK(plain.explained["warnings"].empty());
    CHECK(plain.explained["kind"] == "panic");
    CHECK(check_expectations(plain) >= (go.minor < 17 ? 19 : 12));
  });
}

TEST_CASE("crashes of several kinds are explained") {
  for_each_go([](const GoToolchain &go) {
    const std::string program = build_go(go, "crash_kinds");
    const Json nil = crash(program, "nil").explained;
    CHECK_THAT(nil["where"].get<std::string>(), Contains("main.(*Account).booked at "));
    CHECK_THAT(crash_sentences(nil["why"]), Contains("the receiver a (*main.Account) is nil"));
    CHECK_THAT(crash_sentences(nil["why"]),
               Contains("is the offset of the field balance.Cents in a nil *main.Account"));
    if (go.minor < 17) // later the words of registers are out of date by then
      CHECK_THAT(crash_sentences(nil["why"]), Contains("it was nil already in main.(*Account).transfer"));

    const Crash index = crash(program, "index");
    CHECK_THAT(crash_sentences(index.explained["why"]),
               Contains("the index is 5, the length is 3") || Contains("the index is 4, the length is 3"));

    const Json deadlock = crash(program, "deadlock").explained;
    CHECK(deadlock["kind"] == "fatal_error");
    CHECK_THAT(crash_sentences(deadlock["waiting"]), Contains("3 goroutines (") &&
                                                         Contains("wait for the sync.Mutex at 0x") &&
                                                         Contains("in main.(*store).hold at "));

    const Json overflow = crash(program, "overflow").explained;
    CHECK_THAT(crash_sentences(overflow["why"]), Contains("main.recurse calls itself again and again"));
  });
}

TEST_CASE("a dump on SIGQUIT groups the goroutines that are alike, at every level") {
  for_each_go([](const GoToolchain &go) {
    const std::string program = build_go(go, "crash_kinds");
    for (const std::string level : {"all", "system", "crash"}) {
      CAPTURE(level);
      const Json dump = crash(program, "dump", level).explained;
      CHECK(dump["kind"] == "signal");
      CHECK(dump["signal"]["name"] == "SIGQUIT");
      CHECK(dump["crashed"].is_null());
      CHECK(dump["warnings"].empty());
      std::size_t waiting = 0;
      for (const Json &group : dump["groups"])
        if (std::ranges::any_of(group["frames"], [](const Json &frame) { return frame["function"] == "main.waitFor"; }))
          waiting += group["ids"].size();
      CHECK(waiting >= 20);
      CHECK(dump["registers"].contains("rip"));
    }
  });
}

TEST_CASE("a stripped and a position-independent binary explain what they can") {
  for_each_go([](const GoToolchain &go) {
    const Json stripped = crash(build_go(go, "crash_kinds", GoVariant::stripped), "nil").explained;
    CHECK_THAT(crash_sentences(stripped["why"]), Contains("the receiver (*main.Account) is nil"));
    CHECK(stripped["warnings"].empty());
    const Crash independent = crash(build_go(go, "crash_kinds", GoVariant::pie), "kinds", "system");
    CHECK(independent.explained["warnings"].empty());
    CHECK(check_expectations(independent) >= (go.minor < 17 ? 19 : 12));
  });
}

TEST_CASE("a binary that is not the one that crashed is found out, and nothing is decoded with it") {
  for_each_go([](const GoToolchain &go) {
    const std::string other =
        build_go_text(go, "not_crash_kinds",
                      "package main\n\nimport \"os\"\n\n//go:noinline\nfunc pick(a, b int) int { return a / b "
                      "}\n\nfunc main() { os.Exit(pick(1, len(os.Args))) }\n");
    const Json kinds = crash(build_go(go, "crash_kinds"), "index", "all", other).explained;
    CHECK_THAT(crash_sentences(kinds["warnings"]), Contains("it is not the binary that crashed"));
    const Json frames = kinds["groups"][0]["frames"];
    const auto pick = std::ranges::find_if(frames, [](const Json &frame) { return frame["function"] == "main.pick"; });
    REQUIRE(pick != frames.end());
    CHECK((*pick)["contradicted"] == true);
    CHECK((*pick)["args"].empty());
  });
}

TEST_CASE("a binary of a Go version to come is read like the newest known, and else left aside") {
  if (go_toolchains().empty() || go_toolchains().back().minor < 26)
    SKIP_TEST("no Go toolchain of 1.26 or later is installed, whose moduledata has a section");
  const GoToolchain go = go_toolchains().back();
  const TemporaryDirectory folder;
  const std::string own = build_go(go, "crash_kinds");
  const std::string text = folder / "crash.txt";
  run_command({"bash", "-c", fmt::format("ulimit -c 0; '{}' nil 2>'{}'", own, text)});
  const auto explained = [&](const std::string &executable) {
    const CommandResult result = run_inspect({"explain", text, "--exe", executable, "--json"});
    CAPTURE(result.err);
    REQUIRE(result.status == 0);
    return Json::parse(result.out)["tracebacks"][0];
  };
  const std::string to_come = with_version(own, go.version, fmt::format("go1.29{}", go.version.substr(6)), folder);
  const Json known = explained(own);
  const Json newer = explained(to_come);
  CHECK(newer["groups"] == known["groups"]);
  CHECK(crash_sentences(newer["warnings"]).find("newer than this program knows") != std::string::npos);

  // Nothing of its moduledata is where it was, from the 20th word on.
  std::ifstream in(to_come, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const FileDescriptor file(::open(own.c_str(), O_RDONLY | O_CLOEXEC));
  const auto elf = ElfFile::read(file.get());
  REQUIRE(elf);
  const ElfSection *section = elf->section(".go.module");
  REQUIRE(section != nullptr);
  const std::string moved = bytes.substr(section->offset.value + 20 * 8, section->size - 21 * 8);
  bytes.replace(section->offset.value + 21 * 8, moved.size(), moved);
  const Json left_aside = explained(folder.write("otherwise", bytes, 0755));
  const std::string warnings = crash_sentences(left_aside["warnings"]);
  CHECK_THAT(warnings, Contains("the binary is not used: ") && Contains("newer than this program knows"));
  CHECK(left_aside["what"] == known["what"]);
}

} // namespace inspect::test
