#include "commands/stack_writers.h"

#include "commands/frame_text.h"

#include <algorithm>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <map>

namespace inspect {
namespace {

constexpr std::size_t longest_period = 8; // of a recursion that is folded
constexpr std::size_t least_repeats = 3;  // shown in full below that
constexpr std::size_t most_waits_listed = 4;
constexpr std::size_t most_thread_ranges = 24;

bool same_line(const ReportFrame &left, const ReportFrame &right) {
  return left.function.data() == right.function.data() && left.file.data() == right.file.data() &&
         left.line == right.line && left.module.data() == right.module.data() && left.inlined == right.inlined &&
         left.signal == right.signal && (!left.function.empty() || left.pc == right.pc);
}

/// A run of frames that repeats: `period` frames, `count` times in all.
struct Repetition {
  std::size_t period = 1;
  std::size_t count = 1;
};

Repetition repetition_at(std::span<const ReportFrame> frames, std::size_t start) {
  Repetition best;
  for (std::size_t period = 1; period <= longest_period; ++period) {
    std::size_t end = start + period;
    while (end < frames.size() && same_line(frames[end], frames[end - period]))
      ++end;
    const std::size_t count = (end - start) / period;
    if (count > least_repeats && count * period > best.count * best.period)
      best = {period, count};
  }
  return best;
}

/// The frames, with recursion folded and at most `depth` lines (0: all).
void write_frames(Output &output, const ThreadReport &thread, std::size_t depth, bool with_addresses) {
  const std::span<const ReportFrame> frames = thread.frames;
  std::size_t lines = 0;
  for (std::size_t i = 0; i < frames.size();) {
    if (depth != 0 && lines >= depth) {
      output.write(output.styled(Style::dim, fmt::format("    … {} more frames\n", frames.size() - i)));
      return;
    }
    const Repetition repetition = repetition_at(frames, i);
    for (std::size_t k = 0; k < repetition.period; ++k, ++lines)
      output.write("    " + frame_line(output, i + k, frames[i + k], with_addresses));
    if (repetition.count > 1) {
      const std::string what =
          repetition.period == 1 ? "the frame above" : fmt::format("the {} frames above", repetition.period);
      output.write(
          output.styled(Style::dim, fmt::format("         … {} repeated {} times in all (to #{})\n", what,
                                                repetition.count, i + repetition.count * repetition.period - 1)));
      ++lines;
    }
    i += repetition.period * repetition.count;
  }
  if (thread.end != StackEnd::complete)
    output.write(
        output.styled(Style::warning, fmt::format("    {}: {}\n", frames.empty() ? "no stack" : "the stack ends here",
                                                  escape(thread.end_reason))));
}

/// "4251-4259 4263", cut after a while.
std::string thread_ranges(const ProcessReport &report, const ThreadGroup &group) {
  std::string text;
  std::size_t ranges = 0;
  const auto id = [&](std::size_t i) { return report.threads[group.members[i]].thread; };
  for (std::size_t i = 0; i < group.members.size();) {
    std::size_t last = i;
    while (last + 1 < group.members.size() && id(last + 1) == id(last) + 1)
      ++last;
    if (ranges++ == most_thread_ranges)
      return text + fmt::format(" … and {} more", group.members.size() - i);
    text += last == i ? fmt::format(" {}", id(i)) : fmt::format(" {}-{}", id(i), id(last));
    i = last + 1;
  }
  return text;
}

std::string wait_text(const ProcessReport &report, const ThreadReport &thread) {
  std::string text = escape(thread.waiting_in);
  if (thread.lock_holder != 0) {
    const auto holder = std::ranges::find(report.threads, thread.lock_holder, &ThreadReport::thread);
    text +=
        fmt::format(", lock {}held by thread {}", thread.lock_holder_guessed ? "probably " : "", thread.lock_holder);
    if (holder != report.threads.end() && !holder->name.empty())
      text += " " + escape(holder->name);
  }
  return text;
}

/// What the members of a group wait in, most frequent first, when it is not the same for all.
void write_differing_waits(Output &output, const ProcessReport &report, const ThreadGroup &group) {
  std::map<std::string, std::size_t> waits;
  for (const std::size_t member : group.members)
    ++waits[wait_text(report, report.threads[member])];
  if (waits.size() < 2)
    return;
  std::vector<std::pair<std::string, std::size_t>> sorted(waits.begin(), waits.end());
  std::ranges::stable_sort(sorted, std::greater{}, &std::pair<std::string, std::size_t>::second);
  for (std::size_t i = 0; i < sorted.size() && i < most_waits_listed; ++i)
    output.write(
        output.styled(Style::dim, fmt::format("    {:>5} × {}\n", sorted[i].second,
                                              sorted[i].first.empty() ? "in no system call" : sorted[i].first)));
  if (sorted.size() > most_waits_listed)
    output.write(output.styled(Style::dim, fmt::format("    and {} others\n", sorted.size() - most_waits_listed)));
}

std::string activity(const ProcessReport &report, const ThreadReport &thread) {
  std::string text = thread.state_text;
  const std::string waiting = wait_text(report, thread);
  if (!waiting.empty())
    text += " in " + waiting;
  return text;
}

void write_group(Output &output, const ProcessReport &report, const ThreadGroup &group) {
  const ThreadReport &first = report.threads[group.members.front()];
  const std::string who = fmt::format("{} {}", first.thread, escape(first.name));
  if (group.members.size() == 1) {
    output.write(fmt::format("{}: {}\n", output.styled(Style::heading, "thread " + who), activity(report, first)));
  } else {
    output.write(fmt::format("{}, e.g. {}: {}\n",
                             output.styled(Style::heading, fmt::format("{} threads", group.members.size())), who,
                             activity(report, first)));
    write_differing_waits(output, report, group);
    output.write(output.styled(Style::dim, fmt::format("    ids{}\n", thread_ranges(report, group))));
  }
  write_frames(output, first, 0, false);
  output.write("\n");
}

void write_heading(Output &output, const ProcessReport &report) {
  const std::string name = escape(report.executable.empty() ? report.command : report.executable);
  output.write(fmt::format(
      "{}  {}\n", output.styled(Style::heading, fmt::format("process {} {}", report.process, escape(report.command))),
      name));
  std::string runtime = report.runtime.language.empty() ? "runtime unknown" : report.runtime.language;
  if (!report.runtime.version.empty())
    runtime += " " + report.runtime.version;
  if (report.runtime.stripped)
    runtime += ", stripped";
  const double milliseconds = static_cast<double>(report.pause.count()) / 1000;
  output.write(fmt::format("{}; {} {}; {}; {:%Y-%m-%d %H:%M:%S} UTC\n\n", escape(runtime), report.threads.size(),
                           report.threads.size() == 1 ? "thread" : "threads",
                           report.pause.count() > 0 ? fmt::format("paused for {:.1f} ms", milliseconds)
                                                    : std::string("held stopped"),
                           fmt::gmtime(std::chrono::system_clock::to_time_t(report.taken_at))));
}

} // namespace

void write_stacks_text(Output &output, const ProcessReport &report, const TextStackOptions &options) {
  write_heading(output, report);
  std::vector<ThreadGroup> groups;
  if (options.group)
    groups = group_threads(report);
  else
    for (std::size_t i = 0; i < report.threads.size(); ++i)
      groups.push_back({{i}});
  for (const ThreadGroup &group : groups)
    write_group(output, report, group);
}

void write_backtrace(Output &output, const ProcessReport &report, const ThreadReport &thread, std::size_t depth,
                     bool with_addresses) {
  output.write(fmt::format(
      "{}: {}\n", output.styled(Style::heading, fmt::format("thread {} {}", thread.thread, escape(thread.name))),
      activity(report, thread)));
  write_frames(output, thread, depth, with_addresses);
}

} // namespace inspect
