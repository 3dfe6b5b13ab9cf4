// Values in optimized code, against what the program itself says of them and against gdb's.
#include "dwarf/line_resolver.h"
#include "tests/dwarf/frame_values.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"

#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <sys/syscall.h>
#include <unistd.h>

using namespace inspect;
using namespace inspect::test;

namespace {

/// "function variable" and the value, as the program printed them; "-" is the file scope.
struct Truth {
  std::map<std::string, std::string> values;
  std::map<std::string, std::uint64_t> addresses;
};

Truth read_truth(ChildProcess &program) {
  Truth truth;
  for (std::string line = program.read_line(); line != "ready"; line = program.read_line()) {
    std::istringstream words(line);
    std::string kind;
    std::string first;
    words >> kind >> first;
    std::string second;
    words >> second;
    std::string rest;
    std::getline(words >> std::ws, rest);
    if (kind == "truth")
      truth.values[first + " " + second] = rest;
    else if (kind == "address")
      truth.addresses[first] = std::stoull(second, nullptr, 16);
  }
  return truth;
}

/// It has said that it is ready from a function that it leaves again: both looks must find the same stack.
bool is_pausing(pid_t process) {
  int number = -1;
  std::ifstream("/proc/" + std::to_string(process) + "/syscall") >> number;
  return number == SYS_pause;
}

std::string key_of(const FrameValue &value) {
  return value.function + " " + value.variable.name;
}

/// Arguments by gdb's frame number and name: whether gdb has a value for it, now or at the entry.
std::map<std::pair<std::size_t, std::string>, bool> gdb_arguments(pid_t process, std::size_t frames) {
  std::vector<std::string> command = {"gdb",
                                      "-nx",
                                      "-batch",
                                      "-p",
                                      std::to_string(process),
                                      "-ex",
                                      "set print frame-arguments none",
                                      "-ex",
                                      "set backtrace past-main on"};
  for (std::size_t i = 0; i < frames; ++i)
    for (const std::string &one :
         {"frame " + std::to_string(i), "echo \\nlevel " + std::to_string(i) + "\\n", std::string("info args")}) {
      command.emplace_back("-ex");
      command.push_back(one);
    }
  std::map<std::pair<std::size_t, std::string>, bool> known;
  std::istringstream lines(run_command(command).out);
  std::size_t level = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find(" = ");
    if (line.starts_with("level ")) {
      level = std::stoul(line.substr(6));
    } else if (equals != std::string::npos && line.find_first_of(" #") == equals) {
      const std::string name = line.substr(0, line.find_first_of(" @"));
      const bool has_value =
          line.find("<optimized out>") == std::string::npos && line.find("<synthetic pointer>") == std::string::npos;
      known[{level, name}] = known[{level, name}] || has_value;
    }
  }
  return known;
}

} // namespace

TEST_CASE("Thread-local variables are found under each C library") {
  for (const char *program : {"thread_locals_glibc", "thread_locals_musl"}) {
    INFO(program);
    if (::access(fixture_path(program).c_str(), X_OK) != 0)
      continue; // built where musl-gcc is installed
    ChildProcess child({fixture_path(program)});
    const Truth truth = read_truth(child);
    TracedTarget target(child.pid());
    FrameValues found(target);
    CHECK(truth.addresses.size() == 4);
    for (const auto &[name, place] : truth.addresses) {
      RunAddress address;
      const FrameValue value = found.global(name, &address);
      INFO(name << ": " << value.reason);
      CHECK(address.value == place);
      CHECK(value.text == truth.values.at("- " + name));
    }
  }
}

TEST_CASE("What a caller passed is not believed where it may have called another function") {
  struct Row {
    const char *way;
    const char *key;
    const char *reason; ///< a part of it; null: it is known
  };
  const Row rows[] = {
      {"tail", "waits forgotten", "it called leaves"},
      {"tail", "wait_here depth", nullptr},
      {"itself", "goes_on_to_itself total", "gone on to itself"},
      {"itself", "wait_here depth", nullptr},
      {"indirect", "waits forgotten", "which function it called"},
  };
  for (const Row &row : rows) {
    INFO(row.way << ": " << row.key);
    ChildProcess child({fixture_path("optimized_values_gcc"), row.way});
    const Truth truth = read_truth(child);
    REQUIRE(wait_until([&] { return is_pausing(child.pid()); }));
    TracedTarget target(child.pid());
    const FrameValues found(target);
    const auto value = std::ranges::find_if(found.all(), [&](const FrameValue &one) { return key_of(one) == row.key; });
    REQUIRE(value != found.all().end());
    INFO(value->reason << value->text);
    CHECK(value->known == (row.reason == nullptr));
    if (row.reason != nullptr)
      CHECK(value->reason.find(row.reason) != std::string::npos);
    else
      CHECK(value->text == truth.values.at(row.key));
  }
}

