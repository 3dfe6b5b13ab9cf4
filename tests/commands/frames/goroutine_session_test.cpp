// The goroutine commands of a session against fixtures/golang/channels_and_defers, compared with what that program
// prints of its channels and with its source.
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/run_command.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <sys/wait.h>

using namespace inspect::test;
using Catch::Matchers::Contains;
using Catch::Matchers::Matches;

namespace {

/// The fixture at rest, and one session after the other with it.
class Waiting {
public:
  explicit Waiting(const std::string &program) : program_({program}) {
    for (std::string line = program_.read_line(); line != "ready"; line = program_.read_line()) {
      const std::size_t blank = line.find(' ');
      addresses_[line.substr(0, blank)] = line.substr(blank + 1);
    }
  }

  CommandResult attach(const std::vector<std::string> &commands) const {
    std::vector<std::string> words = {"attach", std::to_string(program_.pid())};
    for (const std::string &command : commands) {
      words.emplace_back("-e");
      words.push_back(command);
    }
    return run_inspect(words);
  }
  /// Of commands that succeed.
  std::string out(const std::vector<std::string> &commands) const {
    const CommandResult result = attach(commands);
    CHECK(result.err == "");
    CHECK(result.status == 0);
    return result.out;
  }

  /// The number of the goroutine, the only one, whose place in the program is in this function.
  std::string id_of(const std::string &function) const {
    const std::vector<std::string> ids = ids_in(out({"goroutines -with userloc '^main\\." + function + " '"}));
    REQUIRE(ids.size() == 1);
    return ids.front();
  }
  static std::vector<std::string> ids_in(const std::string &text) {
    std::vector<std::string> ids;
    const std::regex pattern("(^|\n)[* ] goroutine ([0-9]+) ");
    for (std::sregex_iterator found(text.begin(), text.end(), pattern), end; found != end; ++found)
      ids.push_back((*found)[2]);
    return ids;
  }
  const std::string &address_of(const std::string &channel) const { return addresses_.at(channel); }
  void tell(const std::string &what) {
    program_.write(what + "\n");
    program_.wait_for_line("done");
  }
  pid_t pid() const { return program_.pid(); }

private:
  ChildProcess program_;
  std::map<std::string, std::string> addresses_;
};

/// The lines of the fixture's source that hold a text, counted from 1.
std::vector<int> source_lines(const std::string &text) {
  std::ifstream source(INSPECT_SOURCE_DIRECTORY "/fixtures/golang/channels_and_defers/main.go");
  std::vector<int> lines;
  int number = 0;
  for (std::string line; std::getline(source, line);) {
    ++number;
    if (line.find(text) != std::string::npos)
      lines.push_back(number);
  }
  return lines;
}

int source_line(const std::string &text) {
  const std::vector<int> lines = source_lines(text);
  REQUIRE(lines.size() == 1);
  return lines.front();
}

std::size_t count_of(const std::string &text, const std::string &what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size()))
    ++count;
  return count;
}

std::vector<std::string> lines_of(const std::string &text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

/// For each toolchain, the program with all it can have and without any symbols.
template <typename Body> void for_each_program(Body body) {
  for_each_go([&](const GoToolchain &go) {
    for (const GoVariant variant : {GoVariant::plain, GoVariant::stripped}) {
      DYNAMIC_SECTION(variant_name(variant)) {
        const Waiting program(build_go(go, "channels_and_defers", variant));
        body(program);
      }
    }
  });
}

} // namespace

