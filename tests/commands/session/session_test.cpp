// Every session command against a live program, through the built binary.
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/process_health.h"
#include "tests/support/run_command.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace inspect::test;
using Catch::Matchers::Contains;

namespace {

/// fixtures/commands/known_words.cpp with the addresses it prints.
struct KnownWords {
  ChildProcess program{{fixture_path("known_words")}};
  std::string word, bytes, giant, edge;

  KnownWords() {
    std::istringstream line(program.read_line());
    line >> word >> bytes >> giant >> edge;
    program.wait_for_line("ready");
  }

  CommandResult attach(const std::vector<std::string> &commands, const std::vector<std::string> &options = {}) const {
    std::vector<std::string> words = {"attach", std::to_string(program.pid())};
    words.insert(words.end(), options.begin(), options.end());
    for (const std::string &command : commands) {
      words.emplace_back("-e");
      words.push_back(command);
    }
    return run_inspect(words);
  }

  std::string ask(const std::string &question) {
    program.write(question + "\n");
    return program.read_line();
  }
};

/// A file that is gone at the end of the scope.
class TemporaryFile {
public:
  explicit TemporaryFile(const std::string &text = {}) {
    const int descriptor = ::mkstemp(path_.data());
    REQUIRE(descriptor >= 0);
    ::close(descriptor);
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;

  const std::string &path() const { return path_; }
  std::string text() const {
    std::ostringstream all;
    all << std::ifstream(path_).rdbuf();
    return all.str();
  }

private:
  std::string path_ = "/tmp/inspect-test-XXXXXX";
};

/// The selected frame's number in the output of `frame`, `up` and `down` is at the line's start.
bool has_line_beginning(const std::string &text, const std::string &beginning) {
  return text.starts_with(beginning) || text.find("\n" + beginning) != std::string::npos;
}

/// A session that holds the process, with both its outputs in one.
ChildProcess holding_session(const ChildProcess &target) {
  ChildProcess session(
      {"sh", "-c", fmt::format("exec {}/inspect attach {} 2>&1", INSPECT_BINARY_DIRECTORY, target.pid())});
  session.write("stop\n");
  session.wait_for_line(fmt::format("process {} is held; continue lets it run", target.pid()));
  return session;
}

} // namespace

TEST_CASE("x prints known words in every format") {
  const KnownWords target;
  struct Row {
    std::string command;
    std::string expected;
  };
  const Row rows[] = {
      {"x -fmt hex -size 4 " + target.word, target.word + ":   0x97ff9ee9\n"},
      {"examinemem -size 4 -fmt hex -- " + target.word, target.word + ":   0x97ff9ee9\n"},
      {"x " + target.word, target.word + ":   0xe9\n"},
      {"x -size 4 -fmt dec " + target.word, target.word + ":   002550111977\n"},
      {"x -size 4 the_word", target.word + ":   0x97ff9ee9\n"},
      {"x -size 4 &the_word", target.word + ":   0x97ff9ee9\n"},
      {"x -size 2 the_word + 2", fmt::format("{:#x}:   0x97ff\n", std::strtoull(target.word.c_str(), nullptr, 16) + 2)},
      {"x -size 4 -x the_word", target.word + ":   0x97ff9ee9\n"},
      {"x -fmt oct -size 1 -count 2 the_bytes+14",
       fmt::format("{:#x}:   0016   0377\n", std::strtoull(target.bytes.c_str(), nullptr, 16) + 14)},
      {"x -fmt bin -count 2 -size 1 the_bytes+2",
       fmt::format("{:#x}:   00000010   00000011\n", std::strtoull(target.bytes.c_str(), nullptr, 16) + 2)},
      {"x/1gx the_giant", target.giant + ":   0x1122334455667788\n"},
      {"x/2wx the_giant", target.giant + ":   0x55667788   0x11223344\n"},
      {"x /1xg the_giant", target.giant + ":   0x1122334455667788\n"},
      {"x -fmt raw -count 3 " + target.edge + "-3", "ZZZ"},
  };
  for (const Row &row : rows) {
    CAPTURE(row.command);
    const CommandResult result = target.attach({row.command});
    CHECK(result.out == row.expected);
    CHECK(result.err.empty());
    CHECK(result.status == 0);
  }
}

TEST_CASE("x refuses what is invalid and says where memory ends") {
  const KnownWords target;
  struct Row {
    std::string command;
    std::string expected;
  };
  const Row rows[] = {
      {"x -count 1001 the_bytes", "at most 1000 bytes"},
      {"x -count 126 -size 8 the_bytes", "at most 1000 bytes"},
      {"x -count 0xffffffffffffffff -size 8 the_bytes", "at most 1000 bytes"},
      {"x -size 9 the_bytes", "-size is 1 to 8"},
      {"x -count 0 the_bytes", "above 0"},
      {"x -fmt hxe the_bytes", "did you mean 'hex'"},
      {"x", "an address is missing"},
      {"x no_such_symbol", "no symbol is named 'no_such_symbol'"},
      {"x $no_such_name", "'$no_such_name' is not a register, a number in the environment or a symbol"},
      {"x/4z the_bytes", "is not a size or format"},
      {"x 0x10", "0x10 is not mapped; the nearest mapping is 0x"},
      {"x -size 8 0xffffffffffffffff", "0xffffffffffffffff is not mapped"},
      {"x -size 8 -5", "0xfffffffffffffffb is not mapped"},
  };
  for (const Row &row : rows) {
    CAPTURE(row.command);
    const CommandResult result = target.attach({row.command});
    CHECK_THAT(result.err, Contains(row.expected));
    CHECK(result.out.empty());
    CHECK(result.status == 1);
  }
  const CommandResult across = target.attach({"x -count 8 -size 4 " + target.edge + "-8"});
  CHECK_THAT(across.out, Contains("0x5a5a5a5a   0x5a5a5a5a\n"));
  CHECK_THAT(across.err, Contains(target.edge + " is not mapped"));
  CHECK(across.status == 1);
}

TEST_CASE("x reads a number from the environment") {
  const KnownWords target;
  const auto result = run_command({"env", "ADDR=" + target.word, INSPECT_BINARY_DIRECTORY "/inspect", "attach",
                                   std::to_string(target.program.pid()), "-e", "x -size 4 $ADDR"});
  CHECK(result.out == target.word + ":   0x97ff9ee9\n");
}

TEST_CASE("set changes data, and the target itself sees it") {
  KnownWords target;
  const std::string at = target.word;
  const std::vector<std::pair<std::string, std::string>> writes = {
      {"set -size 4 " + at + " = 5", "0x5"},
      {"set *(*uint32)(" + at + ") = 0x10", "0x10"},
      {"set {int}" + at + " = -1", "0xffffffff"},
      {"set " + at + ":2 = 0", "0xffff0000"},
      {"set the_word = 7", "0x7"},
      {"set the_word = 0x97ff9ee9", "0x97ff9ee9"},
  };
  for (const auto &[command, seen] : writes) {
    CAPTURE(command);
    const CommandResult result = target.attach({command});
    CHECK(result.err.empty());
    CHECK(result.status == 0);
    CHECK(target.ask("word") == seen);
  }
  CHECK(target.attach({"set the_word = 6"}).out == "the_word: 2550111977 -> 6\n");
}

TEST_CASE("set changes program text, and the target runs it") {
  KnownWords target;
  CHECK(target.ask("call") == "41");
  // mov eax, 41 is b8 29 00 00 00; its operand is the second byte.
  const CommandResult refused = target.attach({"set patch_me+1:4 = 42"});
  CHECK(refused.status == 1);
  CHECK_THAT(refused.err, Contains("it is program text") && Contains("set -force"));
  CHECK(target.ask("call") == "41");
  const CommandResult result = target.attach({"x -fmt hex -size 1 patch_me", "set -force patch_me+1:4 = 42"});
  CAPTURE(result.err);
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Contains("   0xb8\n"));
  CHECK_THAT(result.out, Contains(": 0x00000029 -> 0x0000002a\n"));
  CHECK(target.ask("call") == "42");
  CHECK_THAT(target.attach({"disassemble -l patch_me"}).out, Contains("mov eax, 0x2a"));
}

