#include "commands/stacks/stack_writers.h"

#include "commands/cli/count_text.h"
#include "commands/stacks/goroutine_text.h"
#include "commands/stacks/stack_text.h"
#include "commands/stacks/thread_variables.h"

#include <algorithm>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <map>

namespace inspect {
namespace {

constexpr std::size_t max_waits_listed = 4;

std::string thread_ids(const ProcessReport &report, const StackGroup &group) {
  std::vector<std::uint64_t> ids;
  for (const std::uint32_t member : group.members)
    ids.push_back(static_cast<std::uint64_t>(report.threads[member].thread));
  return id_ranges(ids);
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
void write_differing_waits(Output &output, const ProcessReport &report, const StackGroup &group) {
  std::map<std::string, std::size_t> waits;
  for (const std::uint32_t member : group.members)
    ++waits[wait_text(report, report.threads[member])];
  if (waits.size() < 2)
    return;
  std::vector<std::pair<std::string, std::size_t>> sorted(waits.begin(), waits.end());
  std::ranges::stable_sort(sorted, std::greater{}, &std::pair<std::string, std::size_t>::second);
  for (std::size_t i = 0; i < sorted.size() && i < max_waits_listed; ++i)
    output.write(
        output.styled(Style::dim, fmt::format("    {:>5} × {}\n", sorted[i].second,
                                              sorted[i].first.empty() ? "in no system call" : sorted[i].first)));
  if (sorted.size() > max_waits_listed)
    output.write(output.styled(Style::dim, fmt::format("    and {} others\n", sorted.size() - max_waits_listed)));
}

std::string activity(const ProcessReport &report, const ThreadReport &thread) {
  std::string text = thread.state_text;
  const std::string waiting = wait_text(report, thread);
  if (!waiting.empty())
    text += " in " + waiting;
  if (!thread.waiting_for.empty())
    text += fmt::format(", {}", thread.waiting_for);
  if (thread.reading == ThreadReading::without_stop && !thread.why_not_stopped.empty())
    text += "; read without a stop: " + escape(thread.why_not_stopped);
  return text;
}

/// The kernel's functions stand where they were called: in front of the program's.
void write_kernel_frames(Output &output, const ThreadReport &thread) {
  const auto write = [&](std::string_view function) {
    output.write(output.styled(Style::dim, fmt::format("    kernel  {}\n", escape(function))));
  };
  for (const std::string &function : thread.kernel.stack)
    write(function);
  if (thread.kernel.stack.empty() && !thread.kernel.channel.empty())
    write(thread.kernel.channel);
}

void write_group(Output &output, const ProcessReport &report, const StackGroup &group, ThreadVariables &variables,
                 bool with_locals) {
  const ThreadReport &first = report.threads[group.members.front()];
  const std::string who = fmt::format("{} {}", first.thread, escape(first.name));
  if (group.members.size() == 1) {
    output.write(fmt::format("{}: {}\n", output.styled(Style::heading, "thread " + who), activity(report, first)));
  } else {
    output.write(fmt::format("{}, e.g. {}: {}\n",
                             output.styled(Style::heading, fmt::format("{} threads", group.members.size())), who,
                             activity(report, first)));
    write_differing_waits(output, report, group);
    output.write(output.styled(Style::dim, fmt::format("    ids{}\n", thread_ids(report, group))));
  }
  StackTextOptions options{.arguments = [&](std::size_t frame) { return variables.arguments(group.members, frame); }};
  if (with_locals)
    options.below = [&](std::size_t frame) { return variables.locals(output, first, frame); };
  write_kernel_frames(output, first);
  write_stack(output, {first.frames, first.end, first.end_reason}, options);
  output.write("\n");
}

/// How the threads were read, where not all of them were stopped for it; with the line's end.
std::string reading_text(const ProcessReport &report) {
  const auto count = [&](ThreadReading reading) {
    return static_cast<std::uint64_t>(std::ranges::count(report.threads, reading, &ThreadReport::reading));
  };
  const std::uint64_t without_stop = count(ThreadReading::without_stop);
  const std::uint64_t not_read = count(ThreadReading::not_read);
  std::string text;
  if (report.why_not_stopped.empty() && without_stop == 0)
    return text;
  if (report.why_not_stopped.empty())
    text = counted(count(ThreadReading::stopped), "thread") + " stopped, ";
  text += fmt::format("{} read without a stop",
                      report.why_not_stopped.empty() ? std::to_string(without_stop) : counted(without_stop, "thread"));
  if (not_read > 0)
    text += fmt::format(", {} not read", not_read);
  if (!report.why_not_stopped.empty())
    text += ": " + escape(report.why_not_stopped);
  return text + "\n";
}

std::string pause_text(const ProcessReport &report) {
  if (!report.why_not_stopped.empty())
    return "not stopped";
  const double milliseconds = static_cast<double>(report.pause.count()) / 1000;
  return report.pause.count() > 0 ? fmt::format("paused for {:.1f} ms", milliseconds) : "held stopped";
}

/// What the heading says of the Go runtimes behind the program's own language and version: how the layout was found,
/// and which libraries have one: ", hosts go1.26.8 (libA.so), go1.25.4 (libB.so)".
std::string go_runtimes_text(const ProcessReport &report) {
  const auto note_of = [&](const std::string &image) -> std::string {
    if (report.go)
      for (const GoRuntimeReport &runtime : report.go->runtimes)
        if (!runtime.layout_note.empty() && (runtime.image == image || image.empty()))
          return fmt::format(" ({})", runtime.layout_note);
    return {};
  };
  if (report.runtime.hosts.empty())
    return note_of({});
  std::string hosted;
  for (const HostedRuntime &one : report.runtime.hosts)
    hosted += fmt::format("{}{} ({}){}", hosted.empty() ? ", hosts " : ", ", one.version.empty() ? "Go" : one.version,
                          one.library.substr(one.library.rfind('/') + 1), note_of(one.library));
  return hosted;
}

void write_heading(Output &output, const ProcessReport &report) {
  const std::string name = escape(report.executable.empty() ? report.command : report.executable);
  output.write(fmt::format(
      "{}  {}\n", output.styled(Style::heading, fmt::format("process {} {}", report.process, escape(report.command))),
      name));
  const RuntimeInfo &info = report.runtime;
  std::string runtime = info.language.empty() ? "runtime unknown" : info.language;
  if (info.version.starts_with(info.language))
    runtime = info.version; // "go1.22.1"
  else if (!info.version.empty())
    runtime += " " + info.version;
  if (report.runtime.stripped)
    runtime += ", stripped";
  runtime += go_runtimes_text(report);
  const std::string goroutines = report.go ? counted(report.go->goroutines.size(), "goroutine") + ", " : "";
  output.write(fmt::format("{}; {}{}; {}; {:%Y-%m-%d %H:%M:%S} UTC\n{}\n", escape(runtime), goroutines,
                           counted(report.threads.size(), "thread"), pause_text(report),
                           fmt::gmtime(std::chrono::system_clock::to_time_t(report.taken_at)),
                           reading_text(report) + (report.note.empty() ? "" : escape(report.note) + "\n")));
}

void write_threads(Output &output, const ProcessReport &report, const StackWriterOptions &options,
                   ThreadVariables &variables) {
  std::vector<StackGroup> groups = options.group ? group_threads(report) : one_by_one(report.threads.size());
  for (StackGroup &group : groups) {
    if (report.go) // what they do is said of the goroutine
      std::erase_if(group.members, [&](std::uint32_t member) { return report.threads[member].goroutine != 0; });
    if (!group.members.empty())
      write_group(output, report, group, variables, options.locals);
  }
}

} // namespace

void write_stacks_text(Output &output, const ProcessReport &report, const StackWriterOptions &options) {
  write_heading(output, report);
  ThreadVariables variables(report, options);
  if (report.go) {
    StackWriterOptions with_locals = options;
    if (options.locals)
      with_locals.goroutine_locals = [&](const GoroutineReport &goroutine, std::size_t frame) {
        return variables.locals(output, goroutine, frame);
      };
    write_goroutines(output, *report.go, with_locals);
  }
  if (!options.goroutines_only)
    write_threads(output, report, options, variables);
  variables.write_notes(output);
}
void write_backtrace(Output &output, const ProcessReport &report, const ThreadReport &thread,
                     const StackWriterOptions &options) {
  output.write(fmt::format(
      "{}: {}\n", output.styled(Style::heading, fmt::format("thread {} {}", thread.thread, escape(thread.name))),
      activity(report, thread)));
  ThreadVariables variables(report, options);
  const auto member = static_cast<std::uint32_t>(&thread - report.threads.data());
  StackTextOptions text{
      .depth = options.depth, .with_addresses = options.with_addresses, .arguments = [&](std::size_t frame) {
        return variables.arguments({&member, 1}, frame);
      }};
  if (options.locals)
    text.below = [&](std::size_t frame) { return variables.locals(output, thread, frame); };
  write_kernel_frames(output, thread);
  write_stack(output, {thread.frames, thread.end, thread.end_reason}, text);
}

} // namespace inspect
