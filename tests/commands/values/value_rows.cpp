#include "tests/commands/values/value_rows.h"

#include "tests/support/catch.h"
#include "tests/support/run_command.h"

#include <fmt/format.h>
#include <map>
#include <sstream>

namespace inspect::test {
namespace {

/// Which number the frame of each function has: the innermost one of its name.
std::map<std::string, std::size_t> frames_of(pid_t process) {
  std::map<std::string, std::size_t> frames;
  const CommandResult stack =
      run_inspect({"attach", std::to_string(process), "-e", "config backtrace-addresses off", "-e", "bt 0"});
  for (const std::string &line : lines_of(stack.out)) {
    const std::size_t number = line.find('#');
    if (number == std::string::npos)
      continue;
    const std::size_t name = line.find_first_not_of("0123456789 ", number + 1);
    const std::size_t end = std::min(line.find_first_of("( ", name), line.size());
    // A lambda's name begins with that of the function around it.
    const bool lambda = line.find("::operator()(") != std::string::npos;
    frames.try_emplace(lambda ? "operator()" : line.substr(name, end - name), std::stoul(line.substr(number + 1)));
  }
  return frames;
}

/// A number that no row prints: every language writes it the same.
std::string mark(std::size_t row) {
  return fmt::format("{}", 918'273'000 + row);
}

} // namespace

std::vector<std::string> lines_of(const std::string &text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

std::vector<std::string> evaluate_rows(pid_t process, const std::vector<ValueRow> &rows, std::string &errors) {
  const auto frames = frames_of(process);
  std::vector<std::string> words = {"attach", std::to_string(process), "-e", "bt"};
  std::string selected;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string &function = rows[i].function;
    if (function != "-" && function != selected) {
      INFO("no frame of " << function);
      REQUIRE(frames.contains(function));
      words.insert(words.end(), {"-e", fmt::format("frame {}", frames.at(function))});
      selected = function;
    }
    words.insert(words.end(), {"-e", "p " + mark(i), "-e", rows[i].command});
  }
  words.insert(words.end(), {"-e", "p " + mark(rows.size())});
  const CommandResult result = run_inspect(words);
  errors = result.err;
  std::vector<std::string> answers;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string begin_mark = mark(i) + "\n";
    const std::size_t begin = result.out.find(begin_mark);
    std::size_t end = result.out.find(mark(i + 1), begin);
    INFO(result.out << result.err);
    REQUIRE(begin != std::string::npos);
    REQUIRE(end != std::string::npos);
    std::string answer = result.out.substr(begin + begin_mark.size(), end - begin - begin_mark.size());
    // The next frame's own lines come before its mark.
    if (const std::size_t frame = ("\n" + answer).find("\n#"); frame != std::string::npos)
      answer.resize(frame);
    while (answer.ends_with('\n'))
      answer.pop_back();
    answers.push_back(std::move(answer));
  }
  return answers;
}

void check_rows(pid_t process, const std::vector<ValueRow> &rows) {
  std::string errors;
  const std::vector<std::string> answers = evaluate_rows(process, rows, errors);
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (answers[i] != rows[i].expected) {
      INFO(errors);
      FAIL_CHECK(fmt::format("{} in {}:\n  {}\nbut was expected:\n  {}", rows[i].command, rows[i].function, answers[i],
                             rows[i].expected));
    }
}

} // namespace inspect::test
