#include "commands/process/process_details_writers.h"

#include "commands/process/process_build_text.h"
#include "commands/process/ps_writers.h"
#include "commands/process/socket_text.h"
#include "machine/number_text.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <fmt/format.h>

namespace inspect {
namespace {

std::string local_time(std::int64_t seconds) {
  const auto then = static_cast<std::time_t>(seconds);
  std::tm time{};
  ::localtime_r(&then, &time);
  std::array<char, 64> text{};
  return std::string(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %Z", &time));
}

/// "1,024", "unlimited", or a size.
std::string limit_value(std::optional<std::uint64_t> value, bool bytes) {
  if (!value)
    return "unlimited";
  return bytes ? size_text(*value) : with_thousands(*value);
}

class Writer {
public:
  Writer(Output &output, const ProcessDetails &details, const ProcessDetailsTextOptions &options)
      : output_(output), details_(details), options_(options) {}
  void write();

private:
  void line(std::string_view label, std::string_view text);
  /// The parts with commas between, broken before the terminal's edge.
  void list(std::string_view label, const std::vector<std::string> &parts);
  void write_head();
  void write_origin();
  void write_times();
  void write_recent_use();
  void write_threads();
  void write_memory();
  void write_descriptors();
  void write_deleted_files();
  void write_sockets();
  void write_limits();
  void write_capabilities();
  void write_namespaces();
  void write_control_groups();
  void write_security();
  void write_build();
  void write_missing();

  Output &output_;
  const ProcessDetails &details_;
  const ProcessDetailsTextOptions &options_;
};

constexpr std::size_t label_width = 14; // "other sockets" and a blank

void Writer::line(std::string_view label, std::string_view text) {
  output_.write(output_.styled(Style::dim, fmt::format("{:<{}}", label, label_width)) + std::string(text) + "\n");
}

void Writer::list(std::string_view label, const std::vector<std::string> &parts) {
  constexpr std::size_t narrowest = 40;
  const auto terminal = static_cast<std::size_t>(std::max(output_.width(), 0));
  const std::size_t room =
      terminal == 0 ? std::string::npos : std::max(narrowest, terminal - std::min(terminal, label_width));
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string part = parts[i] + (i + 1 < parts.size() ? "," : "");
    if (!text.empty() && text.size() + 1 + part.size() > room) {
      line(label, text);
      label = "";
      text.clear();
    }
    text += (text.empty() ? "" : " ") + part;
  }
  if (!text.empty())
    line(label, text);
}

void Writer::write_head() {
  const ProcessRow &row = details_.row;
  std::string what = row.kernel_thread ? "kernel thread" : runtime_text(row.runtime);
  std::string text = fmt::format("{} {}", row.process, escape(row.name));
  output_.write(output_.styled(Style::heading, text) + "  " + (what == "?" ? "" : what + ", "));
  const bool zombie = details_.threads_by_state.size() == 1 && details_.threads_by_state.contains('Z');
  if (zombie)
    output_.write(fmt::format("ended; it waits for its parent, process {}, to take note of it\n", row.parent));
  else
    output_.write(fmt::format("{}\n", state_in_words(row.state)));
}

void Writer::write_origin() {
  const ProcessRow &row = details_.row;
  std::string chain;
  for (const Ancestor &parent : details_.parents)
    chain += fmt::format("{}{} {}",
                         chain.empty()      ? ""
                         : options_.unicode ? " ← "
                                            : " <- ",
                         parent.process, escape(parent.name));
  if (!chain.empty())
    line("parents", chain);
  if (details_.id_in_namespace != 0)
    line("own id", fmt::format("{} in its pid namespace", details_.id_in_namespace));
  if (const auto &users = details_.users) {
    std::string text = escape(users->effective_user);
    if (users->real_user != users->effective_user)
      text += fmt::format(" (real: {})", escape(users->real_user));
    text += ", group " + escape(users->effective_group);
    if (users->real_group != users->effective_group)
      text += fmt::format(" (real: {})", escape(users->real_group));
    line("user", text);
  }
  if (!row.command.empty())
    line("command", command_text(row));
  if (!row.executable.empty())
    line("executable",
         escape(row.executable) + (row.executable_deleted ? " (deleted or replaced since it was started)" : ""));
  if (const auto &directory = details_.working_directory)
    line("directory", escape(directory->path) + (directory->deleted ? " (deleted)" : ""));
  if (const auto &root = details_.root)
    line("root", escape(root->path) + (root->deleted ? " (deleted)" : ""));
}

void Writer::write_times() {
  const ProcessTimes &times = details_.times;
  line("started", fmt::format("{}, {} ago", local_time(details_.row.started_at), duration_text(times.elapsed)));
  const std::uint64_t used = times.user + times.system;
  const double share = times.elapsed == 0 ? 0 : 100 * static_cast<double>(used) / static_cast<double>(times.elapsed);
  line("cpu", fmt::format("{:.1f}% since the start: {} ({} user, {} system)", share, duration_text(used),
                          duration_text(times.user), duration_text(times.system)));
}

void Writer::write_recent_use() {
  if (!details_.recent_use)
    return;
  constexpr std::size_t max_threads = 8;
  const ProcessorUse &use = *details_.recent_use;
  line("cpu now", fmt::format("{:.1f}% over {}: {:.1f}% user, {:.1f}% system", use.user + use.system,
                              duration_text(static_cast<std::uint64_t>(use.over.count())), use.user, use.system));
  std::vector<std::string> threads;
  for (const ThreadUse &thread : use.threads) {
    if (threads.size() == max_threads) {
      threads.push_back(fmt::format("and {} more", use.threads.size() - max_threads));
      break;
    }
    threads.push_back(fmt::format("{} {} {:.1f}% ({:.1f} user, {:.1f} system)", thread.thread, escape(thread.name),
                                  thread.user + thread.system, thread.user, thread.system));
  }
  if (details_.row.threads > 1)
    list("  busiest", threads);
}

void Writer::write_threads() {
  std::size_t all = 0;
  std::vector<std::pair<std::size_t, char>> states;
  for (const auto &[state, count] : details_.threads_by_state) {
    all += count;
    states.emplace_back(count, state);
  }
  std::ranges::sort(states, std::ranges::greater{});
  std::string text = with_thousands(all);
  for (std::size_t i = 0; i < states.size(); ++i)
    text +=
        fmt::format("{}{} {}", i == 0 ? ": " : ", ", with_thousands(states[i].first), state_in_words(states[i].second));
  line("threads", text);
}

void Writer::write_memory() {
  if (!details_.memory || !details_.memory->resident)
    return;
  const MemoryStatus &memory = *details_.memory;
  const auto size = [](std::optional<std::uint64_t> bytes) { return bytes ? size_text(*bytes) : std::string("?"); };
  std::string share;
  if (details_.machine_memory != 0)
    share = fmt::format(" ({:.1f}% of {})",
                        100 * static_cast<double>(*memory.resident) / static_cast<double>(details_.machine_memory),
                        size_text(details_.machine_memory));
  std::vector<std::string> parts = {fmt::format("VSZ {}", size(memory.virtual_size)),
                                    fmt::format("RSS {}{}", size(memory.resident), share)};
  if (memory.resident_peak)
    parts.push_back(fmt::format("peak RSS {}", size(memory.resident_peak)));
  if (memory.swapped)
    parts.push_back(fmt::format("swapped {}", size(memory.swapped)));
  list("memory", parts);
}

void Writer::write_deleted_files() {
  constexpr std::size_t max_files = 5;
  std::vector<const OpenDescriptor *> files;
  for (const OpenDescriptor &descriptor : details_.descriptors->all)
    if (descriptor.deleted)
      files.push_back(&descriptor);
  std::ranges::stable_sort(files, std::ranges::greater{}, &OpenDescriptor::bytes);
  for (std::size_t i = 0; i < std::min(files.size(), max_files); ++i)
    line(i == 0 ? "  deleted" : "",
         fmt::format("fd {} {}, {}", files[i]->number, escape(files[i]->target), size_text(files[i]->bytes)));
  if (files.size() > max_files)
    line("", fmt::format("and {} more; {} in all", files.size() - max_files,
                         size_text(details_.descriptors->deleted_bytes)));
}

void Writer::write_descriptors() {
  if (!details_.descriptor_count)
    return;
  const std::uint64_t count = *details_.descriptor_count;
  std::string text = counted(count, "open descriptor");
  const ProcessLimit *limit = details_.limits ? details_.limits->find("Max open files") : nullptr;
  if (limit != nullptr && limit->soft && *limit->soft > 0)
    text += fmt::format(" of {} ({}%)", with_thousands(*limit->soft), percent_of(count, *limit->soft));
  std::vector<std::string> parts;
  if (details_.descriptors) {
    std::vector<std::pair<std::size_t, DescriptorKind>> kinds;
    for (const auto &[kind, number] : details_.descriptors->by_kind)
      kinds.emplace_back(number, kind);
    std::ranges::stable_sort(kinds, std::ranges::greater{}, [](const auto &kind) { return kind.first; });
    for (const auto &[number, kind] : kinds)
      parts.push_back(kind == DescriptorKind::directory && number != 1
                          ? with_thousands(number) + " directories"
                          : fmt::format("{} {}{}", with_thousands(number), kind_name(kind),
                                        number == 1 || !takes_plural(kind) ? "" : "s"));
    if (details_.descriptors->truncated)
      parts.emplace_back("more are not read");
  }
  if (parts.empty()) {
    line("files", text);
    return;
  }
  parts.front() = text + ": " + parts.front();
  list("files", parts);
  if (details_.descriptors)
    write_deleted_files();
}

void Writer::write_sockets() {
  if (!details_.sockets)
    return;
  for (const SocketSection &section :
       socket_sections(*details_.sockets, {.every = options_.every_socket, .unicode = options_.unicode})) {
    std::string_view label = section.label;
    for (const std::string &text : section.lines) {
      line(label, text);
      label = "";
    }
  }
}

void Writer::write_limits() {
  if (!details_.limits)
    return;
  struct Shown {
    std::string_view name;
    std::string_view words;
    bool bytes;
  };
  constexpr auto shown = std::to_array<Shown>({{"Max open files", "files", false},
                                               {"Max processes", "processes of the user", false},
                                               {"Max core file size", "core file", true},
                                               {"Max locked memory", "locked memory", true},
                                               {"Max stack size", "stack", true},
                                               {"Max address space", "address space", true},
                                               {"Max data size", "data", true}});
  std::vector<std::string> parts;
  for (const Shown &one : shown) {
    const ProcessLimit *limit = details_.limits->find(one.name);
    const bool rarely_set = one.words == "address space" || one.words == "data";
    if (limit == nullptr || (rarely_set && !limit->soft))
      continue;
    std::string text = fmt::format("{} {}", one.words, limit_value(limit->soft, one.bytes));
    if (limit->soft != limit->hard)
      text += fmt::format(" (hard {})", limit_value(limit->hard, one.bytes));
    if (one.words == "locked memory" && details_.memory && details_.memory->locked.value_or(0) != 0)
      text += fmt::format(" (locked now: {})", size_text(*details_.memory->locked));
    parts.push_back(std::move(text));
  }
  list("limits", parts);
}

void Writer::write_capabilities() {
  if (!details_.capabilities)
    return;
  const Capabilities &capabilities = *details_.capabilities;
  const auto words = [&](std::uint64_t set) -> std::string {
    constexpr std::size_t max_names = 12;
    set &= capabilities.known;
    if (set == capabilities.known)
      return "all";
    const std::vector<std::string> have = capability_names(set);
    const std::vector<std::string> lack = capability_names(capabilities.known & ~set);
    if (have.empty())
      return "none";
    const bool shorter = lack.size() < have.size() && have.size() > max_names;
    return (shorter ? "all but " : "") + fmt::format("{}", fmt::join(shorter ? lack : have, " "));
  };
  std::vector<std::string> parts = {words(capabilities.effective)};
  if (capabilities.permitted != capabilities.effective)
    parts.push_back("permitted " + words(capabilities.permitted));
  if (capabilities.bounding != capabilities.effective)
    parts.push_back("bounding set " + words(capabilities.bounding));
  if (capabilities.ambient != 0)
    parts.push_back("ambient " + words(capabilities.ambient));
  list("capabilities", parts);
}

void Writer::write_namespaces() {
  if (!details_.row.container.empty())
    line("container", escape(details_.row.container));
  if (!details_.namespaces)
    return;
  std::vector<std::string> different;
  for (const NamespaceMembership &membership : *details_.namespaces)
    if (!membership.ours)
      different.push_back(fmt::format("{} {}", membership.name, membership.inode));
  if (different.empty())
    line("namespaces", "all as ours");
  else
    list("namespaces", [&] {
      different.front() = "not ours: " + different.front();
      return different;
    }());
}

void Writer::write_control_groups() {
  // Version 1 has a path in each hierarchy; most are the same, and the root says nothing.
  std::vector<std::string> parts;
  for (const ControlGroup &group : details_.control_groups)
    if (group.path != "/")
      parts.push_back(group.controllers.empty() ? escape(group.path_with_mark())
                                                : fmt::format("{} {}", escape(group.controllers), escape(group.path_with_mark())));
  list("cgroup", parts);
}

void Writer::write_security() {
  if (const auto &security = details_.security) {
    std::vector<std::string> parts;
    if (const int mode = security->seccomp_mode.value_or(0); mode == 0)
      parts.emplace_back("no seccomp");
    else if (mode == 1)
      parts.emplace_back("seccomp strict");
    else
      parts.push_back(security->seccomp_filters ? counted(*security->seccomp_filters, "seccomp filter")
                                                : std::string("seccomp filters"));
    if (security->no_new_privileges.value_or(false))
      parts.emplace_back("no new privileges");
    if (security->dumpable)
      parts.emplace_back(*security->dumpable ? "dumpable" : "not dumpable");
    if (security->dumping_core)
      parts.emplace_back("writing a core file now");
    if (security->tracer != 0)
      parts.push_back(fmt::format("traced by {} {}", security->tracer, escape(security->tracer_name)));
    else
      parts.emplace_back("nobody traces it");
    if (security->yama_scope)
      parts.push_back(fmt::format("kernel.yama.ptrace_scope {}", *security->yama_scope));
    if (!security->label.empty())
      parts.push_back("label " + escape(security->label));
    list("security", parts);
  }
  if (const auto &score = details_.out_of_memory)
    line("oom", fmt::format("score {}, adjustment {}", score->score, score->adjustment));
}

void Writer::write_build() {
  if (details_.build)
    list("build", build_parts(*details_.build));
  if (details_.build && options_.modules)
    for (const std::string &text : module_lines(*details_.build))
      line("", text);
  if (details_.libraries)
    list("libraries",
         library_parts(*details_.libraries, details_.build ? details_.build->needed : std::vector<std::string>()));
}

void Writer::write_missing() {
  for (const std::string &warning : details_.warnings)
    output_.write(output_.styled(Style::warning, "not read: " + escape(warning)) + "\n");
  const NotPermitted &missing = details_.not_permitted;
  if (missing.what.empty())
    return;
  output_.write(output_.styled(Style::warning, fmt::format("not shown: {}", fmt::join(missing.what, ", "))) + "\n");
  output_.write(
      output_.styled(Style::dim, fmt::format("  {}\n  try: {}", escape(missing.why), escape(missing.remedy))) + "\n");
}

void Writer::write() {
  write_head();
  write_origin();
  write_times();
  write_recent_use();
  write_threads();
  write_memory();
  write_descriptors();
  write_sockets();
  write_limits();
  write_capabilities();
  write_namespaces();
  write_control_groups();
  write_security();
  write_build();
  write_missing();
}

} // namespace

void write_process_details_text(Output &output, const ProcessDetails &details,
                                const ProcessDetailsTextOptions &options) {
  Writer(output, details, options).write();
}

} // namespace inspect
