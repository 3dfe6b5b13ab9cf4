// Go programs that are not just one static file started from a shell: with C around and in between, position
// independent, without section headers, with the file gone, in other namespaces, next to native processes.
#include "attach/procfs/process_list.h"
#include "attach/procfs/process_status.h"
#include "tests/golang/library_host.h"
#include "tests/golang/other_version.h"
#include "tests/support/child_process.h"
#include "tests/support/foreign_root.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/skip.h"
#include "tests/support/stacks_json.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/terminal.h"

#include <algorithm>
#include <elf.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <map>

namespace inspect::test {
namespace {

using Catch::Matchers::Contains;
using Json = nlohmann::json;

std::string pid_of(const ChildProcess &process) {
  return std::to_string(process.pid());
}

/// The functions of a stack, without the runtime's own, innermost first.
std::vector<std::string> functions_of(const Json &goroutine) {
  std::vector<std::string> names;
  for (const Json &frame : goroutine["frames"])
    if (frame["function"].is_string() && !frame["function"].get<std::string>().starts_with("runtime."))
      names.push_back(frame["function"]);
  return names;
}

/// What is between the frames that Go makes for a call of C, or of Go from C, differs with the version.
std::vector<std::string> functions_of_fixture(const Json &goroutine) {
  const std::vector<std::string> all{"wait_in_c",     "call_wait",     "main.callC",       "call_back",
                                     "main.callBack", "main.waitInGo", "main.goWait",      "main.main",
                                     "main.receive",  "main._cgoexp",  "main.waitInPlugin"};
  std::vector<std::string> names = functions_of(goroutine);
  std::erase_if(names, [&](const std::string &name) { return std::ranges::find(all, name) == all.end(); });
  return names;
}

const std::vector<std::string> one_call_back{"main.waitInGo", "main.goWait", "call_back", "main.callBack"};

/// fixtures/golang/c_calls.
void check_c_calls(const Json &dump) {
  check_complete(dump);
  const auto in_c = goroutines_in(dump, "main.callC");
  REQUIRE(in_c.size() == 1);
  CHECK(functions_of_fixture(in_c.front()) == std::vector<std::string>{"wait_in_c", "call_wait", "main.callC"});
  CHECK(in_c.front()["status"] == "syscall");
  // Thread and goroutine know each other by the number that we use for the thread.
  const auto thread =
      std::ranges::find(dump["threads"], in_c.front()["thread"], [](const Json &one) { return one["tid"]; });
  REQUIRE(thread != dump["threads"].end());
  CHECK((*thread)["goroutine"] == in_c.front()["id"]);

  auto called_back = goroutines_in(dump, "main.waitInGo");
  REQUIRE(called_back.size() == 2);
  std::ranges::sort(called_back, {}, [](const Json &one) { return one["frames"].size(); });
  CHECK(functions_of_fixture(called_back.front()) == one_call_back);
  std::vector<std::string> three_times;
  for (int i = 0; i < 3; ++i)
    three_times.insert(three_times.end(), one_call_back.begin(), one_call_back.end());
  CHECK(functions_of_fixture(called_back.back()) == three_times);
  for (const Json &goroutine : called_back)
    CHECK(goroutine["wait_reason"] == "chan receive");
}

/// fixtures/golang/goroutine_leak -n 20.
void check_leak_goroutines(const Json &dump) {
  CHECK(goroutines_in(dump, "main.receive").size() == 20);
  CHECK(goroutines_in(dump, "main.main").size() == 1);
}

void check_leak(const Json &dump) {
  check_complete(dump);
  check_leak_goroutines(dump);
}

ChildProcess start_leak(const std::string &program) {
  ChildProcess process({program, "-n", "20"});
  process.wait_for_line();
  return process;
}

/// As sstrip leaves a file: without section headers.
void drop_section_headers(const std::string &path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  Elf64_Ehdr header{};
  file.read(reinterpret_cast<char *>(&header), sizeof header);
  header.e_shoff = 0;
  header.e_shnum = 0;
  header.e_shstrndx = 0;
  file.seekp(0);
  file.write(reinterpret_cast<const char *>(&header), sizeof header);
}

} // namespace

TEST_CASE("a heading says that a Go version is newer than the program knows, and how its layout was checked") {
  if (go_toolchains().empty())
    SKIP_TEST("no Go toolchain is installed");
  const GoToolchain go = go_toolchains().back();
  const TemporaryDirectory folder;
  const std::string version = fmt::format("go1.29{}", go.version.substr(6));
  ChildProcess process({with_version(build_go(go, "goroutine_leak"), go.version, version, folder), "-n", "20"});
  process.wait_for_line();
  check_leak_goroutines(stacks_json(process.pid()));
  const CommandResult text = run_inspect({"stacks", pid_of(process)});
  CHECK(text.status == 0);
  CHECK_THAT(text.out, Contains(version + " (newer than this program knows; ") && Contains(" checks held); "));
  CHECK_THAT(text.out + text.err, !Contains("damaged"));
}

TEST_CASE("a C program with two Go libraries of different versions: the goroutines and MemStats of both, by library") {
  const std::vector<GoToolchain> toolchains = go_toolchains();
  if (toolchains.empty())
    SKIP_TEST("no Go toolchain is installed");
  const TemporaryDirectory folder;
  const auto copied = [&](const GoToolchain &go, const std::string &name) {
    REQUIRE(run_command({"cp", build_go(go, "c_shared", GoVariant::c_shared), folder / name}).status == 0);
    return folder / name;
  };
  const std::map<std::string, std::string> versions = {
      {copied(toolchains.front(), "libold.so"), toolchains.front().version},
      {copied(toolchains.back(), "libnew.so"), toolchains.back().version}};
  ChildProcess process({build_library_host(folder), folder / "libold.so", folder / "libnew.so"});
  process.wait_for_line("ready");
  const auto rests = [&](const Json &dump) { return goroutines_in(dump, "main.waitInLibrary").size() == 20; };
  REQUIRE(wait_until([&] { return rests(stacks_json(process.pid())); }));
  const Json dump = stacks_json(process.pid());
  check_complete(dump);
  REQUIRE(dump["go_runtimes"].size() == 2);
  for (const Json &runtime : dump["go_runtimes"])
    CHECK(runtime["version"].get<std::string>().starts_with(versions.at(runtime["image"])));
  std::vector<std::size_t> by_runtime(2);
  for (const Json &goroutine : goroutines_in(dump, "main.waitInLibrary"))
    ++by_runtime.at(goroutine["go_runtime"].get<std::size_t>());
  CHECK(by_runtime == std::vector<std::size_t>{10, 10});

  const CommandResult text = run_inspect({"stacks", pid_of(process)});
  const std::string old_version = versions.at(folder / "libold.so") + " (libold.so)";
  const std::string new_version = versions.at(folder / "libnew.so") + " (libnew.so)";
  CHECK_THAT(text.out, Contains("c, hosts ") && Contains(old_version) && Contains(new_version));
  CHECK_THAT(text.out, Contains("10 goroutines of libold.so, in chan receive") &&
                           Contains("10 goroutines of libnew.so, in chan receive"));
  CHECK_THAT(run_inspect({"stacks", pid_of(process), "--threads"}).out, Contains(old_version) && Contains(new_version));
  CHECK_THAT(run_inspect({"ps", pid_of(process)}).out, Contains(old_version) && Contains(new_version));
  for (const char *option : {"--no-stop", "--stopped"})
    CHECK(rests(stacks_json(process.pid(), {option})));

  const Json memory = Json::parse(run_inspect({"mem", pid_of(process), "--json"}).out);
  REQUIRE(memory["go_runtimes"].size() == 1);
  CHECK(memory["go"]["goroutines"].get<std::size_t>() >= 10);
  CHECK(memory["go_runtimes"][0]["go"]["goroutines"].get<std::size_t>() >= 10);
  CHECK(versions.contains(memory["go_runtimes"][0]["image"]));

  // Both count their goroutines from 1.
  std::map<std::uint64_t, std::size_t> times;
  for (const Json &goroutine : dump["goroutines"])
    ++times[goroutine["id"].get<std::uint64_t>()];
  const auto both = std::ranges::find(times, std::size_t{2}, &std::pair<const std::uint64_t, std::size_t>::second);
  REQUIRE(both != times.end());
  const std::string id = std::to_string(both->first);
  const CommandResult ambiguous = run_inspect({"attach", pid_of(process), "-e", "goroutine " + id});
  CHECK(ambiguous.status != 0);
  CHECK_THAT(ambiguous.err, Contains("of libold.so") && Contains("of libnew.so"));
  for (const std::string library : {"libold.so", "libnew.so"}) {
    const CommandResult chosen = run_inspect({"attach", pid_of(process), "-e", "goroutine " + id + " " + library});
    CHECK(chosen.status == 0);
    CHECK_THAT(chosen.out, Contains("goroutine " + id + " of " + library + " ["));
  }
}

TEST_CASE("goroutines in C calls and in Go called from C: the frames of both, in order") {
  for_each_go([](const GoToolchain &go) {
    ChildProcess process({build_go(go, "c_calls", GoVariant::cgo)});
    process.wait_for_line();
    check_c_calls(stacks_json(process.pid()));
    check_c_calls(stacks_json(process.pid(), {"--stopped"}));
    const CommandResult text = run_inspect({"stacks", pid_of(process)});
    CHECK(text.err == "");
    CHECK_THAT(text.out, Contains("wait_in_c") && Contains("main._Cfunc_call_wait"));
  });
}

TEST_CASE("goroutines come and go in a process of which one thread cannot be stopped") {
  for_each_go([](const GoToolchain &go) {
    ChildProcess process({build_go(go, "vfork_parent", GoVariant::cgo)});
    process.wait_for_line();
    pid_t thread = 0;
    REQUIRE(wait_until([&] {
      const std::vector<pid_t> threads = list_threads(process.pid()).value();
      for (const pid_t one : threads)
        if (const auto stat = read_process_stat(one); stat && stat->state == 'D')
          thread = one;
      return thread != 0;
    }));
    const Json dump = stacks_json(process.pid());
    CHECK(goroutines_in(dump, "main.waitForever").size() == 20);
    CHECK(goroutines_in(dump, "main.comeAndGo").size() >= 1);
    const auto holding = goroutines_in(dump, "main.holdInVfork");
    REQUIRE(holding.size() == 1);
    CHECK(holding.front()["status"] == "syscall");
    CHECK(holding.front()["thread"] == thread);
    const auto unstopped = std::ranges::find(dump["threads"], Json(thread), [](const Json &one) { return one["tid"]; });
    REQUIRE(unstopped != dump["threads"].end());
    CHECK((*unstopped)["read"] == "without_stop");
    CHECK((*unstopped)["waiting_for"] == "waits for its vfork child to call exec or to end");
    const auto functions = functions_of(*unstopped);
    CHECK(std::ranges::count(functions, "wait_in_vfork") == 1);
    CHECK(dump["warnings"].empty());
    process.close_stdin();
    process.wait_for_line("returned");
  });
}

TEST_CASE("a Go program in its own pid namespace: its own thread numbers are not ours") {
  if (!can_run({"unshare", "--pid", "--fork", "--kill-child", "true"}))
    SKIP_TEST("no new pid namespaces here");
  for_each_go([](const GoToolchain &go) {
    ChildProcess launcher({"unshare", "--pid", "--fork", "--kill-child", build_go(go, "c_calls", GoVariant::cgo)});
    launcher.wait_for_line();
    const auto inside = children_of(launcher.pid());
    REQUIRE(inside.size() == 1);
    check_c_calls(stacks_json(inside.front()));
  });
}

TEST_CASE("a Go program in a root of its own, whose file is at another place for us") {
  if (!can_run({"unshare", "--mount", "true"}))
    SKIP_TEST("no new mount namespaces here");
  for_each_go([](const GoToolchain &go) {
    const TemporaryFolder folder;
    copy_with_libraries(build_go(go, "c_calls", GoVariant::cgo), folder / "root", "/app/server");
    ChildProcess contained({"unshare", "--mount", "chroot", folder / "root", "/app/server"});
    contained.wait_for_line();
    check_c_calls(stacks_json(contained.pid()));
  });
}

TEST_CASE("Go programs linked in other ways, stripped of more, or deleted meanwhile") {
  for_each_go([](const GoToolchain &go) {
    for (const GoVariant variant : {GoVariant::pie, GoVariant::external}) {
      INFO(variant_name(variant));
      const ChildProcess process = start_leak(build_go(go, "goroutine_leak", variant));
      check_leak(stacks_json(process.pid()));
    }
    const TemporaryDirectory folder;
    const std::string program = folder / "service";
    copy_file_to(build_go(go, "goroutine_leak", GoVariant::stripped), program);
    drop_section_headers(program);
    const ChildProcess process = start_leak(program);
    check_leak(stacks_json(process.pid()));
    std::filesystem::remove(program);
    check_leak(stacks_json(process.pid()));
    // A build put in its place is another program.
    copy_file_to("/bin/true", program);
    check_leak(stacks_json(process.pid()));
  });
}

TEST_CASE("a Go library in a C program: goroutines, and what the C threads do") {
  constexpr std::string_view source = R"(
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static void wait_for_ever(void) { for (;;) pause(); }
int main(int count, char **arguments) {
  void *library = count > 1 ? dlopen(arguments[1], RTLD_NOW) : NULL;
  void *symbol = library ? dlsym(library, "StartGoroutines") : NULL;
  if (!symbol)
    return 1;
  void (*start)(int);
  memcpy(&start, &symbol, sizeof start);
  start(10);
  puts("ready");
  fflush(stdout);
  wait_for_ever();
}
)";
  if (!have_program("cc"))
    SKIP_TEST("no C compiler is installed");
  for_each_go([&](const GoToolchain &go) {
    const TemporaryDirectory folder;
    const std::string program = folder / "host";
    REQUIRE(run_command({"cc", "-O0", "-o", program, folder.write("host.c", source), "-ldl"}).status == 0);
    ChildProcess host({program, build_go(go, "c_shared", GoVariant::c_shared)});
    host.wait_for_line();
    const Json dump = stacks_json(host.pid());
    check_complete(dump);
    CHECK(goroutines_in(dump, "main.waitInLibrary").size() == 10);
    // Since Go 1.21 the main thread has a goroutine for its calls of Go, which hides nothing of what it does.
    const CommandResult text = run_inspect({"stacks", pid_of(host)});
    CHECK_THAT(text.out, Contains("wait_for_ever") && Contains("main.waitInLibrary"));
    CHECK(text.err == "");
  });
}

