// args, locals, print, whatis, ptype and set against a program that prints its own variables.
#include "tests/commands/values/value_rows.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/process_health.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/terminal.h"

#include <fmt/format.h>
#include <map>
#include <sstream>

using namespace inspect::test;
using Catch::Matchers::Contains;

namespace {

/// fixtures/commands/values_session.cpp, asleep in wait_for_line.
class Shop {
public:
  explicit Shop(const std::string &name = "values_session") : program_({fixture_path(name)}) {
    program_.wait_for_line("ready");
    settle();
  }

  CommandResult attach(const std::vector<std::string> &commands, const std::vector<std::string> &options = {}) const {
    std::vector<std::string> words = {"attach", std::to_string(program_.pid())};
    words.insert(words.end(), options.begin(), options.end());
    for (const std::string &command : commands) {
      words.emplace_back("-e");
      words.push_back(command);
    }
    return run_inspect(words);
  }

  /// Its variables as it sees them itself.
  std::map<std::string, std::string> variables() {
    program_.write("show\n");
    std::map<std::string, std::string> all;
    for (std::string line = program_.read_line(); line != "done"; line = program_.read_line()) {
      const std::size_t blank = line.find(' ');
      all[line.substr(0, blank)] = line.substr(blank + 1);
    }
    settle();
    return all;
  }

  ChildProcess &program() { return program_; }
  pid_t pid() const { return program_.pid(); }

private:
  /// Until it waits for the next line.
  void settle() const {
    REQUIRE(wait_until([&] { return status_field(program_.pid(), "State").starts_with("S"); }));
  }

  ChildProcess program_;
};

const std::string in_lambda = "frame 2";
const std::string in_handle = "frame 3";
const std::string in_serve = "frame 4";

/// The frames are where the rest of this file expects them.
void check_frames(const Shop &shop) {
  const CommandResult stack = shop.attach({"config backtrace-addresses off", "bt"});
  INFO(stack.out << stack.err);
  CHECK_THAT(stack.out, Contains("wait_for_line(line=0x"));
  CHECK_THAT(stack.out, Contains(", size=64) at "));
  CHECK_THAT(stack.out, Contains("count=100, rate=0.5, text=0x"));
  CHECK_THAT(stack.out, Contains("\"some text\""));
}

} // namespace

TEST_CASE("args and locals show the variables of the selected frame") {
  const Shop shop;
  check_frames(shop);
  const CommandResult args = shop.attach({"bt", in_handle, "args"});
  CHECK(args.err == "");
  for (const std::string expected : {"\ncount = 100\n", "\nrate = 0.5\n", "\nsize = 64\n", "\ntext = 0x"})
    CHECK_THAT(args.out, Contains(expected));
  const CommandResult locals = shop.attach({"bt", in_handle, "locals"});
  CHECK(locals.err == "");
  for (const std::string expected :
       {"\nready = false\n", "\nletter = 107 'k'\n", "\nratio = 0.25\n", "\ncolour = Colour::green\n",
        "\nlevel = middle\n", "\nnumbers = {7, 8, 9, 10}\n", "\nshadowed = 1 (shadowed)\n", "\nshadowed = 2\n"})
    CHECK_THAT(locals.out, Contains(expected));
  const CommandResult typed = shop.attach({"bt", in_handle, "args -v ^count", "locals -v ^num", "info locals small"});
  CHECK_THAT(typed.out, Contains("count: int = 100\n") && Contains("numbers: int [4] = {7, 8, 9, 10}\n") &&
                            Contains("small = 200 '\\310'\n"));
  const CommandResult full = shop.attach({"bt -full"});
  CHECK_THAT(full.out, Contains("\n         numbers = {7, 8, 9, 10}\n") && Contains("\n         calls = 0\n"));
}

