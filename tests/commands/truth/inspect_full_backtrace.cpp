#include "tests/commands/truth/inspect_full_backtrace.h"

#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace inspect::test {
namespace {

using Json = nlohmann::json;

constexpr std::size_t first_mark = 918'273'000; // no value is likely to be that, and each language writes it the same

std::string text_of(const Json &value) {
  return value.is_null() ? "" : value.get<std::string>();
}

FullFrame frame_of_json(const Json &json) {
  const auto is = [&](const char *name) { return json.contains(name) && json[name].get<bool>(); };
  FullFrame frame;
  frame.pc = std::stoull(json["pc"].get<std::string>(), nullptr, 16);
  frame.function = text_of(json["function"]);
  frame.file = file_name_of(text_of(json["file"]));
  frame.line = json["line"].is_null() ? 0 : json["line"].get<int>();
  frame.inlined = is("inlined");
  frame.tail_call = is("tail_call");
  frame.signal = is("signal");
  return frame;
}

FullBacktrace frames_of(pid_t process) {
  const CommandResult result = run_inspect({"stacks", std::to_string(process), "--json", "--args", "none"});
  if (result.status != 0)
    throw std::runtime_error("inspect stacks failed: " + result.err);
  FullBacktrace threads;
  const Json dump = Json::parse(result.out);
  for (const Json &thread : dump["threads"]) {
    std::vector<FullFrame> &frames = threads[thread["tid"].get<pid_t>()];
    for (const Json &frame : thread["frames"])
      frames.push_back(frame_of_json(frame));
  }
  return threads;
}

/// "name = value", "name@entry = value", "name = value (shadowed)"
std::vector<FullVariable> variables_of(const std::string &text) {
  std::vector<FullVariable> variables;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find(" = ");
    if (equals == std::string::npos)
      continue; // "(no locals)"
    FullVariable variable{.name = line.substr(0, equals), .value = line.substr(equals + 3)};
    constexpr std::string_view shadowed = " (shadowed)";
    constexpr std::string_view entry = "@entry";
    if (variable.value.ends_with(shadowed))
      variable.value.resize(variable.value.size() - shadowed.size());
    if (variable.name.ends_with(entry)) {
      variable.at_entry = true;
      variable.name.resize(variable.name.size() - entry.size());
    }
    variables.push_back(std::move(variable));
  }
  return variables;
}

/// The commands, and between them numbers to find their answers again.
class MarkedCommands {
public:
  void add(const std::string &command) { text_ += fmt::format("p {}\n{}\n", first_mark + count_++, command); }
  const std::string &text() const { return text_; }

  /// What the commands printed, in their order.
  std::vector<std::string> answers(const std::string &output) const {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < count_; ++i) {
      const std::string mark = fmt::format("{}\n", first_mark + i);
      const std::size_t at = output.find(mark);
      if (at == std::string::npos)
        throw std::runtime_error("inspect did not answer everything:\n" + output);
      const std::size_t begin = at + mark.size();
      found.push_back(output.substr(begin, output.find(fmt::format("{}\n", first_mark + i + 1), begin) - begin));
    }
    return found;
  }

private:
  std::string text_;
  std::size_t count_ = 0;
};

} // namespace

FullBacktrace inspect_full_backtrace(pid_t process) {
  FullBacktrace threads = frames_of(process);
  MarkedCommands commands;
  std::vector<std::pair<FullFrame *, bool>> asked; // of which frame, and whether for its arguments
  for (auto &[thread, frames] : threads) {
    commands.add(fmt::format("thread {}", thread));
    asked.emplace_back(nullptr, false);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      commands.add(fmt::format("frame {}", i));
      commands.add("args");
      commands.add("locals");
      asked.insert(asked.end(), {{nullptr, false}, {&frames[i], true}, {&frames[i], false}});
    }
  }
  const TemporaryDirectory directory;
  const std::string script = directory.write("ask.txt", "config max-variable-recurse 20\n" + commands.text());
  // Frames without debug information have no variables: those commands fail, the others are answered.
  const CommandResult result = run_inspect({"attach", std::to_string(process), "--stop", "-x", script});
  const std::vector<std::string> answers = commands.answers(result.out);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto [frame, for_arguments] = asked[i];
    if (frame == nullptr)
      continue;
    std::vector<FullVariable> variables = variables_of(answers[i]);
    if (!for_arguments)
      std::ranges::reverse(variables);
    (for_arguments ? frame->arguments : frame->locals) = std::move(variables);
  }
  return threads;
}

std::string inspect_print(pid_t process, pid_t thread, std::size_t frame, const std::string &name) {
  const std::string out =
      run_inspect({"attach", std::to_string(process), "--stop", "-e", fmt::format("thread {}", thread), "-e",
                   fmt::format("frame {}", frame), "-e", fmt::format("p {}", first_mark), "-e", "p " + name})
          .out;
  const std::string mark = fmt::format("{}\n", first_mark);
  const std::size_t at = out.find(mark);
  if (at == std::string::npos)
    return {};
  const std::string answer = out.substr(at + mark.size());
  return answer.substr(0, answer.find('\n'));
}

} // namespace inspect::test