TEST_CASE("set refuses what it must") {
  KnownWords target;
  struct Row {
    std::string command;
    std::vector<std::string> options;
    std::string expected;
  };
  const Row rows[] = {
      {"set -size 4 " + target.word + " = 5", {"--read-only"}, "--read-only"},
      {"set " + target.word + " = 5", {}, "how many bytes"},
      {"set " + target.word + ":1 = 256", {}, "does not fit"},
      {"set 0x10:4 = 5", {}, "0x10 is not mapped"},
      {"set " + target.edge + "-2:4 = 5", {}, target.edge + " is not mapped"},
  };
  for (const Row &row : rows) {
    CAPTURE(row.command);
    const CommandResult result = target.attach({row.command}, row.options);
    CHECK_THAT(result.err, Contains(row.expected));
    CHECK(result.out.empty());
    CHECK(result.status == 1);
  }
  CHECK(target.ask("word") == "0x97ff9ee9");
}

TEST_CASE("bt, frame, up and down walk the known stack") {
  const KnownWords target;
  const CommandResult result = target.attach({"bt"});
  CAPTURE(result.err);
  CHECK(result.status == 0);
  std::size_t at = 0;
  for (const char *function :
       {"wait_for_line(line=", "serve(line=", "shop::Till::open_for_business(line=", "main at "}) {
    CAPTURE(function);
    at = result.out.find(function, at);
    REQUIRE(at != std::string::npos);
  }
  CHECK_THAT(target.attach({"bt 1"}).out, Contains("more frames"));
  CHECK_THAT(target.attach({"bt -a"}).out, Contains("main at "));
  const CommandResult moves = target.attach({"frame 2", "up", "down 2", "down"});
  CHECK(has_line_beginning(moves.out, "#2 "));
  CHECK(has_line_beginning(moves.out, "#3 "));
  CHECK(has_line_beginning(moves.out, "#1 "));
  CHECK(has_line_beginning(moves.out, "#0 "));
  CHECK_THAT(moves.out, Contains("wait_for_line(line, size);")); // the frame's source line
  CHECK_THAT(target.attach({"down"}).err, Contains("innermost"));
  CHECK_THAT(target.attach({"frame 99999"}).err, Contains("there is no frame 99999; the last one is "));
  CHECK_THAT(target.attach({"frame 99999", "up 99999", "up"}).err, Contains("outermost"));
  CHECK_THAT(target.attach({"frame -1"}).err, Contains("'-1' is not a frame number"));
}

