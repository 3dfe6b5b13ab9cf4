#include "tests/commands/truth/gdb_full_backtrace.h"

#include "tests/support/child_process.h"
#include "tests/support/temporary_directory.h"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace inspect::test {
namespace {

constexpr std::string_view settings = R"(set pagination off
set width 0
set height 0
set confirm off
set debuginfod enabled off
set backtrace past-main on
set print frame-arguments all
set print entry-values default
set print elements 64
set print object on
)";

std::string script_for(pid_t process, const SnapshotPlace &place) {
  std::string script(settings);
  script += fmt::format("attach {}\n", process);
  if (!place.function.empty())
    script += fmt::format("break {}\nignore 1 {}\n", place.function, place.passes);
  // What gdb prints itself comes later than what Python does, unless it is told.
  script += "python print('ready', flush=True)\n";
  if (!place.function.empty())
    script += "continue\ndelete breakpoints\nset scheduler-locking on\n";
  if (place.steps > 0)
    script += fmt::format("stepi {}\n", place.steps);
  return script + fmt::format("source {}/tests/commands/truth/snapshots/tell_full_backtrace.py\ndetach\n",
                              INSPECT_SOURCE_DIRECTORY);
}

/// Where a text in brackets or quotes that begins at `at` ends, or the character itself.
std::size_t end_of_piece(std::string_view text, std::size_t at) {
  constexpr std::string_view openings = "({[<";
  constexpr std::string_view closings = ")}]>";
  const char first = text[at];
  if (first == '"' || first == '\'') {
    for (std::size_t i = at + 1; i < text.size(); ++i) {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == first)
        return i + 1;
    }
    return text.size();
  }
  const std::size_t kind = openings.find(first);
  if (kind == std::string_view::npos)
    return at + 1;
  for (std::size_t i = at + 1; i < text.size();) {
    if (text[i] == closings[kind])
      return i + 1;
    i = end_of_piece(text, i);
  }
  return text.size();
}

FullVariable variable_of(std::string_view name, std::string_view value) {
  constexpr std::string_view entry = "@entry";
  FullVariable variable{.name = std::string(name), .value = std::string(value)};
  if (name.ends_with(entry)) {
    variable.at_entry = true;
    variable.name.resize(name.size() - entry.size());
  }
  return variable;
}

/// "a=1, b=b@entry=2, c=<optimized out>, c@entry=3, d=4, d@entry=5"
std::vector<FullVariable> arguments_of(std::string_view text) {
  std::vector<FullVariable> arguments;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size();) {
    if (i < text.size() && !text.substr(i).starts_with(", ")) {
      i = end_of_piece(text, i);
      continue;
    }
    const std::string_view one = text.substr(begin, i - begin);
    begin = i += 2;
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos)
      continue; // "..."
    const std::string_view name = one.substr(0, equals);
    std::string_view value = one.substr(equals + 1);
    const std::string unchanged = fmt::format("{}@entry=", name);
    if (value.starts_with(unchanged)) // it is still what the caller passed
      value.remove_prefix(unchanged.size());
    arguments.push_back(variable_of(name, value));
  }
  return arguments;
}

/// "#3  0x00005555 in function (a=1) at file.c:7": what is between the brackets behind the function's name.
std::string_view arguments_text(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '(' || i == 0 || line[i - 1] != ' ')
      continue;
    const std::size_t end = end_of_piece(line, i);
    const std::string_view rest = line.substr(end);
    if (rest.empty() || rest.starts_with(" at ") || rest.starts_with(" from "))
      return line.substr(i + 1, end - i - 2);
  }
  return {};
}

void mark_guesses(std::vector<FullVariable> &variables, const std::vector<FullVariable> &disturbed) {
  for (std::size_t i = 0; i < variables.size(); ++i)
    variables[i].guessed = i >= disturbed.size() || !(variables[i] == disturbed[i]);
}

/// The frames from the first on that is another function's than the innermost one, up to the first one that a signal
/// interrupted: from there on registers are those that were saved.
void mark_guesses(std::vector<FullFrame> &frames, const std::vector<FullFrame> &disturbed) {
  bool is_outer = false;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (is_outer && i < disturbed.size()) {
      mark_guesses(frames[i].arguments, disturbed[i].arguments);
      mark_guesses(frames[i].locals, disturbed[i].locals);
    }
    is_outer = is_outer || !frames[i].inlined;
  }
}

std::string read_until(std::istringstream &lines, std::string_view mark) {
  std::string text;
  for (std::string line; std::getline(lines, line) && !line.starts_with(mark);)
    text += line + "\n";
  return text;
}

FullFrame frame_of(const std::string &line) {
  std::istringstream words(line);
  FullFrame frame;
  std::string kind;
  words >> std::hex >> frame.pc >> kind >> std::dec >> frame.line;
  words.get();
  std::string file;
  std::getline(words, file, '\t');
  std::getline(words, frame.function);
  frame.file = file_name_of(file);
  frame.inlined = kind == "inlined";
  frame.tail_call = kind == "tail";
  frame.signal = kind == "signal";
  return frame;
}

void add_variables(std::vector<FullFrame> &frames, std::vector<FullFrame> &&with_variables) {
  for (std::size_t i = 0; i < std::min(frames.size(), with_variables.size()); ++i) {
    frames[i].arguments = std::move(with_variables[i].arguments);
    frames[i].locals = std::move(with_variables[i].locals);
  }
}

FullBacktrace parse_told(const std::string &text) {
  FullBacktrace threads;
  std::vector<FullFrame> *frames = nullptr;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("@thread ")) {
      frames = &threads[std::stoi(line.substr(8))];
    } else if (line.starts_with("@frame ") && frames != nullptr) {
      frames->push_back(frame_of(line.substr(7)));
    } else if (line == "@full" && frames != nullptr) {
      add_variables(*frames, parse_full_backtrace(read_until(lines, "@disturbed")));
      const auto here = lines.tellg();
      const std::string disturbed = read_until(lines, "@thread ");
      mark_guesses(*frames, parse_full_backtrace(disturbed));
      lines.clear();
      lines.seekg(here + static_cast<std::streamoff>(disturbed.size()));
    }
  }
  return threads;
}

} // namespace

std::vector<FullFrame> parse_full_backtrace(std::string_view text) {
  constexpr std::string_view indent = "        ";
  std::vector<FullFrame> frames;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#")) {
      frames.emplace_back().arguments = arguments_of(arguments_text(line));
      continue;
    }
    const std::size_t equals = line.find(" = ");
    if (frames.empty() || !line.starts_with(indent) || equals == std::string::npos)
      continue; // "No locals."
    frames.back().locals.push_back(
        variable_of(line.substr(indent.size(), equals - indent.size()), line.substr(equals + 3)));
  }
  return frames;
}

FullBacktrace gdb_full_backtrace(pid_t process, const SnapshotPlace &place, const std::function<void()> &start) {
  const TemporaryDirectory directory;
  ChildProcess gdb({"gdb", "-q", "-nx", "-batch", "-x", directory.write("tell.gdb", script_for(process, place))});
  gdb.wait_for_line("ready");
  start();
  const std::string text = gdb.read_all();
  gdb.wait();
  FullBacktrace threads = parse_told(text);
  if (threads.empty())
    throw std::runtime_error(fmt::format("gdb gave no frames at {}: {}", place.function, text));
  return threads;
}

} // namespace inspect::test