TEST_CASE("print evaluates expressions in the selected frame") {
  const Shop shop;
  const std::string lambda = "operator()";
  const std::vector<ValueRow> rows = {
      {"handle", "p count", "100"},
      {"handle", "p count + 2 * 3", "106"},
      {"handle", "p/x count", "0x64"},
      {"handle", "p %x count", "0x64"},
      {"handle", "p numbers[2]", "9"},
      {"handle", "p list->next->number", "2"},
      {"handle", "p first.price", "1.5"},
      {"handle", "p *list->next", "{number = 2, price = 2.5, next = 0x0}"},
      {"handle", "p colour", "Colour::green"},
      {"handle", "p shadowed", "2"},
      {"handle", "p sizeof(numbers)", "16"},
      {"handle", "p order.customer", "\"Ada Lovelace\""},
      {"handle", "p order.parts[1]", "5"},
      {"handle", "p order.flags.second", "21"},
      {"handle", "p global_counter", "1000"},
      {"handle", "p file_static", "17"},
      {"handle", "p 'shop::deep::inner_global'", "-5"},
      {"handle", "p shop::prices[1:3]", "{20, 30}"},
      {"handle", "p per_thread", "55"},
      {"handle", "p shop::Till::class_static", "64"},
      {"handle", "p (char)65", "65 'A'"},
      {"handle", "p count == 100 && rate < 1", "true"},
      {lambda, "p argument", "30"},
      {lambda, "p count", "100"},
      {lambda, "p inside", "132"},
      {lambda, "p shadowed + 0", "2"},
      {"shop::Till::serve", "p member_total", "321"},
      {"shop::Till::serve", "p this->member_name", "\"till one\""},
      {"shop::Till::serve", "p prices[3]", "40"},
      {"shop::Till::serve", "p class_static", "64"},
      {"shop::Till::serve", "p *(unsigned int *)&plain_symbol == 0xabcd1234", "true"},
      {"handle", "whatis count", "int"},
      {"handle", "whatis &numbers", "int (*)[4]"},
      {"handle", "whatis colour", "Colour"},
      {"handle", "whatis order.customer", "std::string"},
  };
  check_rows(shop.pid(), rows);
}

TEST_CASE("ptype shows definitions") {
  const Shop shop;
  const CommandResult result = shop.attach({"bt", in_handle, "ptype shop::Item", "ptype colour"});
  INFO(result.err);
  CHECK_THAT(result.out, Contains("struct shop::Item {\n    int number;\n    double price;\n"));
  CHECK_THAT(result.out, Contains("enum class Colour : uint8_t {red = 1, green, blue = 4}\n"));
}

TEST_CASE("set changes what the program itself sees") {
  Shop shop;
  struct Row {
    std::string frame;
    std::string command;
    std::string name;
    std::string before;
    std::string after;
  };
  const std::vector<Row> rows = {
      {in_handle, "set numbers[2] = 99", "numbers[2]", "9", "99"},
      {in_handle, "set first.price = 9.75", "first.price", "1.5", "9.75"},
      {in_handle, "set ratio = 0.5", "ratio", "0.25", "0.5"},
      {in_handle, "set ready = true", "ready", "0", "1"},
      {in_handle, "set letter = 'z'", "letter", "107", "122"},
      {in_handle, "set colour = Colour::blue", "colour", "2", "4"},
      {in_handle, "set level = high", "level", "5", "6"},
      {in_handle, "set list->next->number = count + 5", "list->next->number", "2", "105"},
      {in_handle, "set buffer = \"changed\"", "buffer", "buffered", "changed"},
      {in_handle, "set small = 7", "small", "200", "7"},
      {in_handle, "set large = 0xdeadbeefcafe", "large", "0x1122334455667788", "0xdeadbeefcafe"},
      {in_handle, "set base->base_number = -4", "base->base_number", "11", "-4"},
      {in_handle, "set order.flags.second = 9", "order.flags.second", "21", "9"},
      {in_handle, "set order.word.bytes[1] = 0xff", "order.word.bytes[1]", "2", "255"},
      {in_handle, "set order.parts[1] = 77", "order.parts[1]", "5", "77"},
      {in_handle, "set var global_counter = -1", "global_counter", "1000", "-1"},
      {in_handle, "set file_static = 18", "file_static", "17", "18"},
      {in_handle, "set per_thread = 56", "per_thread", "55", "56"},
      {in_handle, "set 'shop::deep::inner_global' = 6", "shop::deep::inner_global", "-5", "6"},
      {in_serve, "set member_total = 1", "member_total", "321", "1"},
      {in_serve, "set class_static = 2", "class_static", "64", "2"},
  };
  std::vector<std::string> commands = {"bt"};
  for (const Row &row : rows) {
    commands.push_back(row.frame);
    commands.push_back(row.command);
  }
  const CommandResult result = shop.attach(commands);
  INFO(result.out << result.err);
  CHECK(result.err == "");
  const auto now = shop.variables();
  for (const Row &row : rows) {
    INFO(row.command);
    CHECK(now.at(row.name) == row.after);
  }
  CHECK(what_is_wrong_with(shop.pid()) == "");
}

