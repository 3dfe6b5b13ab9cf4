#include "commands/stacks/goroutine_text.h"

#include "commands/cli/count_text.h"
#include "commands/stacks/folded_arguments.h"
#include "commands/stacks/frame_text.h"
#include "commands/stacks/stack_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace inspect {
namespace {

constexpr std::size_t max_states_listed = 6;
constexpr std::size_t max_labels_listed = 4;
constexpr std::size_t max_threads_listed = 24;
constexpr std::size_t max_numbered_groups = 10'000; // pointers of more are not compared with each other

bool is_waiting(const GoroutineReport &goroutine) {
  return goroutine.status == GoroutineStatus::waiting || goroutine.status == GoroutineStatus::leaked;
}

/// "chan receive", "syscall", "running"
std::string state_of(const GoroutineReport &goroutine) {
  if (!is_waiting(goroutine) || goroutine.wait_reason.empty())
    return escape(status_text(goroutine.status));
  return escape(goroutine.wait_reason) + (goroutine.status == GoroutineStatus::leaked ? " (leaked)" : "");
}

bool has_waited(const std::optional<std::int64_t> &minutes) {
  return minutes.value_or(0) > 0;
}

std::string minutes_text(std::int64_t minutes) {
  return counted(static_cast<std::uint64_t>(minutes), "minute");
}

/// "at least 61 minutes in chan receive", "0 to at least 61 minutes in chan receive", "running"
std::string group_state(const GoReport &report, const StackGroup &group) {
  const GoroutineReport &first = report.goroutines[group.members.front()];
  std::string state = state_of(first);
  const bool blocked = is_waiting(first) || first.status == GoroutineStatus::in_syscall;
  if (!blocked)
    return state;
  if (!has_waited(group.longest_wait_minutes))
    return "in " + state;
  const std::int64_t longest = *group.longest_wait_minutes;
  const std::int64_t shortest = group.shortest_wait_minutes.value_or(0);
  if (shortest == longest)
    return fmt::format("at least {} in {}", minutes_text(longest), state);
  if (shortest == 0)
    return fmt::format("up to at least {} in {}", minutes_text(longest), state);
  return fmt::format("at least {} to {} in {}", with_thousands(static_cast<std::uint64_t>(shortest)),
                     minutes_text(longest), state);
}

std::string creation_of(const GoReport &report, const GoroutineReport &goroutine, std::uint64_t parent) {
  const CreationSite &site = report.creations[goroutine.creation];
  if (site.function.empty())
    return {};
  std::string text = "created by " + escape(site.function);
  if (parent != 0)
    text += fmt::format(" in goroutine {}", parent);
  if (!site.file.empty())
    text += fmt::format(" at {}:{}", shown_path(site.file), site.line);
  return text;
}

std::string labels_text(const LabelSet &labels) {
  std::string text;
  for (const auto &[key, value] : labels)
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", escape(key), escape(value));
  return text;
}

using Members = std::span<const std::uint32_t>;

void write_dim(Output &output, const std::string &text) {
  output.write(output.styled(Style::dim, "    " + text) + "\n");
}

void write_ids(Output &output, const GoReport &report, Members members) {
  std::vector<std::uint64_t> ids;
  ids.reserve(members.size());
  for (const std::uint32_t member : members)
    ids.push_back(report.goroutines[member].id);
  std::ranges::sort(ids);
  write_dim(output, "ids" + id_ranges(ids));
}

void write_label_counts(Output &output, const GoReport &report, Members members) {
  std::map<std::uint32_t, std::size_t> counts;
  for (const std::uint32_t member : members)
    ++counts[report.goroutines[member].labels];
  if (counts.size() == 1 && report.label_sets[counts.begin()->first].empty())
    return;
  std::vector<std::pair<std::uint32_t, std::size_t>> sorted(counts.begin(), counts.end());
  std::ranges::stable_sort(sorted, std::greater{}, &std::pair<std::uint32_t, std::size_t>::second);
  for (std::size_t i = 0; i < sorted.size() && i < max_labels_listed; ++i) {
    const std::string labels = labels_text(report.label_sets[sorted[i].first]);
    const std::string text = labels.empty() ? "without labels" : "labels " + labels;
    write_dim(output, sorted.size() == 1 ? text : fmt::format("{:>5} × {}", with_thousands(sorted[i].second), text));
  }
  if (sorted.size() > max_labels_listed)
    write_dim(output, fmt::format("and {} other sets of labels", with_thousands(sorted.size() - max_labels_listed)));
}

void write_threads(Output &output, const GoReport &report, Members members) {
  std::string threads;
  std::size_t on_thread = 0;
  std::size_t locked = 0;
  for (const std::uint32_t member : members) {
    const GoroutineReport &goroutine = report.goroutines[member];
    locked += goroutine.locked_to_thread ? 1 : 0;
    if (goroutine.thread != 0 && on_thread++ < max_threads_listed)
      threads += fmt::format(" {}", goroutine.thread);
  }
  if (on_thread > max_threads_listed)
    threads += fmt::format(" … and {} more", with_thousands(on_thread - max_threads_listed));
  if (on_thread > 0)
    write_dim(output, (on_thread == 1 ? "on thread" : "on threads") + threads);
  if (locked > 0)
    write_dim(output,
              fmt::format("{} locked to {}", with_thousands(locked), locked == 1 ? "its thread" : "their threads"));
}

void write_bubbles(Output &output, const GoReport &report, Members members) {
  std::set<std::uint64_t> numbers;
  for (const std::uint32_t member : members)
    if (const std::uint64_t bubble = report.goroutines[member].bubble; bubble != 0)
      numbers.insert(bubble);
  if (!numbers.empty())
    write_dim(output, (numbers.size() == 1 ? "synctest bubble" : "synctest bubbles") +
                          id_ranges(std::vector<std::uint64_t>(numbers.begin(), numbers.end())));
}

/// Prints the groups that it is given, the first time round collecting what their arguments have in common.
class GroupWriter {
public:
  GroupWriter(Output &output, const GoReport &report, const StackWriterOptions &options)
      : output_(output), report_(report), options_(options), folder_(report, options.arguments) {}