TEST_CASE("threads and thread name and select threads") {
  ChildProcess many({fixture_path("many_threads"), "3", "5"});
  many.wait_for_line("ready");
  const auto attach = [&](const std::string &command) {
    return run_inspect({"attach", std::to_string(many.pid()), "-e", command});
  };
  const CommandResult list = attach("threads");
  CAPTURE(list.err);
  CHECK(list.status == 0);
  CHECK(std::ranges::count(list.out, '\n') == 4);
  CHECK(list.out.starts_with("*"));
  CHECK_THAT(attach("thread").out, Contains(fmt::format("thread {} ", many.pid())));
  CHECK_THAT(attach("thread 1").err, Contains("has no thread 1"));
  CHECK_THAT(attach("thread one").err, Contains("'one' is not a thread id"));
  std::istringstream lines(list.out);
  std::string first, second, id;
  std::getline(lines, first);
  std::getline(lines, second);
  std::istringstream(second) >> id;
  CHECK_THAT(attach("tr " + id).out, Contains("thread " + id));
}

TEST_CASE("regs shows what is known in the selected frame") {
  const KnownWords target;
  const CommandResult inner = target.attach({"regs"});
  CAPTURE(inner.err);
  CHECK_THAT(inner.out, Contains("rip = 0x"));
  CHECK_THAT(inner.out, !Contains("not recoverable"));
  CHECK_THAT(inner.out, Contains("eflags = 0x"));
  CHECK_THAT(inner.out, !Contains("fs_base"));
  CHECK_THAT(target.attach({"regs -a"}).out, Contains("fs_base = 0x"));
  const CommandResult outer = target.attach({"frame 3", "regs"});
  CHECK_THAT(outer.out, Contains("rax = not recoverable"));
  CHECK_THAT(outer.out, Contains("rip = 0x"));
  CHECK_THAT(target.attach({"frame 3", "x $rax"}).err, Contains("rax is not recoverable in frame 3"));
  // The return address on the stack is the caller's rip: one word above the callee's CFA, below the caller's rsp.
  const CommandResult words = target.attach({"frame 2", "x -size 8 $rsp-8", "frame 1", "x -size 8 $rip"});
  CHECK(words.status == 0);
}