TEST_CASE("goroutines that run a plugin's code") {
  for_each_go([](const GoToolchain &go) {
    ChildProcess host({build_go(go, "plugin_host", GoVariant::cgo), build_go(go, "plugin_part", GoVariant::plugin)});
    host.wait_for_line();
    const Json dump = stacks_json(host.pid());
    check_complete(dump);
    CHECK(goroutines_in(dump, "example.com/fixtures/plugin_part.waitInPlugin").size() == 5);
  });
}

TEST_CASE("the options of stacks on a Go program") {
  const auto toolchains = go_toolchains();
  if (toolchains.empty())
    SKIP_TEST("no Go toolchain is installed");
  const ChildProcess go = start_leak(build_go(toolchains.back(), "goroutine_leak", GoVariant::stripped));
  ChildProcess native({fixture_path("many_threads"), "3", "2"});
  native.wait_for_line();
  const std::string pid = pid_of(go);

  SECTION("--threads: no goroutine, but threads walked and named as Go's, though stripped") {
    const Json dump = stacks_json(go.pid(), {"--threads"});
    CHECK(dump["goroutines"].empty());
    CHECK(dump["threads"].size() > 2);
    check_complete(dump);
    const Json &main = dump["threads"].front();
    for (const Json &frame : main["frames"])
      CHECK((frame["function"].is_string() && frame["guessed"] == false));
    const CommandResult text = run_inspect({"stacks", pid, "--threads"});
    CHECK_THAT(text.out, Contains("thread " + pid) && Contains("runtime.") && !Contains("goroutine "));
    CHECK(text.err == "");
    const CommandResult traceback = run_inspect({"stacks", pid, "--threads", "--format", "go"});
    CHECK(std::ranges::count(traceback.out, '[') >= static_cast<std::ptrdiff_t>(dump["threads"].size()));
  }
  SECTION("--depth: no stack has more, and those that are cut say so") {
    const Json dump = stacks_json(go.pid(), {"--depth", "3"});
    CHECK(dump["warnings"].empty());
    for (const Json &goroutine : goroutines_in(stacks_json(go.pid()), "main.receive")) {
      const auto same =
          std::ranges::find(dump["goroutines"], goroutine["id"], [](const Json &one) { return one["id"]; });
      REQUIRE(same != dump["goroutines"].end());
      CHECK((*same)["frames"].size() == 3);
      CHECK((*same)["end"]["reason"] == "depth_limit");
    }
  }
  SECTION("--no-group, --stopped") {
    const CommandResult grouped = run_inspect({"stacks", pid});
    const CommandResult single = run_inspect({"stacks", pid, "--no-group", "--stopped"});
    CHECK(single.err == "");
    const auto blocks = [](const std::string &text) {
      std::size_t count = 0;
      for (std::size_t at = 0; (at = text.find("main.receive(", at)) != std::string::npos; ++at)
        ++count;
      return count;
    };
    CHECK(blocks(grouped.out) < 3); // one may have its own line of a loop
    CHECK(blocks(single.out) == 20);
  }
  SECTION("--args") {
    const std::string none = run_inspect({"stacks", pid, "--args", "none", "--no-group"}).out;
    CHECK_THAT(none, Contains("main.receive at") && !Contains("main.receive("));
    CHECK_THAT(run_inspect({"stacks", pid, "--args", "words", "--no-group"}).out, Contains("main.receive(0x"));
    const std::string values = run_inspect({"stacks", pid, "--args", "values", "--no-group"}).out;
    CHECK_THAT(values, Contains("main.receive(") && Contains("(heap)"));
    CHECK(run_inspect({"stacks", pid, "--args", "all"}).status == 2);
  }
  SECTION("several processes, native ones among them") {
    const CommandResult both = run_inspect({"stacks", pid, pid_of(native)});
    CHECK(both.status == 0);
    CHECK_THAT(both.out, Contains("process " + pid) && Contains("process " + pid_of(native)) &&
                             Contains("main.receive") && Contains("many_threads"));
    const CommandResult goroutines = run_inspect({"stacks", pid_of(native), pid, "--goroutines"});
    CHECK(goroutines.status == 1);
    CHECK_THAT(goroutines.err, Contains("process " + pid_of(native) + " (many_threads) is not a Go program") &&
                                   Contains("leave out --goroutines"));
    CHECK_THAT(goroutines.out, Contains("main.receive") && !Contains("\nthread "));
  }
  SECTION("-o, and a profile only there") {
    const TemporaryDirectory folder;
    const CommandResult to_file = run_inspect({"stacks", pid, "-o", folder / "text"});
    CHECK((to_file.status == 0 && to_file.out.empty()));
    std::ifstream file(folder / "text");
    CHECK_THAT(std::string(std::istreambuf_iterator<char>(file), {}), Contains("main.receive"));
    CHECK(run_inspect({"stacks", pid, "-o", folder / "missing/text"}).status == 1);
    CHECK(run_inspect({"stacks", pid, "--format", "pprof", "-o", folder / "profile"}).status == 0);
    std::ifstream profile(folder / "profile");
    CHECK((profile.get() == 0x1f && profile.get() == 0x8b)); // gzip
    const CommandResult two = run_inspect({"stacks", pid, pid_of(native), "--format", "pprof"});
    CHECK(two.status == 2);
    CHECK_THAT(two.err, Contains("one PID at a time"));
    Terminal terminal({INSPECT_BINARY_DIRECTORY "/inspect", "stacks", pid, "--format", "pprof"});
    CHECK(terminal.wait_for("-o FILE"));
    CHECK(terminal.wait_for_end() == 2);
  }
}

} // namespace inspect::test
