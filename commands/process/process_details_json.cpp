#include "commands/process/process_details_writers.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

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

/// "regular file" as a word for programs: "regular_file".
std::string identifier(std::string_view words) {
  std::string name(words);
  std::ranges::replace(name, ' ', '_');
  return name;
}

Json directory_json(const std::optional<LinkedDirectory> &directory) {
  return directory ? Json{{"path", directory->path}, {"deleted", directory->deleted}} : Json();
}

Json users_json(const std::optional<ProcessUsers> &users) {
  if (!users)
    return {};
  return {{"real_user", users->real_user},
          {"effective_user", users->effective_user},
          {"real_group", users->real_group},
          {"effective_group", users->effective_group}};
}

Json recent_use_json(const std::optional<ProcessorUse> &use) {
  if (!use)
    return {};
  Json threads = Json::array();
  for (const ThreadUse &thread : use->threads)
    threads.push_back({{"tid", thread.thread},
                       {"name", thread.name},
                       {"user_percent", thread.user},
                       {"system_percent", thread.system}});
  return {{"over_ms", use->over.count()},
          {"user_percent", use->user},
          {"system_percent", use->system},
          {"threads", std::move(threads)}};
}

Json memory_json(const ProcessDetails &details) {
  if (!details.memory)
    return {};
  const MemoryStatus &memory = *details.memory;
  return {{"vsz_kb", kilobytes(memory.virtual_size)},
          {"vsz_peak_kb", kilobytes(memory.virtual_peak)},
          {"rss_kb", kilobytes(memory.resident)},
          {"rss_peak_kb", kilobytes(memory.resident_peak)},
          {"rss_anonymous_kb", kilobytes(memory.resident_anonymous)},
          {"rss_file_kb", kilobytes(memory.resident_file)},
          {"rss_shared_kb", kilobytes(memory.resident_shared)},
          {"swap_kb", kilobytes(memory.swapped)},
          {"locked_kb", kilobytes(memory.locked)},
          {"page_tables_kb", kilobytes(memory.page_tables)},
          {"machine_kb", details.machine_memory == 0 ? Json() : Json(details.machine_memory >> 10)}};
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
  const ProcessLimit *limit = details.limits ? details.limits->find("Max open files") : nullptr;
  return {{"open", or_null(details.descriptor_count)},
          {"soft_limit", limit != nullptr ? or_null(limit->soft) : Json()},
          {"hard_limit", limit != nullptr ? or_null(limit->hard) : Json()},
          {"kinds", std::move(kinds)},
          {"list", std::move(list)}};
}

std::string_view family_name(SocketFamily family) {
  switch (family) {
  case SocketFamily::ipv4:
    return "ipv4";
  case SocketFamily::ipv6:
    return "ipv6";
  case SocketFamily::netlink:
    return "netlink";
  case SocketFamily::packet:
    return "packet";
  case SocketFamily::unix_domain:
    break;
  }
  return "unix";
}

std::string_view role_name(SocketRole role) {
  switch (role) {
  case SocketRole::listening:
    return "listening";
  case SocketRole::accepted:
    return "accepted";
  case SocketRole::connected:
    return "connected";
  case SocketRole::other:
    break;
  }
  return "other";
}

Json end_json(const SocketEndpoint &endpoint) {
  return {{"host", endpoint.host}, {"port", endpoint.port}};
}

Json sockets_json(const std::optional<OpenSockets> &sockets) {
  if (!sockets)
    return {};
  Json list = Json::array();
  for (const OpenSocket &socket : sockets->sockets) {
    const SocketEntry &entry = socket.entry;
    Json one = {{"fds", socket.descriptors},           {"inode", socket.inode},
                {"family", family_name(entry.family)}, {"protocol", entry.protocol},
                {"role", role_name(socket.role)},      {"state", entry.state.empty() ? Json() : Json(entry.state)}};
    if (entry.family == SocketFamily::ipv4 || entry.family == SocketFamily::ipv6) {
      one["local"] = end_json(entry.local);
      if (!entry.remote.unspecified)
        one["remote"] = end_json(entry.remote);
    } else {
      one["path"] = or_null(entry.path);
    }
    if (!socket.peer.empty())
      one["peer"] = socket.peer;
    if (!entry.type.empty())
      one["type"] = entry.type;
    list.push_back(std::move(one));
  }
  return list;
}

Json limits_json(const std::optional<ProcessLimits> &limits) {
  if (!limits)
    return {};
  Json list = Json::array();
  for (const ProcessLimit &limit : limits->all)
    list.push_back({{"name", limit.name},
                    {"soft", or_null(limit.soft)},
                    {"hard", or_null(limit.hard)},
                    {"unit", or_null(limit.unit)}});
  return list;
}

Json capabilities_json(const std::optional<Capabilities> &capabilities) {
  if (!capabilities)
    return {};
  const auto names = [&](std::uint64_t set) { return Json(capability_names(set)); };
  return {{"effective", names(capabilities->effective)},
          {"permitted", names(capabilities->permitted)},
          {"inheritable", names(capabilities->inheritable)},
          {"ambient", names(capabilities->ambient)},
          {"bounding", names(capabilities->bounding)}};
}