TEST_CASE("list shows source text") {
  const KnownWords target;
  const CommandResult around = target.attach({"frame 1", "list"});
  CAPTURE(around.err);
  CHECK_THAT(around.out, Contains("=>"));
  CHECK_THAT(around.out, Contains("int wait_for_line(char *line, int size) {"));
  CHECK_THAT(target.attach({"list patch_me"}).out, Contains("return 41;"));
  CHECK_THAT(target.attach({"list shop::Till::open_for_business"}).out, Contains("open_for_business"));
  for (const char *name : {"int shop::(anonymous namespace)::hidden<int>(int)", "shop::(anonymous namespace)::hidden"})
    CHECK_THAT(target.attach({std::string("list ") + name}).out, Contains("Number number"));
  CHECK_THAT(target.attach({"list known_words.cpp:1"}).out, Contains("    1: // Shows: memory words"));
  CHECK_THAT(target.attach({"list known_words.cpp:99999"}).err, Contains("lines, not"));
  CHECK_THAT(target.attach({"list nothing_here.cpp:1"}).err, Contains("no source file is named nothing_here.cpp"));
  CHECK_THAT(target.attach({"list /nowhere/at/all.cpp:1"}).err,
             Contains("there is no source file /nowhere/at/all.cpp"));
}

TEST_CASE("disassemble shows code with names") {
  const KnownWords target;
  const CommandResult result = target.attach({"frame 2", "disassemble"});
  CAPTURE(result.err);
  CHECK_THAT(result.out, Contains("serve:\n"));
  CHECK_THAT(result.out, Contains("=> known_words.cpp:"));
  CHECK_THAT(result.out, Contains("<wait_for_line>"));
  CHECK_THAT(target.attach({"disassemble -l patch_me"}).out, Contains("mov eax, 0x29"));
  CHECK_THAT(target.attach({"config disassemble-flavor att", "disassemble -l patch_me"}).out,
             Contains("mov $0x29, %eax"));
  CHECK_THAT(target.attach({"disassemble -a patch_me patch_me+5"}).out, Contains("mov eax, 0x29"));
  CHECK_THAT(target.attach({"disassemble -a patch_me patch_me+1"}).out, Contains("mov eax, 0x29")); // all of it
  CHECK_THAT(target.attach({"disassemble -a patch_me"}).err, Contains("START END"));
  CHECK_THAT(target.attach({"disassemble -a 0x20 0x10"}).err, Contains("not behind"));
  CHECK_THAT(target.attach({"disassemble -a 0x10 0x20"}).err, Contains("0x10 is not mapped"));
  CHECK_THAT(target.attach({"disassemble 0x10"}).err, Contains("no function is known at 0x10"));
}