  void write(std::span<const StackGroup> groups) {
    std::vector<FoldedStack> folded;
    if (groups.size() <= max_numbered_groups)
      for (const StackGroup &group : groups) {
        folded.push_back(folder_.fold(group.members));
        folder_.note_pointers(folded.back(), options_.internal);
      }
    for (std::size_t i = 0; i < groups.size(); ++i)
      write(groups[i], i < folded.size() ? folded[i] : folder_.fold(groups[i].members));
  }

private:
  void write(const StackGroup &group, const FoldedStack &folded) {
    const GoroutineReport &first = report_.goroutines[group.members.front()];
    const bool alone = group.members.size() == 1;
    if (alone) {
      output_.write(output_.styled(Style::heading, goroutine_title(report_, first)) + "\n");
    } else {
      const std::string creation = creation_of(report_, first, common_parent(group));
      output_.write(fmt::format(
          "{}, {}{}\n",
          output_.styled(Style::heading, counted(group.members.size(), "goroutine") + escape(report_.of_image(first))),
          group_state(report_, group), creation.empty() ? "" : ", " + creation));
      write_ids(output_, report_, group.members);
      write_threads(output_, report_, group.members);
      write_bubbles(output_, report_, group.members);
    }
    write_label_counts(output_, report_, group.members);
    const GoroutineStack &stack = report_.stack_of(first);
    write_stack(output_, {stack.frames, stack.end, stack.end_reason},
                {.depth = options_.depth,
                 .with_addresses = options_.with_addresses,
                 .without_hidden = !options_.internal,
                 .arguments = [&](std::size_t frame) { return folder_.text(folded, frame); },
                 .below = locals_of(first)});
    const std::string creation = alone ? creation_text(report_, first) : std::string();
    if (!creation.empty())
      output_.write(output_.styled(Style::location, "    " + creation) + "\n");
    output_.write("\n");
  }

  std::function<std::string(std::size_t)> locals_of(const GoroutineReport &goroutine) const {
    if (!options_.goroutine_locals)
      return {};
    return [&](std::size_t frame) { return options_.goroutine_locals(goroutine, frame); };
  }

  /// 0: they differ, or are not known.
  std::uint64_t common_parent(const StackGroup &group) const {
    const std::uint64_t parent = report_.goroutines[group.members.front()].parent_id;
    const bool common = std::ranges::all_of(
        group.members, [&](std::uint32_t member) { return report_.goroutines[member].parent_id == parent; });
    return common ? parent : 0;
  }

