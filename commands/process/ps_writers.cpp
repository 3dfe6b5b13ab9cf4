#include "commands/process/ps_writers.h"

#include "commands/process/process_details_writers.h"
#include "inspector/process/process_tree.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <vector>

namespace inspect {
namespace {

constexpr std::size_t widest_user = 16;
constexpr std::size_t widest_runtime = 48;
constexpr std::size_t widest_container = 40;
constexpr std::size_t narrowest_command = 16;

/// As ps does: the time today, the day this year, else the year.
std::string start_text(std::int64_t started_at) {
  const auto then = static_cast<std::time_t>(started_at);
  const std::time_t now = std::time(nullptr);
  std::tm start{};
  std::tm today{};
  ::localtime_r(&then, &start);
  ::localtime_r(&now, &today);
  const bool this_year = start.tm_year == today.tm_year;
  const char *format = this_year && start.tm_yday == today.tm_yday ? "%H:%M" : this_year ? "%b%d" : "%Y";
  std::array<char, 16> text{};
  return std::string(text.data(), std::strftime(text.data(), text.size(), format, &start));
}

std::string iso_time(std::int64_t seconds) {
  const auto then = static_cast<std::time_t>(seconds);
  std::tm time{};
  ::gmtime_r(&then, &time);
  std::array<char, 32> text{};
  return std::string(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &time));
}

struct CodePoint {
  std::size_t bytes;
  std::size_t columns;
};

/// Escaped text is valid UTF-8. East Asian and later characters are taken as two columns wide and joiners as one: a
/// line then ends early at worst, and never runs over.
CodePoint next_code_point(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80)
    return {1, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const bool wide =
      bytes == 4 ||
      (bytes == 3 && (lead > 0xe2 || (lead == 0xe1 && text.size() > 1 && static_cast<unsigned char>(text[1]) == 0x84)));
  return {std::min(bytes, text.size()), wide ? 2U : 1U};
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const CodePoint point = next_code_point(text);
    columns += point.columns;
    text.remove_prefix(point.bytes);
  }
  return columns;
}

std::string padded(const std::string &text, std::size_t width, bool right) {
  const std::size_t columns = columns_of(text);
  const std::string blanks(width > columns ? width - columns : 0, ' ');
  return right ? blanks + text : text + blanks;
}

struct Column {
  std::string_view heading;
  bool right = false;
  std::vector<std::string> cells = {};
  std::size_t width = 0;
};

std::vector<Column> make_columns(std::span<const ProcessRow> rows, bool unicode) {
  std::vector<Column> columns = {{"PID", true}, {"USER"},      {"RUNTIME"},    {"THR", true},
                                 {"VSZ", true}, {"RSS", true}, {"CPU%", true}, {"STARTED", true}};
  const bool any_container = std::ranges::any_of(rows, [](const ProcessRow &row) { return !row.container.empty(); });
  if (any_container)
    columns.push_back({"CONTAINER"});
  for (const ProcessRow &row : rows) {
    std::vector<std::string> cells = {std::to_string(row.process),
                                      cut_to_width(escape(row.user), widest_user, unicode),
                                      cut_to_width(escape(runtime_text(row.runtime)), widest_runtime, unicode),
                                      std::to_string(row.threads),
                                      human_size(row.virtual_kb),
                                      human_size(row.resident_kb),
                                      fmt::format("{:.1f}", row.cpu_percent),
                                      start_text(row.started_at)};
    if (row.kernel_thread)
      cells[2] = "kernel";
    if (any_container)
      cells.push_back(row.container.empty() ? "-" : cut_to_width(escape(row.container), widest_container, unicode));
    for (std::size_t i = 0; i < cells.size(); ++i)
      columns[i].cells.push_back(std::move(cells[i]));
  }
  for (Column &column : columns) {
    column.width = column.heading.size();
    for (const std::string &cell : column.cells)
      column.width = std::max(column.width, columns_of(cell));
  }
  return columns;
}

std::string branches(const TreeNode &node, bool unicode) {
  std::string text;
  for (std::size_t level = 0; level < node.last_of_parents.size(); ++level) {
    const bool own = level + 1 == node.last_of_parents.size();
    const bool last = node.last_of_parents[level];
    if (unicode)
      text += own ? (last ? "└─ " : "├─ ") : (last ? "   " : "│  ");
    else
      text += own ? (last ? "`- " : "|- ") : (last ? "   " : "|  ");
  }
  return text;
}

std::vector<TreeNode> flat(std::size_t count) {
  std::vector<TreeNode> nodes(count);
  for (std::size_t i = 0; i < count; ++i)
    nodes[i].row = i;
  return nodes;
}

void write_footer(Output &output, std::span<const ProcessRow> rows, bool as_root) {
  const auto unseen = std::ranges::count_if(rows, &ProcessRow::not_permitted);
  if (unseen == 0)
    return;
  std::string sentence = fmt::format("{} could not be inspected: missing CAP_SYS_PTRACE",
                                     unseen == 1 ? "1 process" : fmt::format("{} processes", unseen));
  if (!as_root)
    sentence += fmt::format("; run with sudo to see what {}", unseen == 1 ? "it runs" : "they run");
  output.write(output.styled(Style::dim, sentence) + "\n");
}

} // namespace