TEST_CASE("goroutines lists each with its place in the program") {
  for_each_program([](const Waiting &program) {
    const std::string all = program.out({"goroutines"});
    for (const std::string function :
         {"sendNumber", "selectBoth", "receiveFromNil", "mortal", "lockTwice", "labelled", "deferInLoop"})
      CHECK_THAT(all, Contains("; main." + function + " at "));
    CHECK(count_of(all, "; main.receiveOrder at ") == 2);
    CHECK(count_of(all, "; main.deferOpenCoded at ") == 2);
    CHECK_THAT(all, Contains("[chan receive (nil chan)]; main.receiveFromNil at "));
    CHECK_THAT(all, Contains(fmt::format("main.go:{}\n", source_line("numbers <- 4"))));
    CHECK_THAT(lines_of(all).back(), Matches("[0-9]+ goroutines; [0-9]+ of the runtime's own with -a"));

    CHECK_THAT(program.out({"goroutines -r"}), Contains("; runtime.gopark at "));
    const std::string started = program.out({"goroutines -s -with userloc main.deferInLoop"});
    CHECK_THAT(started, Contains("2 of "));
    CHECK_THAT(program.out({"goroutines -s -with userloc main.sendNumber"}),
               Contains("; main.sendNumber at ") &&
                   Contains(fmt::format("main.go:{}\n", source_line("func sendNumber("))));
    const std::string created = program.out({"goroutines -g -with userloc main.sendNumber"});
    CHECK_THAT(created, Contains("; main.main at "));
    CHECK_THAT(created, Contains(fmt::format("main.go:{}\n", source_line("go sendNumber(numbers)"))));
    CHECK_THAT(program.out({"goroutines -a"}), Contains("runtime.forcegchelper at "));
    CHECK_THAT(program.out({"grs -with goloc 'main\\.main ' -without userloc main.r -without userloc main.d "
                            "-without userloc main.[lms]e"}),
               Contains("; main.mortal at "));
  });
}

TEST_CASE("goroutines shows labels, stacks and groups") {
  for_each_program([](const Waiting &program) {
    const std::string labelled = program.out({"goroutines -l -with label tenant=7"});
    REQUIRE(Waiting::ids_in(labelled).size() == 1);
    CHECK_THAT(labelled, Contains("; main.labelled at ") && Contains("      labels tenant: 7\n"));
    CHECK_THAT(program.out({"goroutines -with label tenant=8"}), Matches("0 of [0-9]+ goroutines\n"));

    const std::string stacks = program.out({"goroutines -t 1 -with userloc main.lockTwice"});
    CHECK_THAT(stacks, Contains("Mutex") && Contains("more frames") && !Contains("gopark"));
    CHECK_THAT(program.out({"goroutines -t -with userloc main.lockTwice"}),
               Contains("main.lockTwice") && Contains("created by main.main"));

    const std::string groups = program.out({"goroutines -group userloc"});
    CHECK_THAT(groups, Contains("2 goroutines: main.receiveOrder at "));
    CHECK_THAT(groups, Contains("2 goroutines: main.deferOpenCoded at "));
    CHECK_THAT(groups,
               Matches("[\\s\\S]*2 goroutines: main.receiveOrder at [^\n]*\n  ids [0-9-]+( [0-9]+)?\n[\\s\\S]*"));
    CHECK_THAT(
        program.out({"goroutines -group goloc -with userloc main.mortal"}),
        Matches("1 goroutine: main.main at [^\n]*\n  goroutine [0-9]+ [^\n]*; main.mortal at [^\n]*\n1 of [\\s\\S]*"));
    CHECK_THAT(lines_of(groups).back(), Matches("[0-9]+ goroutines in [0-9]+ groups.*"));
    CHECK_THAT(program.out({"goroutines -group label tenant"}), Contains("1 goroutine: tenant=7\n"));
  });
}

TEST_CASE("goroutines -waiting says of how many the time is not known") {
  for_each_program([](const Waiting &program) {
    CHECK_THAT(program.out({"goroutines -waiting '>1d'"}),
               Matches("0 of [0-9]+ goroutines[\\s\\S]*[0-9]+ wait since a time that is not known[\\s\\S]*"));
  });
}

TEST_CASE("goroutines -chan finds who waits on a channel, at the address that the program prints") {
  for_each_program([](const Waiting &program) {
    const std::string orders = program.out({"goroutines -chan " + program.address_of("orders")});
    CHECK(count_of(orders, "; main.receiveOrder at ") == 2);
    CHECK(count_of(orders, "; main.selectBoth at ") == 1);
    CHECK_THAT(lines_of(orders).back(), Contains("3 of "));
    const std::string numbers = program.out({"goroutines -chan " + program.address_of("numbers")});
    CHECK(count_of(numbers, "; main.sendNumber at ") == 1);
    CHECK(count_of(numbers, "; main.selectBoth at ") == 1);
    CHECK_THAT(lines_of(numbers).back(), Contains("2 of "));
    CHECK_THAT(program.out({"goroutines -chan " + program.address_of("alone")}), Contains("0 of "));
  });
}

