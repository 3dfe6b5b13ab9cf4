// Expressions and what they print, in programs of all languages: the rows of values_table.txt, and what the Go program
// says of itself while it starts.
#include "tests/commands/values/value_rows.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/process_health.h"
#include "tests/support/skip.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

using namespace inspect::test;

namespace {

/// "program | function | command | text" a line.
std::map<std::string, std::vector<ValueRow>> read_table() {
  std::map<std::string, std::vector<ValueRow>> rows;
  std::ifstream file(INSPECT_SOURCE_DIRECTORY "/tests/commands/values/values_table.txt");
  REQUIRE(file.good());
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with('#'))
      continue;
    std::vector<std::string> cells;
    std::size_t at = 0;
    for (std::size_t end = line.find(" | "); cells.size() < 3 && end != std::string::npos; end = line.find(" | ", at)) {
      cells.push_back(line.substr(at, end - at));
      at = end + 3;
    }
    INFO(line);
    REQUIRE(cells.size() == 3);
    std::istringstream programs(cells[0]);
    for (std::string program; programs >> program;)
      rows[program].push_back({cells[1], cells[2], line.substr(at)});
  }
  return rows;
}

/// Skips what the program says until it is ready, and waits until it sleeps.
std::vector<std::string> wait_until_ready(ChildProcess &program) {
  std::vector<std::string> said;
  for (std::string line = program.read_line(); line != "ready"; line = program.read_line())
    said.push_back(line);
  REQUIRE(wait_until([&] { return status_field(program.pid(), "State").starts_with("S"); }));
  return said;
}

/// A line of the Go program, "Chain .Next * len => 5": as an expression, or empty where it has none. Steps follow each
/// other; [@x] is an index that is itself a value of the table.
std::string go_expression(const std::string &steps) {
  std::istringstream words(steps);
  std::string text = "Table";
  bool first = true;
  for (std::string word; words >> word;) {
    // An index may have blanks in it.
    while (word.starts_with('[') && !word.ends_with(']')) {
      std::string more;
      if (!(words >> more))
        return {};
      word += " " + more;
    }
    if (first)
      text += "." + word;
    else if (word == "*" || word == "&")
      text = "(" + word + text + ")";
    else if (word == "len" || word == "cap")
      text = word + "(" + text + ")";
    else if (word == "data")
      text += ".(data)";
    else if (word.starts_with("as("))
      text = "(" + word.substr(3, word.size() - 4) + ")(" + text + ")";
    else if (word.starts_with("[@"))
      text += "[Table." + word.substr(2);
    else
      text += word;
    first = false;
  }
  return text;
}

} // namespace

TEST_CASE("the table of values") {
  for (const auto &[name, rows] : read_table()) {
    DYNAMIC_SECTION(name) {
      if (!std::filesystem::exists(fixture_path(name)))
        SKIP_TEST("a program of the table is not built here: its compiler is missing");
      ChildProcess program({fixture_path(name)});
      wait_until_ready(program);
      check_rows(program.pid(), rows);
    }
  }
}

TEST_CASE("a Go program's own words about its values") {
  for_each_go([](const GoToolchain &go) {
    ChildProcess program({build_go(go, "value_expressions", GoVariant::plain)});
    std::vector<ValueRow> rows;
    for (const std::string &line : wait_until_ready(program)) {
      const std::size_t arrow = line.find(" => ");
      if (arrow == std::string::npos)
        continue;
      const std::string text = line.substr(arrow + 4);
      const bool refusal = text.starts_with("usage: ") || text.starts_with("not_found: ") ||
                           text.starts_with("unreadable: ") || text.starts_with("corrupt: ");
      const std::string expression = go_expression(line.substr(0, arrow));
      if (!refusal && !expression.empty())
        rows.push_back({"main.main", "p " + expression, text});
    }
    CHECK(rows.size() > 60);
    check_rows(program.pid(), rows);
  });
}

TEST_CASE("a Rust program's own words about its values") {
  if (!std::filesystem::exists(fixture_path("values_rust")))
    SKIP_TEST("there is no rustc");
  // Counts and functions' names are shown besides; of the closure and the hash table the program says something else.
  const std::set<std::string> shown_otherwise{"counted", "counted_again", "shared", "function", "closure", "many"};
  ChildProcess program({fixture_path("values_rust")});
  std::vector<ValueRow> rows;
  for (const std::string &line : wait_until_ready(program)) { // "name address text"
    const std::size_t name_end = line.find(' ');
    const std::size_t address_end = line.find(' ', name_end + 1);
    REQUIRE(address_end != std::string::npos);
    const std::string name = line.substr(0, name_end);
    if (!shown_otherwise.contains(name))
      rows.push_back({"values_rust::main", "p " + name, line.substr(address_end + 1)});
  }
  CHECK(rows.size() > 70);
  check_rows(program.pid(), rows);
}