std::string command_text(const ProcessRow &row) {
  std::string text;
  for (const std::string &word : row.command)
    text += (text.empty() ? "" : " ") + escape(word);
  if (text.find_first_not_of(' ') != std::string::npos)
    return text;
  // As ps shows what has no command line.
  text = fmt::format("[{}]", escape(row.name));
  return row.state == 'Z' ? text + " <defunct>" : text;
}

std::string runtime_text(const RuntimeInfo &runtime) {
  if (runtime.language.empty())
    return "?";
  // Go's own versions begin with the language's name.
  const bool named = runtime.version.starts_with(runtime.language);
  std::string text = named ? runtime.version : runtime.language + runtime.version;
  if (runtime.is_32_bit)
    text += "/32";
  for (const HostedRuntime &one : runtime.hosts)
    text += fmt::format("{} {} ({})", &one == &runtime.hosts.front() ? ", hosts" : ",",
                        one.version.empty() ? "go" : one.version, one.library.substr(one.library.rfind('/') + 1));
  return text;
}

std::string cut_to_width(std::string_view text, std::size_t columns, bool unicode) {
  if (columns_of(text) <= columns)
    return std::string(text);
  const std::string_view ellipsis = unicode ? "…" : "+";
  std::size_t used = 0;
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    const CodePoint point = next_code_point(text.substr(bytes));
    if (used + point.columns + 1 > columns)
      break;
    used += point.columns;
    bytes += point.bytes;
  }
  return columns == 0 ? std::string() : std::string(text.substr(0, bytes)) + std::string(ellipsis);
}

void write_processes_text(Output &output, std::span<const ProcessRow> rows, const PsTextOptions &options) {
  const std::vector<Column> columns = make_columns(rows, options.unicode);
  std::string heading;
  for (const Column &column : columns)
    heading += padded(std::string(column.heading), column.width, column.right) + "  ";
  const std::size_t used = columns_of(heading);
  output.write(output.styled(Style::heading, heading + "COMMAND") + "\n");

  const auto terminal = static_cast<std::size_t>(std::max(output.width(), 0));
  const std::size_t room =
      terminal == 0 ? std::string::npos : std::max(narrowest_command, terminal > used ? terminal - used : 0);
  for (const TreeNode &node : options.tree ? process_tree(rows) : flat(rows.size())) {
    const ProcessRow &row = rows[node.row];
    std::string line;
    for (const Column &column : columns)
      line += padded(column.cells[node.row], column.width, column.right) + "  ";
    const std::string branch = branches(node, options.unicode);
    const std::string command = cut_to_width(branch + command_text(row), room, options.unicode);
    line += command;
    const std::string module = row.runtime.module.empty() ? "" : fmt::format("  ({})", escape(row.runtime.module));
    if (!module.empty() && columns_of(command) + columns_of(module) <= room)
      line += output.styled(Style::dim, module);
    output.write(line + "\n");
  }
  write_footer(output, rows, options.as_root);
}

namespace {

using Json = nlohmann::ordered_json;

Json row_json(const ProcessRow &row) {
  const auto or_null = [](const std::string &text) { return text.empty() ? Json() : Json(text); };
  Json command = Json::array();
  for (const std::string &word : row.command)
    command.push_back(word);
  Json runtime;
  Json hosts = Json::array();
  for (const HostedRuntime &one : row.runtime.hosts)
    hosts.push_back({{"kind", "go"}, {"version", or_null(one.version)}, {"library", one.library}});
  if (!row.runtime.language.empty())
    runtime = {{"kind", row.runtime.language},          {"version", or_null(row.runtime.version)},
               {"module", or_null(row.runtime.module)}, {"stripped", row.runtime.stripped},
               {"is_32_bit", row.runtime.is_32_bit},    {"hosts", std::move(hosts)}};
  return {{"pid", row.process},
          {"ppid", row.parent},
          {"user", row.user},
          {"name", row.name},
          {"command", std::move(command)},
          {"executable", or_null(row.executable)},
          {"executable_deleted", row.executable_deleted},
          {"runtime", std::move(runtime)},
          {"state", std::string(1, row.state)},
          {"threads", row.threads},
          {"vsz_kb", row.virtual_kb},
          {"rss_kb", row.resident_kb},
          {"cpu_percent", row.cpu_percent},
          {"started_at", iso_time(row.started_at)},
          {"container", or_null(row.container)},
          {"kernel_thread", row.kernel_thread},
          {"not_seen", or_null(row.not_seen)}};
}

void write_document(Output &output, Json processes) {
  // Pure ASCII (docs/json.md): no name can break a terminal or the document.
  const Json document = {{"schema", "inspect.ps/1"}, {"processes", std::move(processes)}};
  output.write(document.dump(2, ' ', true, Json::error_handler_t::replace) + "\n");
}

} // namespace

void write_processes_json(Output &output, std::span<const ProcessRow> rows) {
  Json processes = Json::array();
  for (const ProcessRow &row : rows)
    processes.push_back(row_json(row));
  write_document(output, std::move(processes));
}

void write_process_json(Output &output, const ProcessDetails &details) {
  Json process = row_json(details.row);
  process["details"] = process_details_json(details);
  write_document(output, Json::array({std::move(process)}));
}

} // namespace inspect