TEST_CASE("goroutine says what it waits for") {
  for_each_program([](const Waiting &program) {
    const std::string &orders = program.address_of("orders");
    const std::string &numbers = program.address_of("numbers");
    const std::string sender = program.out({"goroutine " + program.id_of("sendNumber")});
    CHECK_THAT(sender, Contains("[chan send]\n    created by main.main") && Contains("main.sendNumber at "));
    CHECK_THAT(sender, Contains("    waits to send to channel " + numbers + " of int, 3 of 3 in its buffer\n"));
    CHECK_THAT(sender, Contains(fmt::format("=> {:>5}: ", source_line("numbers <- 4"))));
    const std::string both = program.out({"goroutine " + program.id_of("selectBoth")});
    CHECK_THAT(both, Contains("    waits to receive from channel " + orders + " of main.order, unbuffered\n"));
    CHECK_THAT(both, Contains("    waits to send to channel " + numbers + " of int, 3 of 3 in its buffer\n"));
    CHECK_THAT(program.out({"goroutine " + program.id_of("lockTwice")}),
               Contains("main.lockTwice at ") && !Contains("waits"));
  });
}

TEST_CASE("deferred lists the calls of the program's defer statements, the next one first") {
  for_each_program([](const Waiting &program) {
    const std::string begins = "(it begins at ";
    const std::string open = program.out({"goroutines -with userloc main.deferOpenCoded -exec deferred"});
    std::vector<std::string> calls;
    for (const std::string &line : lines_of(open)) {
      const std::regex pattern("#[0-9]+ +(main\\.[a-z]+), deferred by main\\.deferOpenCoded .*main\\.go:([0-9]+)\\)");
      std::smatch found;
      if (std::regex_match(line, found, pattern)) {
        calls.push_back(found[1]);
        CHECK(std::stoi(found[2]) == source_line("func " + found[1].str().substr(5) + "()"));
      } else {
        CHECK_THAT(line, Matches("goroutine [0-9]+:"));
      }
    }
    // One goroutine took the branch and the other did not; either may be listed first.
    const std::vector<std::string> with = {"main.third", "main.second", "main.first"};
    const std::vector<std::string> without = {"main.third", "main.first"};
    REQUIRE(calls.size() == 5);
    const bool with_first = calls[1] == "main.second";
    const auto split = calls.begin() + (with_first ? 3 : 2);
    CHECK(std::vector<std::string>(calls.begin(), split) == (with_first ? with : without));
    CHECK(std::vector<std::string>(split, calls.end()) == (with_first ? without : with));

    const std::string in_loop = fmt::format("main.go:{}\n", source_line("defer second() // in the loop"));
    const std::string listed =
        program.out({"goroutines -with userloc main.deferInLoop -without curloc nothing -exec deferred"});
    CHECK(count_of(listed, "  main.second, deferred by main.deferInLoop at ") == 5);
    CHECK(count_of(listed, in_loop) == 5);
    // The outer function's own comes after those of the loop that it called.
    const std::string outer = listed.substr(0, listed.find("main.third"));
    CHECK(outer.size() < listed.size());
    CHECK_THAT(listed, Contains("#2   main.third, deferred by main.deferInBoth (it begins at "));
    CHECK_THAT(program.out({"deferred " + program.id_of("mortal")}),
               Matches("goroutine [0-9]+ has no deferred calls\n"));
  });
}

