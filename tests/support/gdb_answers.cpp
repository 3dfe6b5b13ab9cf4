#include "tests/support/gdb_answers.h"

#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

#include <cstddef>
#include <fmt/format.h>
#include <iterator>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace inspect::test {
namespace {

std::string script_of(const std::vector<GdbQuestion> &questions) {
  std::string script = "import gdb\nfor command, frame in [\n";
  for (const GdbQuestion &question : questions)
    script += fmt::format("  (r\"\"\"{}\"\"\", '{}'),\n", question.command, question.function);
  // Between two answers gdb shows the frame.
  return script + "]:\n"
                  "  gdb.execute('frame function ' + frame)\n"
                  "  print('@@')\n"
                  "  try:\n"
                  "    print(gdb.execute(command, to_string=True).rstrip())\n"
                  "  except (gdb.error, UnicodeError): # of bytes that are no text in its character set\n"
                  "    print('ERROR')\n"
                  "  print('@@')\n";
}

} // namespace

bool has_gdb() {
  return run_command({"gdb", "--version"}).status == 0;
}

namespace {

/// As many answers as it gave: an internal error ends gdb.
std::vector<std::string> answers_until_end(pid_t process, const std::vector<GdbQuestion> &questions,
                                           std::string &said) {
  const TemporaryDirectory directory;
  const std::string script = directory.write("ask.py", script_of(questions));
  const CommandResult result = run_command({"env", "LC_ALL=C.UTF-8", "gdb", "-q", "-nx", "-batch", "-p",
                                            std::to_string(process), "-ex", "set width 0", "-ex", "set height 0", "-ex",
                                            "set print object on", "-ex", "set print elements 64", "-x", script});
  said = result.out + result.err;
  std::vector<std::string> answers;
  std::string current;
  bool begun = false;
  std::istringstream stream(result.out);
  for (std::string line; std::getline(stream, line);) {
    if (line == "@@") {
      if (begun)
        answers.push_back(current);
      begun = !begun;
      current.clear();
    } else if (begun) {
      current += (current.empty() ? "" : "\n") + line;
    }
  }
  return answers;
}

} // namespace

std::vector<std::string> gdb_answers(pid_t process, const std::vector<GdbQuestion> &questions) {
  constexpr std::size_t max_ends = 20;
  std::vector<std::string> answers;
  std::size_t ends = 0;
  while (answers.size() < questions.size()) {
    const auto next = questions.begin() + static_cast<std::ptrdiff_t>(answers.size());
    std::string said;
    std::vector<std::string> some = answers_until_end(process, {next, questions.end()}, said);
    std::move(some.begin(), some.end(), std::back_inserter(answers));
    if (answers.size() == questions.size())
      break;
    if ((answers.empty() && some.empty()) || ++ends > max_ends)
      throw std::runtime_error("gdb did not answer everything:\n" + said);
    answers.emplace_back("ERROR"); // of the question that it did not survive
  }
  const std::regex number("^\\$[0-9]+ = ");
  for (std::string &answer : answers) {
    answer = std::regex_replace(answer, number, "");
    if (answer.starts_with("type = "))
      answer.erase(0, 7);
  }
  return answers;
}

} // namespace inspect::test