TEST_CASE("Variables of optimized code have the values that the program knows, and gdb shows no more") {
  const std::map<std::string, std::set<std::string>> wanted = {
      // What each build must show; all else that it shows must be true as well.
      {"optimized_values_gcc",
       {"wait_here depth", "forgets lost", "forgets lost_too", "forgets real", "forgets times_called", "keeps one",
        "keeps two", "keeps small", "inlined_inner inner_value", "inlined_outer outer_value", "many on_stack",
        "many defined_elsewhere", "dynamic length", "dynamic scale", "dynamic constant", "dynamic array",
        "packed sum"}},
      {"optimized_values_gcc_split4",
       {"wait_here depth", "forgets lost", "forgets real", "forgets times_called", "keeps one",
        "inlined_inner inner_value", "many on_stack", "dynamic length", "dynamic constant"}},
      {"optimized_values_clang", {"keeps small", "dynamic constant"}},
  };
  for (const auto &[program, names] : wanted) {
    INFO(program);
    if (::access(fixture_path(program).c_str(), X_OK) != 0) {
      if (program.ends_with("clang"))
        continue; // built where clang is installed
      FAIL("the fixture is missing");
    }
    ChildProcess child({fixture_path(program)});
    const Truth truth = read_truth(child);
    REQUIRE(wait_until([&] { return is_pausing(child.pid()); }));
    std::set<std::string> seen;
    std::vector<FrameValue> values;
    std::size_t levels = 0;
    {
      TracedTarget target(child.pid());
      FrameValues found(target);
      values = found.all();
      for (const FrameContext &frame : found.frames())
        if (frame.module != nullptr) {
          LineResolver &lines = *target.modules().lines(*frame.module);
          const LinkAddress address = frame.module->bias().to_link(frame.lookup);
          const auto names_there = lines.at(address);
          const auto scopes = function_scopes(lines, address);
          CHECK((scopes.empty() || scopes.size() == names_there.size()));
          levels += std::max<std::size_t>(1, names_there.size());
        }
      for (const auto &[key, text] : truth.values) {
        if (!key.starts_with("- "))
          continue;
        RunAddress address;
        const FrameValue value = found.global(key.substr(2), &address);
        INFO(key << ": " << value.reason);
        CHECK(value.text == text);
        if (const auto place = truth.addresses.find(key.substr(2)); place != truth.addresses.end())
          CHECK(address.value == place->second);
      }
    }
    for (const FrameValue &value : values) {
      const auto known = truth.values.find(key_of(value));
      if (known == truth.values.end() || !value.known || value.variable.shadowed)
        continue;
      INFO(key_of(value) << " of frame " << value.level);
      if (value.text.find('?') == std::string::npos)
        CHECK(value.text == known->second);
      seen.insert(key_of(value));
    }
    for (const std::string &name : names) {
      INFO(name);
      CHECK(seen.contains(name));
    }
    const auto is = [](const char *function, const char *name, bool shadowed) {
      return [=](const FrameValue &value) {
        return value.function == function && value.variable.name == name && value.variable.shadowed == shadowed;
      };
    };
    CHECK(std::ranges::count_if(values, is("inlined_outer", "shadow", true)) == 1);
    CHECK(std::ranges::count_if(values, is("inlined_outer", "shadow", false)) == 1);
    CHECK(std::ranges::count_if(values, is("area", "this", false)) == 1);
    if (!program.ends_with("clang")) // which names the parameters of a pack all alike
      CHECK(std::ranges::count_if(values, is("packed", "#1", false)) == 1);
    if (!have_program("gdb")) {
      std::printf("gdb is not installed: %s is not compared with it\n", program.c_str());
      continue;
    }
    const auto peer = gdb_arguments(child.pid(), levels);
    REQUIRE(peer.size() >= 10);
    std::size_t ours = 0;
    std::size_t gdbs = 0;
    std::size_t total = 0;
    for (const auto &[place, has_value] : peer) {
      const auto mine = std::ranges::find_if(values, [&, &where = place](const FrameValue &value) {
        return value.level == where.first && value.variable.name == where.second && value.variable.is_parameter;
      });
      INFO("frame " << place.first << " argument " << place.second);
      REQUIRE(mine != values.end());
      ++total;
      const bool complete = mine->known && mine->text.find('?') == std::string::npos; // as gdb's is counted
      ours += complete;
      gdbs += has_value;
      INFO(mine->reason);
      CHECK((complete || !has_value));
    }
    std::printf("%s: of %zu arguments, %zu with a value, in gdb %zu\n", program.c_str(), total, ours, gdbs);
    CHECK(ours >= gdbs);
  }
}