TEST_CASE("maps, libraries, funcs and sources list what is there") {
  const KnownWords target;
  const CommandResult maps = target.attach({"maps"});
  CHECK_THAT(maps.out, Contains("r-xp"));
  CHECK_THAT(maps.out, Contains(fixture_path("known_words")));
  CHECK_THAT(maps.out, Contains("[stack]"));
  const CommandResult libraries = target.attach({"libraries"});
  CHECK_THAT(libraries.out, Contains(fixture_path("known_words")));
  CHECK_THAT(libraries.out, Contains("libc.so.6"));
  CHECK_THAT(libraries.out, Contains("build-id "));
  CHECK(target.attach({"funcs ^patch_me$"}).out == "patch_me\n");
  CHECK(target.attach({"funcs ^shop::Till"}).out == "shop::Till::open_for_business(char*, int)\n");
  CHECK(target.attach({"funcs ^no_function_has_this_name$"}).out.empty());
  CHECK(target.attach({"funcs hidden<"}).out == "int shop::(anonymous namespace)::hidden<int>(int)\n");
  CHECK_THAT(target.attach({"funcs ("}).err, Contains("is not a valid regular expression"));
  std::string source = target.attach({"sources known_words"}).out;
  CHECK(source.ends_with("/fixtures/commands/known_words.cpp\n"));
  source.pop_back();
  CHECK(std::filesystem::equivalent(source, INSPECT_SOURCE_DIRECTORY "/fixtures/commands/known_words.cpp"));
}

TEST_CASE("stop holds the target, continue and the end let it go") {
  KnownWords target;
  const CommandResult result = target.attach({"stop", "bt", "set the_word = 9", "continue", "bt"});
  CAPTURE(result.err);
  CHECK(result.status == 0);
  CHECK_THAT(result.out, Contains("is held"));
  CHECK(target.ask("word") == "0x9");
  CHECK(target.attach({"bt"}, {"--stop"}).status == 0);
  CHECK(target.ask("word") == "0x9");
}

TEST_CASE("config shows and changes settings") {
  const KnownWords target;
  CHECK_THAT(target.attach({"config -list"}).out, Contains("disassemble-flavor"));
  CHECK_THAT(target.attach({"config depth 1", "bt"}).out, Contains("more frames"));
  CHECK_THAT(target.attach({"config dept 1"}).err, Contains("did you mean 'depth'"));
  CHECK_THAT(target.attach({"config depth -1"}).err, Contains("depth"));
  CHECK_THAT(target.attach({"config depth many"}).err, Contains("takes a number"));
  CHECK_THAT(target.attach({"config colour pink"}).err, Contains("auto|on|off"));
  CHECK_THAT(target.attach({"config colour on", "bt"}).out, Contains("\x1b["));
  CHECK_THAT(target.attach({"bt"}).out, !Contains("\x1b["));
}

TEST_CASE("a failing command does not keep the others from running") {
  const KnownWords target;
  const CommandResult result = target.attach({"frobnicate", "x -size 4 the_word", "x 'open", "help bt"});
  CHECK(result.status == 1);
  CHECK_THAT(result.err, Contains("there is no command 'frobnicate'"));
  CHECK_THAT(result.err, Contains("a quote ' is not closed"));
  CHECK_THAT(result.out, Contains("0x97ff9ee9"));
  CHECK_THAT(result.out, Contains("bt [-full] [DEPTH] [full]"));
  CHECK_THAT(target.attach({"t"}).err, Contains("may be any of threads, thread, types, transcript"));
  CHECK(target.attach({"lib"}).status == 0); // a unique beginning
  CHECK_THAT(target.attach({"exit", "frobnicate"}).err, !Contains("frobnicate"));
}