TEST_CASE("bt, frame, up, list and regs speak of the selected goroutine") {
  for_each_program([](const Waiting &program) {
    const std::string id = program.id_of("lockTwice");
    const std::string text = program.out({"goroutine " + id, "bt", "list", "up", "down", "frame 0"});
    const std::vector<std::string> parts = lines_of(text);
    CHECK(count_of(text, "goroutine " + id + " [") == 2);
    CHECK_THAT(text, Contains(" main.lockTwice") && Contains("created by main.main"));
    const std::string mark = fmt::format("=> {:>5}: func lockTwice", source_line("func lockTwice"));
    CHECK(count_of(text, mark) == 3); // goroutine, list, down
    CHECK_THAT(parts[parts.size() - 2], Matches("#0 +0x[0-9a-f]+ runtime\\.gopark at .*"));
    CHECK_THAT(program.out({"goroutine " + id, "bt --internal"}), Contains("runtime.gopark"));

    const std::string registers = program.out({"goroutine " + id, "frame 0", "regs"});
    CHECK_THAT(registers,
               Contains("    rsp = 0x") && Contains("<runtime.gopark+") && Contains("rax = not recoverable"));
    CHECK_THAT(program.out({"goroutine " + id, "x -size 8 $rsp"}),
               Matches("[\\s\\S]*\n0x[0-9a-f]+:   0x[0-9a-f]{16}\n"));
  });
}

TEST_CASE("goroutines -exec takes one look for all of them") {
  for_each_program([](const Waiting &program) {
    const std::string text = program.out({"goroutines -with userloc main.receiveOrder -exec bt 1"});
    CHECK(count_of(text, " main.receiveOrder") == 2);
    CHECK(Waiting::ids_in(text).empty());
    CHECK(count_of(text, "goroutine ") >= 2);
    const std::string id = program.id_of("mortal");
    CHECK_THAT(program.out({"goroutine " + id, "goroutines -with userloc main.rec -exec frame", "goroutine"}),
               Contains("\ngoroutine " + id + " ["));
    const CommandResult failing = program.attach({"goroutines -with userloc main.receiveOrder -exec frame 99"});
    CHECK(failing.status == 1);
    CHECK(count_of(failing.err, "there is no frame 99") == 2);
  });
}

TEST_CASE("threads say which goroutine they run") {
  for_each_program([](const Waiting &program) {
    const std::string running = program.out({"goroutines -with running"});
    const std::regex pattern("goroutine ([0-9]+) \\[[^\n]*thread ([0-9]+)\\]");
    std::smatch found;
    REQUIRE(std::regex_search(running, found, pattern)); // the one that reads standard input
    CHECK_THAT(program.out({"threads"}),
               Matches("[\\s\\S]* " + found[2].str() + " [^\n]*, runs goroutine " + found[1].str() + "; [\\s\\S]*"));
    CHECK_THAT(program.out({"thread " + found[2].str()}), Contains(", runs goroutine " + found[1].str() + "\n"));
  });
}

TEST_CASE("what is invalid of goroutines is refused in one sentence with a remedy") {
  for_each_go([](const GoToolchain &go) {
    const Waiting program(build_go(go, "channels_and_defers"));
    struct Row {
      std::string command;
      std::string expected;
    };
    const std::string process = std::to_string(program.pid());
    const Row rows[] = {
        {"goroutine 99999999", "process " + process + " has no goroutine 99999999\n  try: goroutines\n"},
        {"goroutine abc", "'abc' is not a goroutine id\n  try: goroutines\n"},
        {"goroutine -1", "'-1' is not a goroutine id\n  try: goroutines\n"},
        {"deferred 99999999", "process " + process + " has no goroutine 99999999\n  try: goroutines\n"},
        {"goroutines -with nonsense", "'nonsense' is not a condition on goroutines\n  try: userloc REGEX"},
        {"goroutines -waiting abc", "'abc' is not a waiting time\n  try: '>5m', '>=90s', '<2h'\n"},
        {"goroutines -chan 0x10", "there is no channel at 0x10\n  try: goroutine ID shows"},
        {"goroutines -chan no_such_name", "no symbol is named 'no_such_name'\n"},
        {"goroutines -exec nonsense", "there is no command 'nonsense'\n"},
    };
    for (const Row &row : rows) {
      CAPTURE(row.command);
      const CommandResult result = program.attach({row.command});
      CHECK_THAT(result.err, Catch::Matchers::StartsWith("inspect: " + row.expected));
      CHECK(count_of(result.err, "inspect: ") == 1);
      CHECK(result.out.empty());
      CHECK(result.status == 1);
    }
    for (const std::string command : {"goroutine", "deferred"}) {
      const CommandResult result = program.attach({"thread " + process, command});
      CHECK(result.err == "inspect: thread " + process +
                              " is selected, and no goroutine\n  try: goroutine ID; goroutines lists them\n");
      CHECK(result.status == 1);
    }
  });
}

