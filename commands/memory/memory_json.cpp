// `mem` for programs: inspect.mem/1, as docs/json.md and docs/schemas/inspect.mem.1.json have it.
#include "commands/memory/memory_writers.h"
#include "inspector/memory/memory_figures.h"

#include <array>
#include <ctime>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>

namespace inspect {
namespace {

using Json = nlohmann::ordered_json;

template <typename T> Json or_null(const std::optional<T> &value) {
  return value ? Json(*value) : Json();
}
Json or_null(const std::string &text) {
  return text.empty() ? Json() : Json(text);
}

std::string iso_moment(std::int64_t milliseconds) {
  const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm time{};
  ::gmtime_r(&seconds, &time);
  std::array<char, 64> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &time);
  return fmt::format("{}.{:03}Z", std::string_view(text.data(), length), milliseconds % 1000);
}

Json figures_json(const std::vector<MemoryFigure> &figures) {
  Json object = Json::object();
  for (const MemoryFigure &figure : figures)
    object[std::string(figure.name->name)] = figure.value;
  return object;
}

Json amounts_json(const MemoryAmounts &amounts, bool measured) {
  Json object = Json::object();
  for (const AmountName &amount : memory_amounts())
    if (measured || amount.name == "reserved")
      object[std::string(amount.name)] = amounts.*amount.amount;
  return object;
}

Json group_json(const MemoryReport &report) {
  if (!report.cgroup)
    return {{"missing", report.cgroup.error().message()}};
  const ControlGroupMemory &group = *report.cgroup;
  Json limits = Json::array();
  for (const MemoryLimit &limit : group.limits)
    limits.push_back({{"path", or_null(limit.path)}, {"limit", limit.limit}, {"current", limit.current}});
  Json events = Json::object();
  for (const auto &[event, count] : group.events)
    events[event] = count;
  return {{"version", group.version},
          {"path", group.path},
          {"current", group.current},
          {"limit", or_null(group.limit)},
          {"limits", std::move(limits)},
          {"limits_may_be_hidden", group.limits_may_be_hidden},
          {"high", or_null(group.high)},
          {"peak", or_null(group.peak)},
          {"swap_current", or_null(group.swap_current)},
          {"swap_limit", or_null(group.swap_limit)},
          {"anonymous", or_null(group.anonymous)},
          {"file", or_null(group.file)},
          {"reclaimable", or_null(group.reclaimable)},
          {"kernel", or_null(group.kernel)},
          {"events", std::move(events)}};
}

Json kinds_json(const MemoryReport &report) {
  Json kinds = Json::array();
  for (const KindUsage &usage : report.kinds) {
    Json kind = {{"kind", mapping_kind_name(usage.kind)}, {"mappings", usage.mappings}};
    kind.update(amounts_json(usage.amounts, report.measured));
    kinds.push_back(std::move(kind));
  }
  return kinds;
}

Json go_json(const GoMemoryStatistics &go) {
  Json object = figures_json(go_memory_figures(go));
  object["gc_cpu_fraction"] = or_null(go.gc_cpu_fraction);
  object["gogc"] = or_null(go.gogc);
  const bool no_limit = go.memory_limit == std::numeric_limits<std::int64_t>::max();
  object["memory_limit"] = no_limit ? Json() : or_null(go.memory_limit);
  object["recent_pauses_ns"] = go.recent_pauses_ns;
  return object;
}

/// Of a process with several Go runtimes those behind the first, which `go` is of.
Json go_runtimes_json(const MemoryReport &report) {
  Json runtimes = Json::array();
  for (const HostedGoMemory &one : report.other_go)
    runtimes.push_back({{"version", or_null(one.version)}, {"image", one.image}, {"go", go_json(one.statistics)}});
  return runtimes;
}

Json malloc_json(const MallocStatistics &statistics) {
  Json object = figures_json(malloc_memory_figures(statistics));
  object["arenas"] = Json::array();
  object["glibc_version"] = or_null(statistics.version);
  object["complete"] = statistics.complete;
  for (const MallocArena &arena : statistics.arenas) {
    std::uint64_t reserved = 0;
    for (const RunRange &heap : arena.heaps)
      reserved += heap.size();
    object["arenas"].push_back({{"address", fmt::format("{:#x}", arena.address.value)},
                                {"is_main", arena.is_main},
                                {"heaps", arena.heaps.size()},
                                {"reserved", reserved},
                                {"system_bytes", arena.system_bytes},
                                {"in_use", arena.in_use},
                                {"free", arena.free},
                                {"top", arena.top},
                                {"fast_bins", arena.fast_bins},
                                {"free_chunks", arena.free_chunks},
                                {"attached_threads", arena.attached_threads}});
  }
  return object;
}

Json findings_json(const std::vector<MemoryFinding> &findings) {
  Json list = Json::array();
  for (const MemoryFinding &finding : findings) {
    Json figures = Json::object();
    for (const auto &[name, value] : finding.figures)
      figures[name] = value;
    list.push_back({{"id", finding.id},
                    {"sentence", finding.sentence},
                    {"see", finding.see},
                    {"bytes", finding.bytes},
                    {"figures", std::move(figures)}});
  }
  return list;
}

/// Signed: what is less now is below 0. Amounts of address spaces fit into it.
std::int64_t change(std::uint64_t before, std::uint64_t after) {
  return static_cast<std::int64_t>(after - before);
}

Json changes_json(const std::vector<FigureChange> &changes) {
  Json object = Json::object();
  for (const FigureChange &one : changes)
    object[std::string(one.name->name)] = change(one.before, one.after);
  return object;
}

Json difference_json(const MemoryDifference &difference) {
  Json kinds = Json::array();
  for (const KindChange &one : difference.kinds) {
    Json kind = {{"kind", mapping_kind_name(one.after.kind)},
                 {"mappings", change(one.before.mappings, one.after.mappings)}};
    for (const AmountName &amount : memory_amounts())
      if (difference.measured || amount.name == "reserved")
        kind[std::string(amount.name)] = change(one.before.amounts.*amount.amount, one.after.amounts.*amount.amount);
    kinds.push_back(std::move(kind));
  }
  return {{"since", iso_moment(difference.earlier)},
          {"since_ms", difference.earlier},
          {"totals", changes_json(difference.totals)},
          {"kinds", std::move(kinds)},
          {"go", changes_json(difference.go)},
          {"malloc", changes_json(difference.malloc_changes)},
          {"findings", findings_json(difference.findings)}};
}

} // namespace