TEST_CASE("a file of commands names file and line in its errors") {
  const KnownWords target;
  const TemporaryFile file("# a runbook\n\nx -size 4 the_word\nfrobnicate\n  # indented\nx/1gx the_giant\n");
  const CommandResult result = target.attach({}, {"-x", file.path()});
  CHECK(result.status == 1);
  CHECK_THAT(result.out, Contains("0x97ff9ee9"));
  CHECK_THAT(result.out, Contains("0x1122334455667788"));
  CHECK_THAT(result.err, Contains(fmt::format("inspect: {}:4: there is no command 'frobnicate'", file.path())));
  CHECK_THAT(target.attach({"source /nowhere/file"}).err, Contains("opening /nowhere/file"));
  const TemporaryFile endless;
  std::ofstream(endless.path()) << "source " << endless.path() << "\n";
  const CommandResult recursion = target.attach({"source " + endless.path()});
  CHECK(recursion.status == 1);
  CHECK_THAT(recursion.err, Contains("sourced too deeply"));
}

TEST_CASE("a transcript keeps what was printed") {
  const KnownWords target;
  const TemporaryFile file("before\n");
  const CommandResult result = target.attach(
      {"transcript " + file.path(), "x -size 4 the_word", "frobnicate", "transcript -off", "x/1gx the_giant"});
  CHECK_THAT(file.text(), Contains("before\n"));
  CHECK_THAT(file.text(), Contains("0x97ff9ee9"));
  CHECK_THAT(file.text(), Contains("frobnicate"));
  CHECK_THAT(file.text(), !Contains("0x1122334455667788"));
  CHECK_THAT(result.out, Contains("0x97ff9ee9"));
  const CommandResult quiet = target.attach({"transcript -t -x " + file.path(), "x -size 4 the_word"});
  CHECK(quiet.out.empty());
  CHECK(file.text() == target.word + ":   0x97ff9ee9\n");
  CHECK(target.attach({"transcript"}).status == 1);
}

TEST_CASE("commands come from a pipe, too") {
  const KnownWords target;
  const auto piped = [&](const std::string &text) {
    return run_command(
        {"sh", "-c",
         fmt::format("printf '{}' | {}/inspect attach {}", text, INSPECT_BINARY_DIRECTORY, target.program.pid())});
  };
  const CommandResult good = piped("x -size 4 the_word\\n\\n# comment\\nx/1gx the_giant");
  CHECK(good.status == 0);
  CHECK(good.out == fmt::format("{}:   0x97ff9ee9\n{}:   0x1122334455667788\n", target.word, target.giant));
  CHECK(good.err.empty());
  CHECK(piped("frobnicate\\nx -size 4 the_word\\n").status == 1);
  CHECK(piped("").status == 0);
}

TEST_CASE("a session outlives its target") {
  KnownWords target;
  ChildProcess session({INSPECT_BINARY_DIRECTORY "/inspect", "attach", std::to_string(target.program.pid())});
  session.write("config -list\nx -size 4 the_word\nhelp exit\n");
  session.wait_for_line(target.word + ":   0x97ff9ee9");
  target.program.signal(SIGKILL);
  target.program.wait();
  session.write("x -size 4 the_word\nhelp exit\nexit\n");
  const std::string rest = session.read_all();
  CHECK_THAT(rest, Contains("Leave; the target runs on"));
  CHECK_THAT(rest, !Contains("0x97ff9ee9"));
  CHECK(WEXITSTATUS(session.wait()) == 3);
}

/// Whether nothing is left of a process but the numbers of its threads.
bool all_threads_ended(pid_t process) {
  for (const auto &entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process))) {
    std::ostringstream text;
    text << std::ifstream(entry.path() / "stat").rdbuf();
    const std::size_t state = text.str().rfind(") ");
    if (state != std::string::npos && text.str()[state + 2] != 'Z')
      return false;
  }
  return true;
}