  Output &output_;
  const GoReport &report_;
  const StackWriterOptions &options_;
  ArgumentFolder folder_;
};

/// "9,412 chan receive, 3 running, 12 others"
std::string state_counts(const GoReport &report, bool system) {
  std::map<std::string_view, std::size_t> counts; // by reason or status, which are few and live in the report
  for (const GoroutineReport &goroutine : report.goroutines)
    if (goroutine.system == system)
      ++counts[goroutine.state()];
  std::vector<std::pair<std::string_view, std::size_t>> sorted(counts.begin(), counts.end());
  std::ranges::stable_sort(sorted, std::greater{}, &std::pair<std::string_view, std::size_t>::second);
  std::string text;
  std::size_t others = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i >= max_states_listed)
      others += sorted[i].second;
    else
      text += fmt::format("{}{} {}", i == 0 ? "" : ", ", with_thousands(sorted[i].second), escape(sorted[i].first));
  }
  return others == 0 ? text : text + fmt::format(", {} others", with_thousands(others));
}

/// "    12 of libA.so, 7 of libB.so", where there are several runtimes.
void write_runtime_counts(Output &output, const GoReport &report) {
  std::map<std::uint8_t, std::pair<std::size_t, std::string>> counts;
  for (const GoroutineReport &goroutine : report.goroutines)
    if (!goroutine.system) {
      auto &[count, image] = counts[goroutine.runtime];
      if (count++ == 0)
        image = report.of_image(goroutine);
    }
  if (report.runtimes.size() < 2)
    return;
  std::string text;
  for (const auto &[runtime, of] : counts)
    text += fmt::format("{}{}{}", text.empty() ? "" : ", ", with_thousands(of.first), escape(of.second));
  write_dim(output, text);
}

} // namespace

std::string goroutine_title(const GoReport &report, const GoroutineReport &goroutine) {
  std::string text =
      fmt::format("goroutine {}{} [{}", goroutine.id, escape(report.of_image(goroutine)), state_of(goroutine));
  if (goroutine.being_scanned)
    text += ", being scanned";
  if (has_waited(goroutine.wait_minutes()))
    text += fmt::format(", at least {}", minutes_text(*goroutine.wait_minutes()));
  if (goroutine.locked_to_thread)
    text += ", locked to thread";
  if (goroutine.bubble != 0)
    text += fmt::format(", synctest bubble {}", goroutine.bubble);
  if (goroutine.thread != 0)
    text += fmt::format(", thread {}", goroutine.thread);
  return text + "]";
}

std::string creation_text(const GoReport &report, const GoroutineReport &goroutine) {
  return creation_of(report, goroutine, goroutine.parent_id);
}

void write_goroutines(Output &output, const GoReport &report, const StackWriterOptions &options) {
  const auto is_system = [](const GoroutineReport &one) { return one.system; };
  const auto of_runtime = static_cast<std::size_t>(std::ranges::count_if(report.goroutines, is_system));
  const std::size_t of_program = report.goroutines.size() - of_runtime;
  output.write(fmt::format("{}{}\n", counted(of_program, "goroutine"),
                           of_program > 0 ? ": " + state_counts(report, false) : std::string()));
  write_runtime_counts(output, report);
  output.write("\n");
  std::vector<StackGroup> groups = options.group ? group_goroutines(report) : one_by_one(report.goroutines.size());
  if (!options.internal)
    std::erase_if(groups, [&](const StackGroup &group) { return report.goroutines[group.members.front()].system; });
  GroupWriter(output, report, options).write(groups);
  if (of_runtime > 0 && !options.internal)
    output.write(fmt::format(
        "{}: {}\n{}\n", output.styled(Style::heading, counted(of_runtime, "goroutine") + " of the Go runtime"),
        state_counts(report, true), output.styled(Style::dim, "    --internal shows their stacks\n")));
  if (options.arguments == ArgumentDetail::values && report.values_are_later)
    output.write(output.styled(Style::dim, "? follows arguments that may be out of date; what arguments point to was "
                                           "read after the process ran on\n\n"));
}

void write_goroutine(Output &output, const GoReport &report, const GoroutineReport &goroutine,
                     const StackWriterOptions &options) {
  const auto index = static_cast<std::uint32_t>(&goroutine - report.goroutines.data());
  const StackGroup alone{{index}, goroutine.wait_minutes(), goroutine.wait_minutes()};
  GroupWriter(output, report, options).write({&alone, 1});
}

} // namespace inspect
