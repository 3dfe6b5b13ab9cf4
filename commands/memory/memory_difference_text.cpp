// What changed in the memory of a process, human-readable: in the manner of `pprof -base`, most growth first.
#include "commands/memory/memory_text.h"
#include "commands/memory/memory_writers.h"
#include "machine/number_text.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <fmt/format.h>

namespace inspect {
namespace {

/// As date(1) has it without the zone; the year is said where somebody kept a file for long.
std::string moment_text(std::int64_t milliseconds) {
  const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm time{};
  if (::localtime_r(&seconds, &time) == nullptr)
    return "a time that is none";
  std::array<char, 64> text{};
  return std::string(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &time));
}

std::string change_cell(std::uint64_t before, std::uint64_t after) {
  return before == after ? "-" : size_change_text(before, after);
}

std::string figure_change(const FigureChange &change) {
  const bool grew = change.after > change.before;
  const std::uint64_t by = grew ? change.after - change.before : change.before - change.after;
  return fmt::format("{} {}{} (now {})", change.name->title, grew ? "+" : "-", figure_text(change.name->unit, by),
                     figure_text(change.name->unit, change.after));
}

std::vector<std::string> change_row(std::string name, const KindChange &change, bool measured) {
  const MemoryAmounts &before = change.before.amounts;
  const MemoryAmounts &after = change.after.amounts;
  if (!measured)
    return {std::move(name), change_cell(before.reserved, after.reserved), size_text(after.reserved)};
  return {std::move(name),
          change_cell(before.reserved, after.reserved),
          change_cell(before.resident, after.resident),
          change_cell(before.proportional, after.proportional),
          change_cell(before.lazily_freed, after.lazily_freed),
          change_cell(before.swapped, after.swapped),
          size_text(after.resident)};
}

void write_changed_kinds(Output &output, const MemoryDifference &difference) {
  std::vector<std::vector<std::string>> rows;
  if (difference.measured)
    rows.push_back({"KIND", "RESERVED", "RESIDENT", "PROPORTIONAL", "LAZILY FREED", "SWAPPED", "RESIDENT NOW"});
  else
    rows.push_back({"KIND", "RESERVED", "RESERVED NOW"});
  for (const KindChange &change : difference.kinds) {
    const std::vector<std::string> row =
        change_row(std::string(mapping_kind_text(change.after.kind)), change, difference.measured);
    // What changed in how often a page was used or written is not a change of size.
    if (std::any_of(row.begin() + 1, row.end() - 1, [](const std::string &text) { return text != "-"; }))
      rows.push_back(row);
  }
  if (rows.size() == 1)
    return;
  rows.push_back(change_row("total", difference.sum, difference.measured));
  const std::vector<std::string> lines = aligned_table(rows, 1);
  for (std::size_t i = 0; i < lines.size(); ++i)
    output.write((i == 0 || i + 1 == lines.size() ? output.styled(Style::heading, lines[i]) : lines[i]) + "\n");
}

/// Sums that the table of kinds has already, and Alloc, which is HeapAlloc by another name.
bool is_said_already(const MemoryFigureName &name) {
  constexpr std::array<std::string_view, 6> sums = {"vsz", "rss", "pss", "swap", "lazily_freed", "alloc"};
  return std::ranges::find(sums, name.name) != sums.end();
}

void write_figures(Output &output, std::string_view heading, const std::vector<FigureChange> &changes,
                   const MemoryTextOptions &options) {
  std::string text;
  for (const FigureChange &change : changes)
    if (!is_said_already(*change.name))
      text += (text.empty() ? "" : ", ") + figure_change(change);
  if (text.empty())
    return;
  text = wrapped(fmt::format("{}: {}", heading, text), prose_width(output), "  ");
  output.write((options.unicode ? text : in_ascii(text)) + "\n");
}

} // namespace

void write_memory_difference_text(Output &output, const MemoryDifference &difference,
                                  const MemoryTextOptions &options) {
  const auto span = static_cast<std::uint64_t>(std::max<std::int64_t>(difference.later - difference.earlier, 0));
  output.write(fmt::format("{} {}\n", output.styled(Style::heading, "since " + moment_text(difference.earlier)),
                           output.styled(Style::dim, "(" + duration_text(span) + ")")));
  if (difference.empty()) {
    output.write("nothing has changed\n");
    return;
  }
  write_changed_kinds(output, difference);
  write_figures(output, "process", difference.totals, options);
  write_figures(output, "Go", difference.go, options);
  write_figures(output, "malloc", difference.malloc_changes, options);
  for (const MemoryFinding &finding : difference.findings)
    output.write(finding_text(output, finding, options.unicode));
}

} // namespace inspect
