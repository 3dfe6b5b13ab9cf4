// `inspect maps`: what it prints, what it takes, and that pmap and smem say the same.
#include "commands/memory/maps_writers.h"
#include "tests/support/captured_output.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"

#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

namespace inspect::test {
namespace {

using Json = nlohmann::json;

ProcessMappings two_mappings() {
  ProcessMappings mappings;
  mappings.process = 42;
  mappings.command = "a\x1b[31m";
  mappings.executable = "/bin/\u202Ea";
  mappings.measured = true;
  ClassifiedMapping &stack = mappings.mappings.emplace_back();
  stack.usage.mapping.range = {{0x7f0000001000}, {0x7f0000801000}};
  stack.usage.mapping.readable = stack.usage.mapping.writable = true;
  stack.usage.amounts = {.reserved = 8U << 20U, .resident = 12'288, .proportional = 8192, .private_dirty = 4096};
  stack.kind = MappingKind::thread_stack;
  stack.thread = 43;
  stack.thread_name = "w\n";
  stack.depth = 12'000;
  stack.guessed = true;
  ClassifiedMapping &call = mappings.mappings.emplace_back();
  call.usage.mapping.range = {{0xffffffffff600000}, {0xffffffffff601000}};
  call.usage.mapping.executable = true;
  call.usage.mapping.path = "[vsyscall]";
  call.usage.amounts.reserved = 4096;
  call.usage.counted = false;
  call.kind = MappingKind::kernel;
  return mappings;
}

TEST_CASE("the table of mappings leaves out what is 0 everywhere or not known, and escapes names") {
  ProcessMappings mappings = two_mappings();
  CapturedOutput all;
  write_mappings_text(all.output(), mappings, {});
  CHECK(all.text() ==
        R"(process 42 a\x1b[31m  /bin/\u202ea
ADDRESS                       MODE    VSZ    RSS    PSS  DIRTY KIND          WHAT
0x7f0000001000-0x7f0000801000 rw-p   8.0M    12K     8K     4K thread stack  thread 43 "w\n" (12 kB deep) (guessed)
0xffffffffff600000-0xffffffffff601000 --xp     4K      0      0      0 kernel        [vsyscall]
2 mappings                           8.0M    12K     8K     4K
)");
  mappings.measured = false;
  mappings.why_not_measured = "it is closed";
  mappings.mappings.pop_back();
  CapturedOutput sizes;
  write_mappings_text(sizes.output(), mappings, {});
  CHECK(sizes.text() == R"(process 42 a\x1b[31m  /bin/\u202ea
ADDRESS                       MODE    VSZ KIND          WHAT
0x7f0000001000-0x7f0000801000 rw-p   8.0M thread stack  thread 43 "w\n" (12 kB deep) (guessed)
1 mapping                            8.0M
Only sizes are known: it is closed
)");
  mappings.measured = true;
  mappings.mappings.front().usage.amounts.swapped = 8192;
  mappings.mappings.front().usage.amounts.lazily_freed = 4096;
  CapturedOutput groups;
  write_mapping_groups_text(groups.output(), mappings, group_mappings(mappings.mappings, MappingGrouping::kind),
                            MappingGrouping::kind);
  CHECK(groups.text() == R"(process 42 a\x1b[31m  /bin/\u202ea
MAPPINGS    VSZ    RSS    PSS  DIRTY   SWAP   LAZY  KIND
       1   8.0M    12K     8K     4K     8K     4K  thread stack
       1   8.0M    12K     8K     4K     8K     4K  total
)");
}

/// A program at rest that knows its memory.
struct Target {
  ChildProcess process{{fixture_path("memory_kinds")}};
  std::string id = std::to_string(process.pid());
  Target() { process.wait_for_line("ready"); }
};

TEST_CASE("maps shows what its options ask for, from the command line and in a session") {
  const Target target;
  struct Row {
    std::vector<std::string> options;
    int status;
    std::string wanted;   ///< is in what it prints
    std::string unwanted; ///< is not
  };
  const std::vector<Row> rows = {
      {{"--kind", "memfd,jit", "--kind", "Malloc-Mapped"}, 0, "/memfd:memory kinds (deleted)", "[heap]"},
      {{"--kind", "memfd,jit"}, 0, "\n2 mappings ", "libc"},
      {{"--filter", "LIBC.so"}, 0, "library text", "[stack]"},
      {{"--filter", "no such text"}, 0, "\n0 mappings ", "0x"},
      {{"--group", "kind"}, 0, "malloc mapped\n", "0x7f"},
      {{"--group", "file"}, 0, "[thread stack]\n", "0x7f"},
      {{"--group", "none", "--sort", "lazy"}, 0, "LAZY", "(guessed)"},
      {{"--kind", "thread_stak"}, 2, "did you mean 'thread_stack'", "0x"},
      {{"--sort", "size"}, 2, "address|vsz", "0x"},
      {{"--group", "thread"}, 2, "kind|file|none", "0x"},
  };
  for (const Row &row : rows) {
    std::vector<std::string> words = {"maps", target.id};
    words.insert(words.end(), row.options.begin(), row.options.end());
    std::string line = "maps";
    for (const std::string &option : row.options)
      line += fmt::format(" '{}'", option);
    INFO(line);
    const CommandResult command = run_inspect(words);
    CHECK(command.status == row.status);
    const CommandResult session = run_inspect({"attach", target.id, "-e", line});
    CHECK(session.status == (row.status == 0 ? 0 : 1));
    for (const CommandResult &result : {command, session}) {
      CHECK((result.out + result.err).find(row.wanted) != std::string::npos);
      CHECK((result.out + result.err).find(row.unwanted) == std::string::npos);
    }
  }
  CHECK(run_inspect({"maps"}).status == 2);
  CHECK(run_inspect({"maps", "4194304"}).status == 3);
  CHECK(run_inspect({"attach", target.id, "-e", "maps 42"}).status == 1);
}

/// Start, and kB of size, resident and dirty memory of each mapping.
using Table = std::map<std::string, std::vector<std::uint64_t>>;

Table from_inspect(const std::string &process) {
  const CommandResult result = run_inspect({"maps", process, "--json"});
  REQUIRE(result.status == 0);
  Table table;
  const Json document = Json::parse(result.out);
  for (const Json &one : document["mappings"]) {
    const auto kilobytes = [&](const char *name) { return one[name].get<std::uint64_t>() / 1024; };
    table[fmt::format("{:016x}", std::stoull(one["start"].get<std::string>(), nullptr, 16))] = {
        kilobytes("reserved"), kilobytes("resident"),
        (one["shared_dirty"].get<std::uint64_t>() + one["private_dirty"].get<std::uint64_t>()) / 1024};
  }
  return table;
}

Table from_pmap(const std::string &process) {
  const CommandResult result = run_command({"pmap", "-x", process});
  REQUIRE(result.status == 0);
  Table table;
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);) {
    std::string start;
    std::vector<std::uint64_t> amounts(3);
    std::istringstream words(line);
    if (words >> start >> amounts[0] >> amounts[1] >> amounts[2] && start.size() == 16)
      table[start] = amounts;
  }
  return table;
}

TEST_CASE("address, size, resident and dirty memory of each mapping are those of pmap -x") {
  if (!have_program("pmap"))
    SKIP_TEST("pmap is not installed");
  const Target target;
  Table ours;
  Table theirs;
  // The kernel may collect huge pages or swap in between: two looks then agree a moment later.
  const bool agree = wait_until([&] {
    ours = from_inspect(target.id);
    theirs = from_pmap(target.id);
    return ours == theirs;
  });
  CHECK(ours.size() > 40);
  CHECK(agree);
  if (!agree)
    CHECK(ours == theirs);
}

/// USS, RSS and PSS in kB; nothing where it does not know the process.
std::vector<std::uint64_t> from_smem(const std::string &process) {
  const CommandResult smem = run_command({"smem", "-H", "-P", "memory_kinds", "-c", "pid uss rss pss"});
  std::istringstream lines(smem.out);
  for (std::string line; std::getline(lines, line);) {
    std::string id;
    std::vector<std::uint64_t> amounts(3);
    std::istringstream words(line);
    if (words >> id >> amounts[0] >> amounts[1] >> amounts[2] && id == process)
      return amounts;
  }
  return {};
}

/// Whoever looks shares the C library with the target while he looks, and so has a part of its PSS.
TEST_CASE("USS and RSS of a process are those of smem, and PSS as near as who looks allows") {
  if (!have_program("smem"))
    SKIP_TEST("smem is not installed");
  const Target target;
  std::vector<std::uint64_t> ours;
  std::vector<std::uint64_t> theirs;
  std::uint64_t tolerance = 0;
  const bool agree = wait_until([&] {
    const Json total = Json::parse(run_inspect({"maps", target.id, "--json"}).out)["total"];
    const auto kilobytes = [&](const char *name) { return total[name].get<std::uint64_t>() / 1024; };
    ours = {kilobytes("private_clean") + kilobytes("private_dirty"), kilobytes("resident"), kilobytes("proportional")};
    tolerance = kilobytes("shared_clean");
    theirs = from_smem(target.id);
    return theirs.size() == 3 && ours[0] == theirs[0] && ours[1] == theirs[1] &&
           std::max(ours[2], theirs[2]) - std::min(ours[2], theirs[2]) <= tolerance;
  });
  INFO("within " << tolerance);
  CHECK(agree);
  if (!agree)
    CHECK(ours == theirs);
  CHECK(tolerance < ours[1] / 4);
}

} // namespace
} // namespace inspect::test