TEST_CASE("the goroutine commands say of a native process that it has none") {
  ChildProcess program({fixture_path("known_words")});
  program.wait_for_line("ready");
  for (const std::string command : {"goroutines", "goroutine 1", "goroutine", "deferred", "deferred 1",
                                    "goroutines -chan 0x10", "goroutines -exec bt"}) {
    CAPTURE(command);
    const CommandResult result = run_inspect({"attach", std::to_string(program.pid()), "-e", command});
    CHECK(result.err == fmt::format("inspect: process {} is not a Go program and has no goroutines\n  try: threads\n",
                                    program.pid()));
    CHECK(result.out.empty());
    CHECK(result.status == 1);
  }
}

TEST_CASE("a selected goroutine stays selected from look to look, until it ends") {
  for_each_go([](const GoToolchain &go) {
    Waiting program(build_go(go, "channels_and_defers"));
    const std::string id = program.id_of("mortal");
    ChildProcess session({"/bin/sh", "-c", R"(exec "$0" attach "$1" 2>&1)", INSPECT_BINARY_DIRECTORY "/inspect",
                          std::to_string(program.pid())});
    const auto ask = [&](const std::string &command) {
      session.write(command + "\nconfig -list\n"); // the last line of which ends the command's
      std::string text;
      for (std::string line = session.read_line(); line.find("source-list") == std::string::npos;
           line = session.read_line())
        text += line + "\n";
      return text;
    };
    CHECK_THAT(ask("goroutine " + id), Contains("goroutine " + id + " [chan receive]"));
    program.tell("start");
    CHECK_THAT(ask("bt"), Contains("goroutine " + id + " [chan receive]"));
    CHECK_THAT(ask("goroutines"), Contains("* goroutine " + id + " [") && Contains("; main.latecomer at "));
    program.tell("end");
    const std::string after = ask("bt");
    CHECK_THAT(after, Contains("goroutine " + id + " has ended; thread ") && Contains(" is selected now"));
    CHECK_THAT(after, Contains("\nthread "));
    CHECK_THAT(ask("goroutine"), Contains("is selected, and no goroutine"));
    CHECK_THAT(ask("goroutine " + id), Contains(fmt::format("process {} has no goroutine {}", program.pid(), id)));
    session.close_stdin();
    CHECK(WEXITSTATUS(session.wait()) == 1); // of the commands that were refused
  });
}

TEST_CASE("a fresh session of a Go program speaks of its main goroutine, not of an idle thread") {
  for_each_program([](const Waiting &program) {
    CHECK_THAT(program.out({"goroutine"}), Contains("goroutine 1 ["));
    CHECK_THAT(program.out({"frame"}), Contains(" main.main at "));
    CHECK_THAT(program.out({"bt"}), Contains("goroutine 1 [") && Contains(" main.main() at "));
    // Whoever asks for a thread gets it, with what it does now.
    CHECK_THAT(program.out({fmt::format("thread {}", program.pid()), "bt"}),
               Contains(fmt::format("\nthread {} ", program.pid())) && !Contains("goroutine 1 ["));
  });
}

TEST_CASE("goroutines -chan takes a channel variable, and functions are printed by their names") {
  for_each_go([](const GoToolchain &go) {
    const Waiting program(build_go(go, "channels_and_defers", GoVariant::unoptimised));
    const std::vector<std::string> by_address =
        Waiting::ids_in(program.out({"goroutines -chan " + program.address_of("numbers")}));
    CHECK(by_address.size() == 2);
    const std::string in_frame = "goroutine " + program.id_of("sendNumber");
    const std::string list = program.out({in_frame, "goroutines -chan numbers"});
    CHECK(Waiting::ids_in(list) == by_address);
    CHECK(program.out({"print main.sendNumber"}) == "main.sendNumber\n");
  });
}