// Its threads stay zombies as long as they are traced, and what it had in memory is gone.
TEST_CASE("a held target that is killed has ended, whatever is asked next") {
  for (const std::string command : {"bt", "threads", "x $rsp", "p $rip", "p 1", "regs", "maps", "continue", "stop"}) {
    INFO(command);
    ChildProcess target({fixture_path("many_threads"), "4", "3"});
    target.wait_for_line("ready");
    ChildProcess session = holding_session(target);
    target.signal(SIGKILL);
    REQUIRE(wait_until([&] { return all_threads_ended(target.pid()); }));
    session.write(command + "\nhelp exit\n");
    session.close_stdin();
    const std::string rest = session.read_all();
    CHECK_THAT(rest, Contains(fmt::format("process {} has ended", target.pid())));
    CHECK_THAT(rest, Contains("Leave; the target runs on"));
    CHECK_THAT(rest, !Contains("no memory to read"));
    CHECK_THAT(rest, !Contains("0x"));
    CHECK(WEXITSTATUS(session.wait()) == 3);
  }
}

TEST_CASE("a command during which its held target is killed says that it has ended") {
  ChildProcess target({fixture_path("many_threads"), "4", "3"});
  target.wait_for_line("ready");
  ChildProcess session = holding_session(target);
  target.signal(SIGKILL); // its threads end while the next commands run
  for (int i = 0; i < 300; ++i)
    session.write("x -size 8 $rsp\n");
  session.close_stdin();
  const std::string rest = session.read_all();
  CHECK_THAT(rest, Contains(fmt::format("process {} has ended", target.pid())));
  CHECK_THAT(rest, !Contains("not mapped"));
  CHECK_THAT(rest, !Contains("no memory to read"));
  CHECK(WEXITSTATUS(session.wait()) == 3);
}

/// A process whose main thread waits in vfork(2) until its stdin closes, where nothing stops it; `threads` others
/// sleep.
ChildProcess vfork_parent(int threads) {
  ChildProcess parent = ChildProcess::forked([threads]() -> int {
    for (int i = 0; i < threads; ++i)
      std::thread([] {
        for (;;)
          ::usleep(1000);
      }).detach();
    const pid_t child = ::vfork();
    if (child == 0) {
      char byte = 0;
      [[maybe_unused]] const ssize_t ended = ::read(0, &byte, 1);
      ::_exit(0);
    }
    say_line("returned");
    ::pause();
    return 0;
  });
  REQUIRE(wait_until([&] { return status_field(parent.pid(), "State").starts_with("D"); }));
  return parent;
}

TEST_CASE("stop says so when it stopped no thread, or not all") {
  for (const int threads : {0, 1}) {
    INFO(threads << " other threads");
    ChildProcess target = vfork_parent(threads);
    const std::string process = std::to_string(target.pid());
    const CommandResult result = run_inspect({"attach", process, "-e", "stop"});
    const std::string reason = "it did not stop in time";
    if (threads == 0) {
      CHECK(result.status == 1);
      CHECK_THAT(result.out, !Contains("is held"));
      CHECK_THAT(result.err, Contains(fmt::format("no thread of process {} could be stopped (thread {}: {}", process,
                                                  process, reason)));
      CHECK(run_inspect({"attach", process, "--stop", "-e", "bt"}).status == 1);
    } else {
      CHECK(result.status == 0);
      CHECK_THAT(result.out, Contains("is held"));
      CHECK_THAT(result.err, Contains(fmt::format("thread {} is not: {}", process, reason)));
    }
    target.close_stdin();
    target.wait_for_line("returned");
    CHECK(what_is_wrong_with(target.pid()).empty());
  }
}

TEST_CASE("attach refuses what is not a process") {
  CHECK(run_inspect({"attach"}).status == 2);
  CHECK(run_inspect({"attach", "no-such-process-here"}).status == 3);
  CHECK(run_inspect({"attach", "-1"}).status == 2);
  CHECK(run_inspect({"attach", "99999999999999999999"}).status == 2);
  CHECK(run_inspect({"attach", "4194304", "-e", "bt"}).status == 3);
  CHECK(run_inspect({"attach", "1", "2"}).status == 2);
}

TEST_CASE("a session leaves the target as it was") {
  const KnownWords target;
  CHECK(target.attach({"bt", "stop", "bt", "set the_word = 1", "regs"}).status == 0);
  CHECK(what_is_wrong_with(target.program.pid()).empty());
}
