#include "tests/support/gdb_answers.h"

#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

#include <fmt/format.h>
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

std::vector<std::string> gdb_answers(pid_t process, const std::vector<GdbQuestion> &questions) {
  const TemporaryDirectory directory;
  const std::string script = directory.write("ask.py", script_of(questions));
  const CommandResult result =
      run_command({"gdb", "-q", "-nx", "-batch", "-p", std::to_string(process), "-ex", "set width 0", "-ex",
                   "set height 0", "-ex", "set print object on", "-ex", "set print elements 64", "-x", script});
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
  if (answers.size() != questions.size())
    throw std::runtime_error("gdb did not answer everything:\n" + result.out + result.err);
  const std::regex number("^\\$[0-9]+ = ");
  for (std::string &answer : answers) {
    answer = std::regex_replace(answer, number, "");
    if (answer.starts_with("type = "))
      answer.erase(0, 7);
  }
  return answers;
}

} // namespace inspect::test
