// Values in optimized code, against what the program itself says of them and against gdb's.
#include "dwarf/symbolize/line_resolver.h"
#include "tests/dwarf/variables/frame_values.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"

#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
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

bool all_sleep(pid_t process) {
  for (const auto &entry : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
    std::string text;
    std::getline(std::ifstream(entry.path() / "stat"), text);
    if (text.find(") S ") == std::string::npos)
      return false;
  }
  return true;
}

std::string key_of(const FrameValue &value) {
  return value.function + " " + value.variable.name;
}

struct ArgumentPlace {
  pid_t thread = 0;
  std::size_t level = 0; ///< of the frame, as gdb counts
  std::string name;
  friend auto operator<=>(const ArgumentPlace &, const ArgumentPlace &) = default;
};

struct PeerArguments {
  std::map<ArgumentPlace, bool> has_value;                    ///< in gdb, now or at the entry
  std::map<std::pair<pid_t, std::size_t>, std::uint64_t> pcs; ///< of the frames that gdb shows one of
};

/// All arguments of all frames of all threads.
PeerArguments gdb_arguments(pid_t process) {
  const CommandResult result =
      run_command({"gdb", "-nx", "-batch", "-p", std::to_string(process), "-ex", "set print frame-arguments none",
                   "-ex", "set backtrace past-main on", "-ex", "thread apply all frame apply all info args"});
  PeerArguments peer;
  std::istringstream lines(result.out);
  ArgumentPlace place;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t thread = line.find("(LWP ");
    const std::size_t equals = line.find(" = ");
    if (line.starts_with("Thread ") && thread != std::string::npos) {
      place.thread = std::stoi(line.substr(thread + 5));
    } else if (line.starts_with("#")) {
      place.level = std::stoul(line.substr(1));
      const std::size_t pc = line.find("0x");
      if (pc < 5) // behind the level, which has two digits at most here
        peer.pcs[{place.thread, place.level}] = std::stoull(line.substr(pc), nullptr, 16);
    } else if (equals != std::string::npos && line.find_first_of(" #") == equals) {
      place.name = line.substr(0, line.find_first_of(" @"));
      const std::string_view value = std::string_view(line).substr(equals + 3);
      const bool has_value = !value.starts_with("<optimized out>") && !value.starts_with("<synthetic pointer>") &&
                             !value.starts_with("<error reading");
      peer.has_value[place] = peer.has_value[place] || has_value;
    }
  }
  return peer;
}

struct Shares {
  std::size_t arguments = 0;
  std::size_t ours = 0;
  std::size_t gdbs = 0;
  std::string only_gdbs; ///< which have a value in gdb alone
};

/// Each argument of one thread that gdb has a value for, be it of a part only, must have one here.
void compare_with_gdb(const PeerArguments &peer, pid_t thread, const FrameValues &ours, Shares &shares) {
  const std::vector<FrameValue> &values = ours.all();
  const auto is_ours = [&](std::uint64_t pc) {
    return std::ranges::any_of(ours.frames(), [&](const FrameContext &frame) { return frame.pc.value == pc; });
  };
  for (const auto &[peer_place, has_value] : peer.has_value) {
    if (peer_place.thread != thread)
      continue;
    // gdb makes up frames for functions that left by a tail call.
    ArgumentPlace place = peer_place;
    bool is_made_up = false;
    for (const auto &[frame, pc] : peer.pcs) {
      place.level -= frame.first == thread && frame.second < peer_place.level && !is_ours(pc);
      is_made_up = is_made_up || (frame == std::pair(thread, peer_place.level) && !is_ours(pc));
    }
    if (is_made_up)
      continue;
    const auto mine = std::ranges::find_if(values, [&, &where = place](const FrameValue &value) {
      return value.level == where.level && value.variable.name == where.name && value.variable.is_parameter;
    });
    INFO("thread " << thread << " frame " << place.level << " argument " << place.name);
    const bool found = mine != values.end();
    CHECK(found);
    const bool known = found && mine->known;
    INFO((found ? mine->reason : "no such argument"));
    // gdb takes a register that a call may change, and that no table speaks of, for unchanged: its value is wrong then.
    const bool is_stale = found && !known && mine->reason.find("is not recoverable in this frame") != std::string::npos;
    if (has_value && !known && !is_stale)
      shares.only_gdbs += fmt::format("thread {} frame {} argument {}: {}\n", thread, place.level, place.name,
                                      found ? mine->reason : "no such argument");
    ++shares.arguments;
    shares.ours += known;
    shares.gdbs += has_value && !is_stale;
  }
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
      {"tail", "waits forgotten", "does not know any more"}, // over `leaves`, which was passed what nobody kept
      {"tail", "waits also_forgotten", nullptr},             // over `leaves`, which passed a constant
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
    const PeerArguments peer = have_program("gdb") ? gdb_arguments(child.pid()) : PeerArguments{};
    REQUIRE(wait_until([&] { return is_pausing(child.pid()); }));
    std::set<std::string> seen;
    std::vector<FrameValue> values;
    Shares shares;
    {
      TracedTarget target(child.pid());
      FrameValues found(target);
      values = found.all();
      compare_with_gdb(peer, child.pid(), found, shares);
      for (const FrameContext &frame : found.frames())
        if (frame.module != nullptr) {
          LineResolver &lines = lines_of(*frame.module);
          const LinkAddress address = frame.module->bias().to_link(frame.lookup);
          const auto names_there = lines.at(address);
          const auto scopes = function_scopes(lines, address);
          CHECK((scopes.empty() || scopes.size() == names_there.size()));
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
    CHECK(shares.arguments >= 10);
    std::printf("%s: of %zu arguments, %zu with a value, in gdb %zu\n", program.c_str(), shares.arguments, shares.ours,
                shares.gdbs);
    CHECK(shares.only_gdbs == "");
    CHECK(shares.ours >= shares.gdbs);
  }
}

TEST_CASE("In every frame of every thread at least the arguments have a value that have one in gdb") {
  if (!have_program("gdb"))
    SKIP_TEST("gdb is not installed");
  for (const char *program : {"blocked_gcc", "blocked_clang", "blocked_rust", "many_threads"}) {
    INFO(program);
    if (::access(fixture_path(program).c_str(), X_OK) != 0)
      continue; // built where clang and rustc are installed
    ChildProcess child({fixture_path(program), "3", "5"});
    child.wait_for_line();
    REQUIRE(wait_until([&] { return all_sleep(child.pid()); }));
    const PeerArguments peer = gdb_arguments(child.pid());
    REQUIRE(wait_until([&] { return all_sleep(child.pid()); }));
    Shares shares;
    for (const auto &entry : std::filesystem::directory_iterator("/proc/" + std::to_string(child.pid()) + "/task")) {
      const pid_t thread = std::stoi(entry.path().filename());
      TracedTarget target(child.pid(), thread);
      compare_with_gdb(peer, thread, FrameValues(target), shares);
    }
    std::printf("%s: of %zu arguments, %zu with a value, in gdb %zu\n", program, shares.arguments, shares.ours,
                shares.gdbs);
    CHECK(shares.arguments > 10);
    CHECK(shares.ours >= shares.gdbs);
    // Of what rustc 1.63 makes gdb shows a closure with a pointer of 0x89 where its location list has no entry.
    if (std::string_view(program) != "blocked_rust")
      CHECK(shares.only_gdbs == "");
  }
}
