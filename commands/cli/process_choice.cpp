#include "commands/cli/process_choice.h"

#include "commands/cli/typed_text.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <string>
#include <unistd.h>

namespace inspect {
namespace {

constexpr std::size_t max_listed = 8;

std::string_view last_component(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool holds(const std::string &text, const std::string &part) {
  return ::strcasestr(text.c_str(), part.c_str()) != nullptr;
}

/// "812 (nginx: master process), 813 (…)"
std::string listed(const std::vector<const ProcessRow *> &rows) {
  constexpr std::size_t longest = 40;
  std::string text;
  for (std::size_t i = 0; i < rows.size() && i < max_listed; ++i) {
    std::string command = command_line(*rows[i]);
    if (command.size() > longest)
      command.replace(longest, std::string::npos, "…");
    text += fmt::format("{}{} ({})", i == 0 ? "" : ", ", rows[i]->process, command);
  }
  return rows.size() > max_listed ? fmt::format("{} and {} more", text, rows.size() - max_listed) : text;
}

Result<std::vector<pid_t>> chosen(std::string_view word, bool all, const char *remedy) {
  const bool is_number = !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
  if (is_number || word.starts_with('-')) { // "-1" is no name
    const auto process = parse_process_id(word);
    if (!process)
      return std::unexpected(process.error());
    return std::vector<pid_t>{*process};
  }
  const auto table = read_process_table({});
  if (!table)
    return std::unexpected(table.error());
  const std::vector<const ProcessRow *> rows = rows_named(table->rows, word);
  if (rows.empty())
    return std::unexpected(
        Error(ErrorKind::no_such_process, fmt::format("no process is called '{}'", word), "inspect ps"));
  if (rows.size() > 1 && !all)
    return std::unexpected(Error(
        ErrorKind::usage, fmt::format("{} processes are called '{}': {}", rows.size(), word, listed(rows)), remedy));
  std::vector<pid_t> processes;
  for (const ProcessRow *row : rows)
    processes.push_back(row->process);
  return processes;
}

} // namespace

std::string command_line(const ProcessRow &row) {
  std::string text;
  for (const std::string &word : row.command)
    text += (text.empty() ? "" : " ") + word;
  return text;
}

std::vector<pid_t> own_processes(const std::vector<ProcessRow> &rows) {
  std::vector<pid_t> own = {::getpid()};
  for (pid_t parent = ::getppid();;) {
    const auto row = std::ranges::lower_bound(rows, parent, {}, &ProcessRow::process);
    if (row == rows.end() || row->process != parent || row->name != "sudo" || own.size() > rows.size())
      return own;
    own.push_back(parent);
    parent = row->parent;
  }
}

std::vector<const ProcessRow *> rows_named(const std::vector<ProcessRow> &rows, std::string_view name) {
  const std::string wanted(name);
  const auto is_called = [&](const ProcessRow &row) {
    return row.name == name || last_component(row.executable) == name ||
           (!row.command.empty() && last_component(row.command.front()) == name);
  };
  const auto holds_name = [&](const ProcessRow &row) {
    return holds(row.name, wanted) || holds(std::string(last_component(row.executable)), wanted);
  };
  const auto in_command = [&](const ProcessRow &row) { return holds(command_line(row), wanted); };
  const std::vector<pid_t> own = own_processes(rows);
  std::vector<const ProcessRow *> found;
  const auto take = [&](const auto &fits) {
    for (const ProcessRow &row : rows)
      if (found.size() < rows.size() && row.state != 'Z' && !row.kernel_thread &&
          std::ranges::find(own, row.process) == own.end() && fits(row))
        found.push_back(&row);
    return !found.empty();
  };
  if (!name.empty() && !take(is_called) && !take(holds_name))
    take(in_command);
  return found;
}

Result<std::vector<pid_t>> chosen_processes(std::string_view word, bool all) {
  return chosen(word, all, "name one by its PID, or take them --all");
}

Result<pid_t> chosen_process(std::string_view word) {
  const auto processes = chosen(word, false, "name one by its PID");
  return processes ? Result<pid_t>(processes->front()) : std::unexpected(processes.error());
}

} // namespace inspect
