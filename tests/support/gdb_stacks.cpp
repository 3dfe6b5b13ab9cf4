#include "tests/support/gdb_stacks.h"

#include "tests/support/run_command.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace inspect::test {
namespace {

// With the frames that gdb infers from tail calls, which have no place on the stack.
constexpr std::string_view walk_all_threads = R"(python
for thread in gdb.selected_inferior().threads():
    thread.switch()
    frame = gdb.newest_frame()
    while frame is not None:
        print("FRAME %d %x %s" % (thread.ptid[1], frame.pc(), frame.name() or ""))
        try:
            frame = frame.older()
        except gdb.error:
            frame = None
end
)";

void remove_all(std::string &text, std::string_view what, std::string_view by = "") {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

/// Cuts everything between matching angle brackets.
std::string without_template_arguments(std::string_view text) {
  std::string result;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool arrow = text[i] == '>' && i > 0 && text[i - 1] == '-';
    if (text[i] == '<')
      ++depth;
    else if (text[i] == '>' && !arrow)
      --depth;
    else if (depth == 0)
      result += text[i];
  }
  return result;
}

} // namespace

std::string canonical_function(std::string_view name) {
  std::string text(name);
  if (const auto clone = text.find(" [clone"); clone != std::string::npos)
    text.erase(clone);
  remove_all(text, "(anonymous namespace)", "{anonymous}");
  remove_all(text, "operator()", "operator{}");
  remove_all(text, "operator<<", "operator{shift}");
  remove_all(text, "{{vtable.shim}}");
  remove_all(text, "::<", "<"); // Rust
  // The compiler's own name of a lambda and gdb's have only the member function in common.
  if (text.find("lambda") != std::string::npos || text.starts_with("operator{}"))
    if (const auto member = text.rfind("operator{}"); member != std::string::npos)
      return "operator{}";
  text = without_template_arguments(text);
  if (const auto parameters = text.find('('); parameters != std::string::npos)
    text.erase(parameters);
  if (const auto blank = text.rfind(' '); blank != std::string::npos)
    text.erase(0, blank + 1);
  if (text.ends_with("@plt"))
    text.erase(text.size() - 4);
  if (text.find("::") != std::string::npos)
    return text;
  if (text.starts_with("__GI_"))
    text.erase(0, 5);
  text.erase(0, text.find_first_not_of('_'));
  if (text.starts_with("libc_") && !text.starts_with("libc_start"))
    text.erase(0, 5);
  for (const std::string_view suffix : {"_impl", "_time64"})
    if (text.ends_with(suffix))
      text.erase(text.size() - suffix.size());
  return text;
}

bool same_function(std::string_view left, std::string_view right) {
  const auto last_component = [](std::string_view name) {
    std::string whole(name);
    remove_all(whole, "{{vtable.shim}}");
    remove_all(whole, "::<", "<");
    std::string text = without_template_arguments(whole);
    if (text.ends_with('}') && text.find("{closure") != std::string::npos)
      return std::string("closure");
    if (const auto parameters = text.find('('); parameters != std::string::npos && parameters > 0)
      text.erase(parameters);
    const auto separator = text.rfind("::");
    return separator == std::string::npos ? text : text.substr(separator + 2);
  };
  // What is implemented for a type, and closures, have a name in Rust's symbols and another one in its DWARF.
  const auto is_special = [](std::string_view name) {
    return name.starts_with('<') || name.find("{impl") != std::string_view::npos ||
           name.find("{closure") != std::string_view::npos || name.find("{{closure") != std::string_view::npos ||
           name.find("<impl ") != std::string_view::npos || name.find("Function_handler<") != std::string_view::npos;
  };
  if (is_special(left) || is_special(right))
    return last_component(left) == last_component(right);
  return canonical_function(left) == canonical_function(right);
}

PeerStacks gdb_stacks(pid_t process, const std::string &debug_directory) {
  std::array<char, 32> name{"/tmp/gdb-stacks-XXXXXX"};
  const int file = ::mkstemp(name.data());
  if (file < 0)
    throw std::runtime_error("mkstemp failed");
  std::FILE *script = ::fdopen(file, "w");
  fmt::print(script, "set debuginfod enabled off\nset backtrace past-main on\nset pagination off\n");
  if (!debug_directory.empty())
    fmt::print(script, "set debug-file-directory {}\n", debug_directory);
  fmt::print(script, "attach {}\n{}detach\n", process, walk_all_threads);
  std::fclose(script);
  const CommandResult result = run_command({"gdb", "-nx", "-batch", "-x", name.data()});
  ::unlink(name.data());
  PeerStacks stacks;
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("FRAME "))
      continue;
    std::istringstream words(line.substr(6));
    pid_t thread = 0;
    PeerFrame frame;
    words >> thread >> std::hex >> frame.pc >> std::ws;
    std::getline(words, frame.function);
    stacks[thread].push_back(std::move(frame));
  }
  if (stacks.empty())
    throw std::runtime_error("gdb gave no frames: " + result.err);
  return stacks;
}

PeerStacks inspect_stacks(pid_t process, const std::string &debug_directory) {
  std::vector<std::string> arguments{"stacks", std::to_string(process), "--json"};
  if (!debug_directory.empty())
    arguments.insert(arguments.end(), {"--debug-directory", debug_directory});
  const CommandResult result = run_inspect(arguments);
  if (result.status != 0)
    throw std::runtime_error("inspect stacks failed: " + result.err);
  PeerStacks stacks;
  const auto json = nlohmann::json::parse(result.out);
  for (const auto &thread : json["threads"]) {
    std::vector<PeerFrame> &frames = stacks[thread["tid"].get<pid_t>()];
    if (thread["end"]["reason"] != "complete")
      throw std::runtime_error("incomplete stack: " + thread.dump());
    for (const auto &frame : thread["frames"])
      frames.push_back({std::strtoull(frame["pc"].get<std::string>().c_str(), nullptr, 16),
                        frame["function"].is_null() ? "" : frame["function"].get<std::string>()});
  }
  return stacks;
}

} // namespace inspect::test
