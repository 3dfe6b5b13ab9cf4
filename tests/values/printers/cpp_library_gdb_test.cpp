// gdb's own printers for libstdc++ look at the same process. What is printed differently on purpose is named here, all
// else must be the same text.
#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/values/printers/library_fixture.h"

#include <fmt/format.h>
#include <map>
#include <set>
#include <sstream>

namespace inspect {
namespace {

/// gdb's text by variable, all in one run of it.
std::map<std::string, std::string> gdb_texts(pid_t process, const std::vector<std::string> &names) {
  std::vector<std::string> words = {"env", "LC_ALL=C.UTF-8", "gdb", "-nx", "-batch", "-p", std::to_string(process)};
  const auto command = [&](const std::string &text) { words.insert(words.end(), {"-ex", text}); };
  command("set print elements 64");
  command("set print repeats 10");
  command("set width 0");
  command("set language c++"); // not that of the C library's function it waits in
  for (const std::string &name : names) {
    command("echo \\n@@ " + name + "=");
    command("output " + name);
  }
  command("echo \\n");
  std::map<std::string, std::string> texts;
  std::istringstream lines(test::run_command(words).out);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("@@ ")) {
      const std::size_t end = line.find('=', 3);
      if (end != std::string::npos)
        texts[line.substr(3, end - 3)] = line.substr(end + 1);
    }
  return texts;
}

void replace_all(std::string &text, const std::string &what, const std::string &by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

/// The wording that differs everywhere: an atomic's braces, a type's default arguments.
std::string with_our_wording(std::string text) {
  replace_all(text, "{ ", "{");
  replace_all(text, " }", "}");
  replace_all(text, "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >", "std::string");
  replace_all(text, "std::vector<int, std::allocator<int> >", "std::vector<int>");
  return text;
}

/// Why they differ: gdb has no printer of the type in GCC 12's library, or says less than there is to say.
const std::set<std::string> &different_on_purpose() {
  static const std::set<std::string> names = {
      // no printer: the structure alone
      "fixed",
      "fixed_empty",
      "reference_number",
      "complex_number",
      "complex_single",
      "three_seconds",
      "quarter",
      "nanoseconds",
      "two_hours",
      "real_seconds",
      "five_days",
      "frames",
      "moment",
      "steady",
      "mutex_free",
      "mutex_held",
      "mutex_twice",
      "mutex_timed",
      "shared_free",
      "shared_written",
      "shared_read",
      "condition",
      "worker",
      "worker_none",
      "worker_id",
      "call_function",
      "call_empty",
      "call_lambda",
      "exception_none",
      "exception_some",
      "sleeping",
      "at_hashed",
      // an enumeration without enumerators: a number, not "(unknown: 0x5a)"
      "one_byte",
      // gdb takes the contained container's children for its own: {1, 2} where *optional is a vector
      "maybe_numbers",
      // gdb counts keys and values against the limit of elements
      "tree",
      "hashed_many",
      // gdb shows the path's components, too
      "place",
      // the vtable of its category has no symbol, and gdb does not look at its type_info's name
      "error_none",
      "error_missing",
      "condition_none",
  };
  return names;
}

TEST_CASE("gdb's printers for libstdc++ print the same of the same process") {
  if (!test::have_program("gdb"))
    SKIP_TEST("gdb is not installed");
  test::LibraryFixture fixture("values_gcc");
  std::vector<std::string> names;
  for (const std::string &name : fixture.values().variable_names())
    if (name.find(':') == std::string::npos && !name.starts_with("_"))
      names.push_back(name);
  const auto texts = gdb_texts(fixture.values().child().pid(), names);
  if (texts.size() < names.size())
    SKIP_TEST("gdb may not look at other processes here");
  if (texts.at("numbers").find("std::vector of length 3") == std::string::npos)
    SKIP_TEST("gdb has no printers for libstdc++ here");
  std::size_t same = 0;
  for (const std::string &name : names) {
    INFO(name);
    const std::string ours = with_our_wording(fixture.text(name));
    const std::string theirs = with_our_wording(texts.at(name));
    // A difference that is gone is no longer one on purpose.
    CHECK((ours != theirs) == different_on_purpose().contains(name));
    if (!different_on_purpose().contains(name))
      CHECK(ours == theirs);
    same += ours == theirs ? 1 : 0;
  }
  CHECK(same >= 70);
}

} // namespace
} // namespace inspect
