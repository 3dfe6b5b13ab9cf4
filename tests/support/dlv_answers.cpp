#include "tests/support/dlv_answers.h"

#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

#include <cstdlib>
#include <fmt/format.h>
#include <map>
#include <sstream>

namespace inspect::test {
namespace {

/// Both its outputs in the order in which they came: the errors stand among the answers.
std::string run_dlv(pid_t process, const std::string &script) {
  return run_command(
             {"/bin/sh", "-c",
              R"(NO_COLOR=1 TERM=dumb exec "$0" attach "$1" --allow-non-terminal-interactive=true --init "$2" 2>&1)",
              dlv_program(), std::to_string(process), script})
      .out;
}

/// The numbers of frames by function, of goroutine 1; of several the innermost.
std::map<std::string, std::string> frames_in(const std::string &stack) {
  std::map<std::string, std::string> frames;
  std::istringstream lines(stack);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string number, address, in, function;
    if (!(words >> number >> address >> in) || in != "in" || !address.starts_with("0x"))
      continue;
    std::getline(words >> std::ws, function);
    // "main.f[go.shape.int]": tracebacks do not tell the types.
    if (const std::size_t types = function.find('['); types != std::string::npos)
      function.replace(types, function.rfind(']') + 1 - types, "[...]");
    frames.try_emplace(function, number);
  }
  return frames;
}

std::string mark(std::size_t number) {
  return fmt::format("{}", 918'273'000 + number);
}

std::string script_for(const std::vector<DlvQuestion> &questions, const std::map<std::string, std::string> &frames,
                       int recursion) {
  std::string script = fmt::format("config max-variable-recurse {}\ngoroutine 1\n", recursion);
  std::string selected;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto frame = frames.find(questions[i].function);
    if (frame != frames.end() && questions[i].function != selected) {
      selected = questions[i].function;
      script += fmt::format("frame {}\n", frame->second);
    }
    script += fmt::format("print {}\n", mark(i));
    script += frame == frames.end() ? "print 1/0\n" : questions[i].command + "\n";
    script += fmt::format("print {}\n", mark(questions.size()));
  }
  return script + "exit\n";
}

} // namespace

std::string dlv_program() {
  if (const char *given = std::getenv("INSPECT_DLV"); given != nullptr && *given != '\0')
    return given;
  return have_program("dlv") ? "dlv" : "";
}

std::string dlv_output(pid_t process, const std::string &commands) {
  const TemporaryDirectory directory;
  return run_dlv(process, directory.write("script", commands + "exit\n"));
}

DlvAnswers dlv_answers(pid_t process, const std::vector<DlvQuestion> &questions, int recursion) {
  const TemporaryDirectory directory;
  const std::string stack = run_dlv(process, directory.write("stack", "goroutine 1 stack 100\nexit\n"));
  const auto frames = frames_in(stack);
  if (frames.empty())
    return {.refusal = stack.empty() ? "dlv says nothing" : stack, .answers = {}};
  const std::string script = directory.write("script", script_for(questions, frames, recursion));
  const std::string out = run_dlv(process, script);
  DlvAnswers result;
  std::size_t at = 0;
  const std::string end_mark = "\n" + mark(questions.size()) + "\n";
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const std::string begin_mark = "\n" + mark(i) + "\n";
    const std::size_t begin = out.find(begin_mark, at);
    // The line end before the closing mark is also that behind the opening one, of a command that prints nothing.
    const std::size_t text = begin + begin_mark.size() - 1;
    const std::size_t end = begin == std::string::npos ? begin : out.find(end_mark, text);
    if (end == std::string::npos)
      return {.refusal = "dlv broke off:\n" + out.substr(at), .answers = {}};
    DlvAnswer answer{.is_error = false, .text = end > text ? out.substr(text + 1, end - text - 1) : std::string()};
    if (!frames.contains(questions[i].function))
      answer = {.is_error = true, .text = "no such frame"};
    else if (answer.text.starts_with(script + ":")) // SCRIPT:LINE: why not
      answer = {.is_error = true, .text = answer.text.substr(answer.text.find(": ") + 2)};
    result.answers.push_back(std::move(answer));
    at = end;
  }
  return result;
}

} // namespace inspect::test