TEST_CASE("set refuses what does not fit and writes nothing") {
  Shop shop;
  const CommandResult result =
      shop.attach({"bt", in_handle, "set small = 300", "set numbers = 5", "set buffer = \"much too long for it\"",
                   "set count + 1 = 5", "set nothing_of_that_name = 5", "set $rbx = 1"});
  CHECK(result.status == 1);
  CHECK(lines_of(result.err).size() >= 6);
  CHECK_THAT(result.err, !Contains(" -> "));
  const auto refused = shop.attach({"bt", in_handle, "set count = 5", "set global_counter = 1"}, {"--read-only"});
  CHECK(refused.status == 1);
  CHECK_THAT(refused.err, Contains("--read-only"));
  const auto now = shop.variables();
  CHECK(now.at("small") == "200");
  CHECK(now.at("buffer") == "buffered");
  CHECK(now.at("global_counter") == "1000");
}

TEST_CASE("set writes a register of a held thread") {
  Shop shop;
  shop.program().write("spin\n");
  shop.program().wait_for_line("done");
  // The thread that spins is the only one that runs.
  std::string thread;
  REQUIRE(wait_until([&] {
    const CommandResult threads = shop.attach({"threads"});
    for (const std::string &line : lines_of(threads.out))
      if (line.find("running") != std::string::npos && line.find("spin") != std::string::npos)
        thread = line;
    return !thread.empty();
  }));
  std::istringstream words(thread);
  std::string id;
  while (words >> id && id.find_first_not_of("0123456789") != std::string::npos) {
  }
  const CommandResult refused = shop.attach({"thread " + id, "set $r12 = 7"});
  CHECK_THAT(refused.err, Contains("try: stop"));
  const CommandResult set = shop.attach({"thread " + id, "set $r12 = 4711", "p $r12"}, {"--stop"});
  INFO(set.out << set.err);
  CHECK_THAT(set.out, Contains("$r12: 0 -> 4711\n4711\n"));
  shop.program().wait_for_line("r12 4711");
}

TEST_CASE("a variable whose function has returned is not written") {
  Shop shop;
  const TemporaryDirectory home;
  SessionTerminal session(INSPECT_BINARY_DIRECTORY "/inspect", shop.pid(), home.path());
  REQUIRE(session.run("bt"));
  REQUIRE(session.run("frame 2"));
  shop.program().write("spin\n"); // it goes on in another function
  shop.program().wait_for_line("done");
  session.type("set inside = 5\r");
  CHECK(session.wait_for("has returned since"));
  session.type("quit\r");
  session.wait_for_end();
}

TEST_CASE("invalid expressions are answered with one sentence and a place") {
  const Shop shop;
  struct Row {
    std::string command;
    std::string expected;
  };
  const std::vector<Row> rows = {
      {"p", "print needs an expression"},
      {"p count +", "at column"},
      {"p (count", "at column"},
      {"p coumt", "did you mean 'count'"},
      {"p first.pirce", "did you mean 'price'"},
      {"p (shop::Itm *)0", "Item"},
      {"p count[1]", "at column"},
      {"p *count", "at column"},
      {"p *(int *)8", "0x8"},
      {"p count.x", "at column"},
      {"p $nosuch", "nosuch"},
      {"p numbers[100000000000]", "at column"},
      {"p 1 / 0", "at column"},
      {"whatis struct nosuch", "nosuch"},
  };
  std::vector<std::string> commands = {"bt", in_handle};
  for (const Row &row : rows) {
    const CommandResult result = shop.attach({"bt", in_handle, row.command});
    INFO(row.command << "\n" << result.out << result.err);
    CHECK(result.status != 0);
    CHECK_THAT(result.err, Contains(row.expected));
    CHECK(lines_of(result.err).size() <= 4);
  }
}

TEST_CASE("a stripped program has registers, memory and casts, and says what it lacks") {
  const Shop shop("values_session_stripped");
  const CommandResult result = shop.attach({"bt", "frame 1", "args", "locals"});
  CHECK(result.status == 1);
  CHECK_THAT(result.err, Contains("there is no debug information for"));
  const CommandResult casts = shop.attach({"bt", "p (unsigned char)3 + 3", "p/x *(long *)$rsp != 0 || 1"});
  INFO(casts.err);
  CHECK(casts.status == 0);
}
