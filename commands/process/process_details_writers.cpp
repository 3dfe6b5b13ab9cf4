#include "commands/process/process_details_writers.h"

#include "commands/process/process_build_text.h"
#include "commands/process/ps_writers.h"
#include "commands/process/socket_writers.h"
#include "machine/number_text.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <span>

namespace inspect {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::string &text) {
  return text.empty() ? Json() : Json(text);
}

template <typename T> Json or_null(const std::optional<T> &value) {
  return value ? Json(*value) : Json();
}

Json kilobytes(std::optional<std::uint64_t> bytes) {
  return bytes ? Json(*bytes >> 10) : Json();
}

/// One figure of a record: its member in the JSON, and its words on the screen. Both outputs are made of tables of
/// these, so that neither forgets what the other has.
template <typename Record> struct Figure {
  std::string_view name;                         ///< in the JSON, stable
  Json (*json)(const Record &);                  ///< null where the value is not known
  std::string (*text)(const Record &) = nullptr; ///< escaped; null or empty: not on the screen, or in another's words
};

template <auto Member, typename Record> Json plain(const Record &record) {
  return record.*Member;
}
/// An empty text or optional is null.
template <auto Member, typename Record> Json known(const Record &record) {
  return or_null(record.*Member);
}

/// A record as an object, a list of records as an array; null where it is not known.
template <typename Table, typename Value> Json json_of(const Table &table, const Value &value) {
  Json json;
  if constexpr (requires { value.has_value(); }) {
    if (value)
      json = json_of(table, *value);
  } else if constexpr (requires { value.begin(); }) {
    json = Json::array();
    for (const auto &record : value)
      json.push_back(json_of(table, record));
  } else {
    for (const auto &figure : table)
      json[std::string(figure.name)] = figure.json(value);
  }
  return json;
}

template <typename Record, std::size_t Size>
std::vector<std::string> parts_of(const std::array<Figure<Record>, Size> &table, const Record &record) {
  std::vector<std::string> parts;
  for (const Figure<Record> &figure : table)
    if (std::string text = figure.text != nullptr ? figure.text(record) : std::string(); !text.empty())
      parts.push_back(std::move(text));
  return parts;
}

/// The screen: lines under labels.
class Lines {
public:
  Lines(Output &output, const ProcessDetailsTextOptions &options) : output_(output), options_(options) {}

  const ProcessDetailsTextOptions &options() const { return options_; }
  void line(std::string_view label, std::string_view text) {
    output_.write(output_.styled(Style::dim, fmt::format("{:<{}}", label, label_width)) + std::string(text) + "\n");
  }
  /// The parts with commas between, broken before the terminal's edge.
  void list(std::string_view label, const std::vector<std::string> &parts);
  /// Without a label.
  void write(Style style, std::string_view text) { output_.write(output_.styled(style, text) + "\n"); }

private:
  static constexpr std::size_t label_width = 14; // "other sockets" and a blank

  Output &output_;
  const ProcessDetailsTextOptions &options_;
};