void write_memory_json(Output &output, const MemoryReport &report, const MemoryDifference *difference,
                       bool on_one_line) {
  Json allocators = Json::array();
  for (const OtherAllocator &allocator : report.other_allocators)
    allocators.push_back({{"name", allocator.name}, {"module", allocator.module_path}});
  Json mappings = Json();
  if (!report.refused)
    mappings = {{"count", report.mapping_count},
                {"measured", report.measured},
                {"why_not_measured", or_null(report.why_not_measured)}};
  const Json document = {
      {"schema", "inspect.mem/1"},
      {"pid", report.process},
      {"command", report.command},
      {"executable", or_null(report.executable)},
      {"runtime",
       {{"kind", report.runtime.kind()},
        {"language", or_null(report.runtime.language)},
        {"version", or_null(report.runtime.version)},
        {"stripped", report.runtime.stripped}}},
      {"taken_at", iso_moment(report.taken_at)},
      {"taken_at_ms", report.taken_at},
      {"start_ticks", report.start_ticks},
      {"pause_us", report.pause.count()},
      {"totals", figures_json(total_memory_figures(report))},
      {"cgroup", group_json(report)},
      {"mappings", std::move(mappings)},
      {"kinds", kinds_json(report)},
      {"goroutine_stacks", report.goroutine_stack_bytes},
      {"go", report.go ? go_json(*report.go) : Json()},
      {"go_runtimes", go_runtimes_json(report)},
      {"malloc", report.malloc_statistics ? malloc_json(*report.malloc_statistics) : Json()},
      {"other_allocators", std::move(allocators)},
      {"findings", findings_json(report.findings)},
      {"difference", difference != nullptr ? difference_json(*difference) : Json()},
      {"warnings", report.warnings},
  };
  // Pure ASCII (docs/json.md): no name can break a terminal or the document.
  output.write(document.dump(on_one_line ? -1 : 2, ' ', true, Json::error_handler_t::replace) + "\n");
}

} // namespace inspect