Json namespaces_json(const ProcessDetails &details) {
  if (!details.namespaces)
    return {};
  Json list = Json::array();
  for (const NamespaceMembership &one : *details.namespaces)
    list.push_back({{"name", one.name}, {"inode", one.inode}, {"ours", one.ours}});
  return list;
}

Json control_groups_json(const std::vector<ControlGroup> &groups) {
  Json list = Json::array();
  for (const ControlGroup &group : groups)
    list.push_back({{"controllers", or_null(group.controllers)}, {"path", group.path_with_mark()}});
  return list;
}

Json go_build_json(const std::optional<GoBuildInfo> &go) {
  if (!go)
    return {};
  Json settings = Json::array();
  for (const auto &[key, value] : go->settings)
    settings.push_back({{"key", key}, {"value", value}});
  Json modules = Json::array();
  for (const GoModule &module : go->dependencies)
    modules.push_back({{"path", module.path},
                       {"version", or_null(module.version)},
                       {"sum", or_null(module.sum)},
                       {"replacement", or_null(module.replacement)},
                       {"replacement_version", or_null(module.replacement_version)}});
  return {{"version", or_null(go->go_version)}, {"package", or_null(go->package_path)},
          {"module", or_null(go->module_path)}, {"module_version", or_null(go->module_version)},
          {"settings", std::move(settings)},    {"modules", std::move(modules)}};
}

Json build_json(const std::optional<ProgramBuild> &build) {
  if (!build)
    return {};
  return {{"build_id", or_null(build->build_id)},
          {"compilers", build->compilers},
          {"needed", build->needed},
          {"dynamic", build->dynamic},
          {"go", go_build_json(build->go)}};
}

Json libraries_json(const ProcessDetails &details) {
  if (!details.libraries)
    return {};
  Json list = Json::array();
  for (const MappedLibrary &library : *details.libraries)
    list.push_back({{"path", library.path}, {"deleted", library.deleted}});
  return list;
}

Json security_json(const std::optional<SecurityState> &security) {
  if (!security)
    return {};
  constexpr auto modes = std::to_array<const char *>({"none", "strict", "filter"});
  const auto mode = static_cast<std::size_t>(security->seccomp_mode.value_or(-1));
  Json tracer;
  if (security->tracer != 0)
    tracer = {{"pid", security->tracer}, {"name", security->tracer_name}};
  return {{"seccomp", mode < modes.size() ? Json(modes[mode]) : Json()},
          {"seccomp_filters", or_null(security->seccomp_filters)},
          {"no_new_privileges", or_null(security->no_new_privileges)},
          {"dumpable", or_null(security->dumpable)},
          {"dumping_core", security->dumping_core},
          {"tracer", std::move(tracer)},
          {"yama_ptrace_scope", or_null(security->yama_scope)},
          {"label", or_null(security->label)}};
}

Json out_of_memory_json(const std::optional<OutOfMemoryScore> &score) {
  return score ? Json{{"score", score->score}, {"adjustment", score->adjustment}} : Json();
}

Json not_permitted_json(const NotPermitted &missing) {
  return missing.what.empty() ? Json()
                              : Json{{"what", missing.what}, {"why", missing.why}, {"remedy", or_null(missing.remedy)}};
}

} // namespace

Json process_details_json(const ProcessDetails &details) {
  Json parents = Json::array();
  for (const Ancestor &parent : details.parents)
    parents.push_back({{"pid", parent.process}, {"name", parent.name}});
  Json states = Json::array();
  for (const auto &[state, count] : details.threads_by_state)
    states.push_back({{"state", std::string(1, state)}, {"count", count}});
  return {{"parents", std::move(parents)},
          {"pid_in_namespace", details.id_in_namespace == 0 ? Json() : Json(details.id_in_namespace)},
          {"users", users_json(details.users)},
          {"working_directory", directory_json(details.working_directory)},
          {"root", directory_json(details.root)},
          {"elapsed_ms", details.times.elapsed},
          {"cpu_user_ms", details.times.user},
          {"cpu_system_ms", details.times.system},
          {"recent_cpu", recent_use_json(details.recent_use)},
          {"threads_by_state", std::move(states)},
          {"memory", memory_json(details)},
          {"descriptors", descriptors_json(details)},
          {"sockets", sockets_json(details.sockets)},
          {"sockets_not_in_tables", details.sockets ? Json(details.sockets->not_in_tables) : Json()},
          {"limits", limits_json(details.limits)},
          {"capabilities", capabilities_json(details.capabilities)},
          {"namespaces", namespaces_json(details)},
          {"control_groups", control_groups_json(details.control_groups)},
          {"build", build_json(details.build)},
          {"libraries", libraries_json(details)},
          {"security", security_json(details.security)},
          {"out_of_memory", out_of_memory_json(details.out_of_memory)},
          {"not_permitted", not_permitted_json(details.not_permitted)},
          {"warnings", details.warnings}};
}

} // namespace inspect