void Lines::list(std::string_view label, const std::vector<std::string> &parts) {
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

std::string path_text(const LinkedDirectory &directory) {
  return escape(directory.path) + (directory.deleted ? " (deleted)" : "");
}

constexpr auto directory_figures = std::to_array<Figure<LinkedDirectory>>(
    {{"path", plain<&LinkedDirectory::path>}, {"deleted", plain<&LinkedDirectory::deleted>}});

constexpr auto ancestor_figures =
    std::to_array<Figure<Ancestor>>({{"pid", plain<&Ancestor::process>}, {"name", plain<&Ancestor::name>}});

void parents_text(const ProcessDetails &details, Lines &lines) {
  std::string chain;
  for (const Ancestor &parent : details.parents)
    chain += fmt::format("{}{} {}",
                         chain.empty()             ? ""
                         : lines.options().unicode ? " ← "
                                                   : " <- ",
                         parent.process, escape(parent.name));
  if (!chain.empty())
    lines.line("parents", chain);
}

constexpr auto user_figures = std::to_array<Figure<ProcessUsers>>(
    {{"real_user", plain<&ProcessUsers::real_user>},
     {"effective_user", plain<&ProcessUsers::effective_user>,
      [](const ProcessUsers &users) {
        return escape(users.effective_user) +
               (users.real_user != users.effective_user ? " (real: " + escape(users.real_user) + ")" : "");
      }},
     {"real_group", plain<&ProcessUsers::real_group>},
     {"effective_group", plain<&ProcessUsers::effective_group>, [](const ProcessUsers &users) {
        return "group " + escape(users.effective_group) +
               (users.real_group != users.effective_group ? " (real: " + escape(users.real_group) + ")" : "");
      }}});

void command_lines(const ProcessDetails &details, Lines &lines) {
  const ProcessRow &row = details.row;
  if (!row.command.empty())
    lines.line("command", command_text(row));
  if (!row.executable.empty())
    lines.line("executable",
               escape(row.executable) + (row.executable_deleted ? " (deleted or replaced since it was started)" : ""));
}

std::string local_time(std::int64_t seconds) {
  const auto then = static_cast<std::time_t>(seconds);
  std::tm time{};
  ::localtime_r(&then, &time);
  std::array<char, 64> text{};
  return std::string(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %Z", &time));
}

void times_text(const ProcessDetails &details, Lines &lines) {
  const ProcessTimes &times = details.times;
  lines.line("started", fmt::format("{}, {} ago", local_time(details.row.started_at), duration_text(times.elapsed)));
  const std::uint64_t used = times.user + times.system;
  const double share = times.elapsed == 0 ? 0 : 100 * static_cast<double>(used) / static_cast<double>(times.elapsed);
  lines.line("cpu", fmt::format("{:.1f}% since the start: {} ({} user, {} system)", share, duration_text(used),
                                duration_text(times.user), duration_text(times.system)));
}

constexpr auto thread_use_figures = std::to_array<Figure<ThreadUse>>({{"tid", plain<&ThreadUse::thread>},
                                                                      {"name", plain<&ThreadUse::name>},
                                                                      {"user_percent", plain<&ThreadUse::user>},
                                                                      {"system_percent", plain<&ThreadUse::system>}});

constexpr auto recent_use_figures = std::to_array<Figure<ProcessorUse>>(
    {{"over_ms", [](const ProcessorUse &use) { return Json(use.over.count()); }},
     {"user_percent", plain<&ProcessorUse::user>},
     {"system_percent", plain<&ProcessorUse::system>},
     {"threads", [](const ProcessorUse &use) { return json_of(thread_use_figures, use.threads); }}});

void recent_use_text(const ProcessDetails &details, Lines &lines) {
  if (!details.recent_use)
    return;
  constexpr std::size_t max_threads = 8;
  const ProcessorUse &use = *details.recent_use;
  lines.line("cpu now", fmt::format("{:.1f}% over {}: {:.1f}% user, {:.1f}% system", use.user + use.system,
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
  if (details.row.threads > 1)
    lines.list("  busiest", threads);
}

Json thread_states_json(const ProcessDetails &details) {
  Json states = Json::array();
  for (const auto &[state, count] : details.threads_by_state)
    states.push_back({{"state", std::string(1, state)}, {"count", count}});
  return states;
}

void thread_states_text(const ProcessDetails &details, Lines &lines) {
  std::size_t all = 0;
  std::vector<std::pair<std::size_t, char>> states;
  for (const auto &[state, count] : details.threads_by_state) {
    all += count;
    states.emplace_back(count, state);
  }
  std::ranges::sort(states, std::ranges::greater{});
  std::string text = with_thousands(all);
  for (std::size_t i = 0; i < states.size(); ++i)
    text +=
        fmt::format("{}{} {}", i == 0 ? ": " : ", ", with_thousands(states[i].first), state_in_words(states[i].second));
  lines.line("threads", text);
}

std::string share_of_machine(const ProcessDetails &details) {
  if (details.machine_memory == 0)
    return {};
  return fmt::format(" ({:.1f}% of {})",
                     100 * static_cast<double>(*details.memory->resident) / static_cast<double>(details.machine_memory),
                     size_text(details.machine_memory));
}

struct MemoryFigureWords {
  std::string_view name;
  std::optional<std::uint64_t> MemoryStatus::*member;
  std::string_view words = {}; ///< empty: not on the screen
};

constexpr auto memory_figures =
    std::to_array<MemoryFigureWords>({{"vsz_kb", &MemoryStatus::virtual_size, "VSZ"},
                                      {"vsz_peak_kb", &MemoryStatus::virtual_peak},
                                      {"rss_kb", &MemoryStatus::resident, "RSS"},
                                      {"rss_peak_kb", &MemoryStatus::resident_peak, "peak RSS"},
                                      {"rss_anonymous_kb", &MemoryStatus::resident_anonymous},
                                      {"rss_file_kb", &MemoryStatus::resident_file},
                                      {"rss_shared_kb", &MemoryStatus::resident_shared},
                                      {"swap_kb", &MemoryStatus::swapped, "swapped"},
                                      {"locked_kb", &MemoryStatus::locked},
                                      {"page_tables_kb", &MemoryStatus::page_tables}});

Json memory_json(const ProcessDetails &details) {
  if (!details.memory)
    return {};
  Json json;
  for (const MemoryFigureWords &figure : memory_figures)
    json[std::string(figure.name)] = kilobytes((*details.memory).*figure.member);
  json["machine_kb"] = details.machine_memory == 0 ? Json() : Json(details.machine_memory >> 10);
  return json;
}

void memory_text(const ProcessDetails &details, Lines &lines) {
  if (!details.memory || !details.memory->resident)
    return;
  std::vector<std::string> parts;
  for (const MemoryFigureWords &figure : memory_figures)
    if (const auto bytes = (*details.memory).*figure.member; bytes && !figure.words.empty())
      parts.push_back(fmt::format("{} {}{}", figure.words, size_text(*bytes),
                                  figure.member == &MemoryStatus::resident ? share_of_machine(details) : ""));
  lines.list("memory", parts);
}

const ProcessLimit *descriptor_limit(const ProcessDetails &details) {
  return details.limits ? details.limits->find("Max open files") : nullptr;
}

/// "regular file" as a word for programs: "regular_file".
std::string identifier(std::string_view words) {
  std::string name(words);
  std::ranges::replace(name, ' ', '_');
  return name;
}

Json descriptors_json(const ProcessDetails &details) {
  Json kinds;
  Json list;
  if (const auto &summary = details.descriptors) {
    kinds = Json::array();
    for (const auto &[kind, count] : summary->by_kind)
      kinds.push_back({{"kind", identifier(kind_name(kind))}, {"count", count}});
    list = Json::array();
    for (const OpenDescriptor &one : summary->all) {
      Json entry = {{"fd", one.number}, {"kind", identifier(kind_name(one.kind))}, {"target", one.target}};
      if (one.deleted) {
        entry["deleted"] = true;
        entry["bytes"] = one.bytes;
      }
      list.push_back(std::move(entry));
    }
  }
  const ProcessLimit *limit = descriptor_limit(details);
  return {{"open", or_null(details.descriptor_count)},
          {"soft_limit", limit != nullptr ? or_null(limit->soft) : Json()},
          {"hard_limit", limit != nullptr ? or_null(limit->hard) : Json()},
          {"kinds", std::move(kinds)},
          {"list", std::move(list)}};
}

void deleted_files_text(const DescriptorSummary &descriptors, Lines &lines) {
  constexpr std::size_t max_files = 5;
  std::vector<const OpenDescriptor *> files;
  for (const OpenDescriptor &descriptor : descriptors.all)
    if (descriptor.deleted)
      files.push_back(&descriptor);
  std::ranges::stable_sort(files, std::ranges::greater{}, &OpenDescriptor::bytes);
  for (std::size_t i = 0; i < std::min(files.size(), max_files); ++i)
    lines.line(i == 0 ? "  deleted" : "",
               fmt::format("fd {} {}, {}", files[i]->number, escape(files[i]->target), size_text(files[i]->bytes)));
  if (files.size() > max_files)
    lines.line("",
               fmt::format("and {} more; {} in all", files.size() - max_files, size_text(descriptors.deleted_bytes)));
}

void descriptors_text(const ProcessDetails &details, Lines &lines) {
  if (!details.descriptor_count)
    return;
  const std::uint64_t count = *details.descriptor_count;
  std::string text = counted(count, "open descriptor");
  const ProcessLimit *limit = descriptor_limit(details);
  if (limit != nullptr && limit->soft && *limit->soft > 0)
    text += fmt::format(" of {} ({}%)", with_thousands(*limit->soft), percent_of(count, *limit->soft));
  std::vector<std::string> parts;
  if (details.descriptors) {
    std::vector<std::pair<std::size_t, DescriptorKind>> kinds;
    for (const auto &[kind, number] : details.descriptors->by_kind)
      kinds.emplace_back(number, kind);
    std::ranges::stable_sort(kinds, std::ranges::greater{}, [](const auto &kind) { return kind.first; });
    for (const auto &[number, kind] : kinds)
      parts.push_back(kind == DescriptorKind::directory && number != 1
                          ? with_thousands(number) + " directories"
                          : fmt::format("{} {}{}", with_thousands(number), kind_name(kind),
                                        number == 1 || !takes_plural(kind) ? "" : "s"));
    if (details.descriptors->truncated)
      parts.emplace_back("more are not read");
  }
  if (parts.empty()) {
    lines.line("files", text);
    return;
  }
  parts.front() = text + ": " + parts.front();
  lines.list("files", parts);
  if (details.descriptors)
    deleted_files_text(*details.descriptors, lines);
}

void sockets_text(const ProcessDetails &details, Lines &lines) {
  if (!details.sockets)
    return;
  for (const SocketSection &section :
       socket_sections(*details.sockets, {.every = lines.options().every_socket, .unicode = lines.options().unicode})) {
    std::string_view label = section.label;
    for (const std::string &text : section.lines) {
      lines.line(label, text);
      label = "";
    }
  }
}

constexpr auto limit_figures = std::to_array<Figure<ProcessLimit>>({{"name", plain<&ProcessLimit::name>},
                                                                    {"soft", known<&ProcessLimit::soft>},
                                                                    {"hard", known<&ProcessLimit::hard>},
                                                                    {"unit", known<&ProcessLimit::unit>}});

/// "1,024", "unlimited", or a size.
std::string limit_value(std::optional<std::uint64_t> value, bool bytes) {
  if (!value)
    return "unlimited";
  return bytes ? size_text(*value) : with_thousands(*value);
}

void limits_text(const ProcessDetails &details, Lines &lines) {
  if (!details.limits)
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
    const ProcessLimit *limit = details.limits->find(one.name);
    const bool rarely_set = one.words == "address space" || one.words == "data";
    if (limit == nullptr || (rarely_set && !limit->soft))
      continue;
    std::string text = fmt::format("{} {}", one.words, limit_value(limit->soft, one.bytes));
    if (limit->soft != limit->hard)
      text += fmt::format(" (hard {})", limit_value(limit->hard, one.bytes));
    if (one.words == "locked memory" && details.memory && details.memory->locked.value_or(0) != 0)
      text += fmt::format(" (locked now: {})", size_text(*details.memory->locked));
    parts.push_back(std::move(text));
  }
  lines.list("limits", parts);
}

struct CapabilitySet {
  std::string_view name;
  std::uint64_t Capabilities::*set;
  std::string_view words; ///< before its names; empty: none
};

constexpr auto capability_sets = std::to_array<CapabilitySet>({{"effective", &Capabilities::effective, ""},
                                                               {"permitted", &Capabilities::permitted, "permitted "},
                                                               {"inheritable", &Capabilities::inheritable, ""},
                                                               {"bounding", &Capabilities::bounding, "bounding set "},
                                                               {"ambient", &Capabilities::ambient, "ambient "}});

Json capabilities_json(const ProcessDetails &details) {
  Json json;
  if (details.capabilities)
    for (const CapabilitySet &one : capability_sets)
      json[std::string(one.name)] = capability_names((*details.capabilities).*one.set);
  return json;
}

std::string capability_words(std::uint64_t set, std::uint64_t known) {
  constexpr std::size_t max_names = 12;
  set &= known;
  if (set == known)
    return "all";
  const std::vector<std::string> have = capability_names(set);
  const std::vector<std::string> lack = capability_names(known & ~set);
  if (have.empty())
    return "none";
  const bool shorter = lack.size() < have.size() && have.size() > max_names;
  return (shorter ? "all but " : "") + fmt::format("{}", fmt::join(shorter ? lack : have, " "));
}

/// The effective ones, and which other sets differ from what goes without saying.
void capabilities_text(const ProcessDetails &details, Lines &lines) {
  if (!details.capabilities)
    return;
  const Capabilities &capabilities = *details.capabilities;
  std::vector<std::string> parts = {capability_words(capabilities.effective, capabilities.known)};
  for (const CapabilitySet &one : capability_sets) {
    const std::uint64_t expected = one.set == &Capabilities::ambient ? 0 : capabilities.effective;
    if (!one.words.empty() && capabilities.*one.set != expected)
      parts.push_back(std::string(one.words) + capability_words(capabilities.*one.set, capabilities.known));
  }
  lines.list("capabilities", parts);
}

constexpr auto namespace_figures =
    std::to_array<Figure<NamespaceMembership>>({{"name", plain<&NamespaceMembership::name>},
                                                {"inode", plain<&NamespaceMembership::inode>},
                                                {"ours", plain<&NamespaceMembership::ours>}});

void namespaces_text(const ProcessDetails &details, Lines &lines) {
  if (!details.row.container.empty())
    lines.line("container", escape(details.row.container));
  if (!details.namespaces)
    return;
  std::vector<std::string> different;
  for (const NamespaceMembership &membership : *details.namespaces)
    if (!membership.ours)
      different.push_back(
          fmt::format("{}{} {}", different.empty() ? "not ours: " : "", membership.name, membership.inode));
  if (different.empty())
    lines.line("namespaces", "all as ours");
  else
    lines.list("namespaces", different);
}

constexpr auto control_group_figures = std::to_array<Figure<ControlGroup>>(
    {{"controllers", known<&ControlGroup::controllers>},
     {"path", [](const ControlGroup &group) { return Json(group.path_with_mark()); }}});

void control_groups_text(const ProcessDetails &details, Lines &lines) {
  // Version 1 has a path in each hierarchy; most are the same, and the root says nothing.
  std::vector<std::string> parts;
  for (const ControlGroup &group : details.control_groups)
    if (group.path != "/")
      parts.push_back(escape(group.controllers) + (group.controllers.empty() ? "" : " ") +
                      escape(group.path_with_mark()));
  lines.list("cgroup", parts);
}

std::string_view seccomp_mode_name(const SecurityState &security) {
  constexpr auto modes = std::to_array<std::string_view>({"none", "strict", "filter"});
  const auto mode = static_cast<std::size_t>(security.seccomp_mode.value_or(-1));
  return mode < modes.size() ? modes[mode] : std::string_view();
}

std::string seccomp_text(const SecurityState &security) {
  if (security.seccomp_mode.value_or(0) == 0)
    return "no seccomp";
  if (security.seccomp_mode == 1)
    return "seccomp strict";
  return security.seccomp_filters ? counted(*security.seccomp_filters, "seccomp filter") : "seccomp filters";
}

Json tracer_json(const SecurityState &security) {
  return security.tracer == 0 ? Json() : Json{{"pid", security.tracer}, {"name", security.tracer_name}};
}

constexpr auto security_figures = std::to_array<Figure<SecurityState>>(
    {{"seccomp", [](const SecurityState &one) { return or_null(std::string(seccomp_mode_name(one))); }, seccomp_text},
     {"seccomp_filters", known<&SecurityState::seccomp_filters>},
     {"no_new_privileges", known<&SecurityState::no_new_privileges>,
      [](const SecurityState &one) {
        return std::string(one.no_new_privileges.value_or(false) ? "no new privileges" : "");
      }},
     {"dumpable", known<&SecurityState::dumpable>,
      [](const SecurityState &one) {
        return std::string(!one.dumpable ? "" : *one.dumpable ? "dumpable" : "not dumpable");
      }},
     {"dumping_core", plain<&SecurityState::dumping_core>,
      [](const SecurityState &one) { return std::string(one.dumping_core ? "writing a core file now" : ""); }},
     {"tracer", tracer_json,
      [](const SecurityState &one) {
        return one.tracer == 0 ? std::string("nobody traces it")
                               : fmt::format("traced by {} {}", one.tracer, escape(one.tracer_name));
      }},
     {"yama_ptrace_scope", known<&SecurityState::yama_scope>,
      [](const SecurityState &one) {
        return one.yama_scope ? fmt::format("kernel.yama.ptrace_scope {}", *one.yama_scope) : std::string();
      }},
     {"label", known<&SecurityState::label>,
      [](const SecurityState &one) { return one.label.empty() ? std::string() : "label " + escape(one.label); }}});

constexpr auto out_of_memory_figures = std::to_array<Figure<OutOfMemoryScore>>(
    {{"score", plain<&OutOfMemoryScore::score>,
      [](const OutOfMemoryScore &one) { return fmt::format("score {}", one.score); }},
     {"adjustment", plain<&OutOfMemoryScore::adjustment>,
      [](const OutOfMemoryScore &one) { return fmt::format("adjustment {}", one.adjustment); }}});

constexpr auto go_module_figures =
    std::to_array<Figure<GoModule>>({{"path", plain<&GoModule::path>},
                                     {"version", known<&GoModule::version>},
                                     {"sum", known<&GoModule::sum>},
                                     {"replacement", known<&GoModule::replacement>},
                                     {"replacement_version", known<&GoModule::replacement_version>}});

Json go_settings_json(const GoBuildInfo &go) {
  Json settings = Json::array();
  for (const auto &[key, value] : go.settings)
    settings.push_back({{"key", key}, {"value", value}});
  return settings;
}

constexpr auto go_build_figures = std::to_array<Figure<GoBuildInfo>>(
    {{"version", known<&GoBuildInfo::go_version>},
     {"package", known<&GoBuildInfo::package_path>},
     {"module", known<&GoBuildInfo::module_path>},
     {"module_version", known<&GoBuildInfo::module_version>},
     {"settings", go_settings_json},
     {"modules", [](const GoBuildInfo &go) { return json_of(go_module_figures, go.dependencies); }}});

constexpr auto build_figures = std::to_array<Figure<ProgramBuild>>(
    {{"build_id", known<&ProgramBuild::build_id>},
     {"compilers", plain<&ProgramBuild::compilers>},
     {"needed", plain<&ProgramBuild::needed>},
     {"dynamic", plain<&ProgramBuild::dynamic>},
     {"go", [](const ProgramBuild &build) { return json_of(go_build_figures, build.go); }}});

void build_text(const ProcessDetails &details, Lines &lines) {
  if (!details.build)
    return;
  lines.list("build", build_parts(*details.build));
  if (lines.options().modules)
    for (const std::string &text : module_lines(*details.build))
      lines.line("", text);
}

constexpr auto library_figures = std::to_array<Figure<MappedLibrary>>(
    {{"path", plain<&MappedLibrary::path>}, {"deleted", plain<&MappedLibrary::deleted>}});

void libraries_text(const ProcessDetails &details, Lines &lines) {
  if (details.libraries)
    lines.list("libraries",
               library_parts(*details.libraries, details.build ? details.build->needed : std::vector<std::string>()));
}

void warnings_text(const ProcessDetails &details, Lines &lines) {
  for (const std::string &warning : details.warnings)
    lines.write(Style::warning, "not read: " + escape(warning));
}

constexpr auto not_permitted_figures = std::to_array<Figure<NotPermitted>>({{"what", plain<&NotPermitted::what>},
                                                                            {"why", plain<&NotPermitted::why>},
                                                                            {"remedy", known<&NotPermitted::remedy>}});

void not_permitted_text(const ProcessDetails &details, Lines &lines) {
  const NotPermitted &missing = details.not_permitted;
  if (missing.what.empty())
    return;
  lines.write(Style::warning, fmt::format("not shown: {}", fmt::join(missing.what, ", ")));
  lines.write(Style::dim, fmt::format("  {}\n  try: {}", escape(missing.why), escape(missing.remedy)));
}

/// One part of the details: a member of the JSON, lines of the screen, or both.
struct Part {
  std::string_view name;                                   ///< in the JSON; empty: the process has it there itself
  Json (*json)(const ProcessDetails &);                    ///< null without a name
  void (*text)(const ProcessDetails &, Lines &) = nullptr; ///< null: in another part's lines, or not on the screen
};

/// What a table says of a member.
template <const auto &Table, auto Member> Json record(const ProcessDetails &details) {
  return json_of(Table, details.*Member);
}

template <auto Member> void directory_line(std::string_view label, const ProcessDetails &details, Lines &lines) {
  if (const auto &directory = details.*Member)
    lines.line(label, path_text(*directory));
}

using Details = const ProcessDetails &;

/// In the order of the screen.
constexpr auto process_parts = std::to_array<Part>(
    {{"parents", record<ancestor_figures, &ProcessDetails::parents>, parents_text},
     {"pid_in_namespace",
      [](Details details) { return details.id_in_namespace == 0 ? Json() : Json(details.id_in_namespace); },
      [](Details details, Lines &lines) {
        if (details.id_in_namespace != 0)
          lines.line("own id", fmt::format("{} in its pid namespace", details.id_in_namespace));
      }},
     {"users", record<user_figures, &ProcessDetails::users>,
      [](Details details, Lines &lines) {
        if (details.users)
          lines.line("user", fmt::format("{}", fmt::join(parts_of(user_figures, *details.users), ", ")));
      }},
     {"", nullptr, command_lines},
     {"working_directory", record<directory_figures, &ProcessDetails::working_directory>,
      [](Details details, Lines &lines) {
        directory_line<&ProcessDetails::working_directory>("directory", details, lines);
      }},
     {"root", record<directory_figures, &ProcessDetails::root>,
      [](Details details, Lines &lines) { directory_line<&ProcessDetails::root>("root", details, lines); }},
     {"elapsed_ms", [](Details details) { return Json(details.times.elapsed); }, times_text},
     {"cpu_user_ms", [](Details details) { return Json(details.times.user); }},
     {"cpu_system_ms", [](Details details) { return Json(details.times.system); }},
     {"recent_cpu", record<recent_use_figures, &ProcessDetails::recent_use>, recent_use_text},
     {"threads_by_state", thread_states_json, thread_states_text},
     {"memory", memory_json, memory_text},
     {"descriptors", descriptors_json, descriptors_text},
     {"sockets", [](Details details) { return details.sockets ? sockets_json(*details.sockets) : Json(); },
      sockets_text},
     {"sockets_not_in_tables",
      [](Details details) { return details.sockets ? Json(details.sockets->not_in_tables) : Json(); }},
     {"limits", [](Details details) { return details.limits ? json_of(limit_figures, details.limits->all) : Json(); },
      limits_text},
     {"capabilities", capabilities_json, capabilities_text},
     {"namespaces", record<namespace_figures, &ProcessDetails::namespaces>, namespaces_text},
     {"control_groups", record<control_group_figures, &ProcessDetails::control_groups>, control_groups_text},
     {"security", record<security_figures, &ProcessDetails::security>,
      [](Details details, Lines &lines) {
        if (details.security)
          lines.list("security", parts_of(security_figures, *details.security));
      }},
     {"out_of_memory", record<out_of_memory_figures, &ProcessDetails::out_of_memory>,
      [](Details details, Lines &lines) {
        if (details.out_of_memory)
          lines.list("oom", parts_of(out_of_memory_figures, *details.out_of_memory));
      }},
     {"build", record<build_figures, &ProcessDetails::build>, build_text},
     {"libraries", record<library_figures, &ProcessDetails::libraries>, libraries_text},
     {"warnings", plain<&ProcessDetails::warnings>, warnings_text},
     {"not_permitted",
      [](Details details) {
        const NotPermitted &missing = details.not_permitted;
        return missing.what.empty() ? Json() : json_of(not_permitted_figures, missing);
      },
      not_permitted_text}});

void write_head(Output &output, const ProcessDetails &details) {
  const ProcessRow &row = details.row;
  std::string what = row.kernel_thread ? "kernel thread" : runtime_text(row.runtime);
  std::string text = fmt::format("{} {}", row.process, escape(row.name));
  output.write(output.styled(Style::heading, text) + "  " + (what == "?" ? "" : what + ", "));
  const bool zombie = details.threads_by_state.size() == 1 && details.threads_by_state.contains('Z');
  if (zombie)
    output.write(fmt::format("ended; it waits for its parent, process {}, to take note of it\n", row.parent));
  else
    output.write(fmt::format("{}\n", state_in_words(row.state)));
}

} // namespace

void write_process_details_text(Output &output, const ProcessDetails &details,
                                const ProcessDetailsTextOptions &options) {
  write_head(output, details);
  Lines lines(output, options);
  for (const Part &part : process_parts)
    if (part.text != nullptr)
      part.text(details, lines);
}

Json process_details_json(const ProcessDetails &details) {
  Json json;
  for (const Part &part : process_parts)
    if (part.json != nullptr)
      json[std::string(part.name)] = part.json(details);
  return json;
}

} // namespace inspect
