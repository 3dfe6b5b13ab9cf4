#include "tests/golang/memstats/memory_figures.h"

#include "tests/support/catch.h"

#include <bit>
#include <sstream>

namespace inspect::test {

MemoryFigures parse_memory_figures(const std::string &line) {
  MemoryFigures figures;
  std::istringstream words(line);
  for (std::string word; words >> word;)
    if (const std::size_t equal = word.find('='); equal != std::string::npos) {
      std::string &value = figures[word.substr(0, equal)];
      value += (value.empty() ? "" : ",") + word.substr(equal + 1);
    }
  return figures;
}

MemoryFigures figures_of(const GoMemoryStatistics &reader) {
  MemoryFigures figures;
  const auto add = [&](const char *name, const auto &value) {
    if (value)
      figures[name] = std::to_string(static_cast<std::uint64_t>(*value));
  };
  add("alloc", reader.alloc);
  add("total_alloc", reader.total_alloc);
  add("sys", reader.sys);
  add("lookups", reader.lookups);
  add("mallocs", reader.mallocs);
  add("frees", reader.frees);
  add("heap_alloc", reader.heap_alloc);
  add("heap_sys", reader.heap_sys);
  add("heap_idle", reader.heap_idle);
  add("heap_inuse", reader.heap_inuse);
  add("heap_released", reader.heap_released);
  add("heap_objects", reader.heap_objects);
  add("stack_inuse", reader.stack_inuse);
  add("stack_sys", reader.stack_sys);
  add("mspan_inuse", reader.mspan_inuse);
  add("mspan_sys", reader.mspan_sys);
  add("mcache_inuse", reader.mcache_inuse);
  add("mcache_sys", reader.mcache_sys);
  add("buck_hash_sys", reader.buck_hash_sys);
  add("gc_sys", reader.gc_sys);
  add("other_sys", reader.other_sys);
  add("next_gc", reader.next_gc);
  add("last_gc", reader.last_gc);
  add("pause_total_ns", reader.pause_total_ns);
  add("num_gc", reader.num_gc);
  add("num_forced_gc", reader.num_forced_gc);
  add("gogc", reader.gogc);
  add("memory_limit", reader.memory_limit);
  add("gomaxprocs", reader.gomaxprocs);
  add("goroutines", reader.goroutines);
  if (reader.gc_cpu_fraction)
    figures["gc_cpu_fraction"] = std::to_string(std::bit_cast<std::uint64_t>(*reader.gc_cpu_fraction));
  for (const std::uint64_t pause : reader.recent_pauses_ns) {
    std::string &value = figures["pause"];
    value += (value.empty() ? "" : ",") + std::to_string(pause);
  }
  return figures;
}

MemoryFigures read_memory_figures(GoMemoryReader &reader) {
  const auto copied = reader.copy();
  if (!copied)
    FAIL(copied.error().message());
  const auto statistics = reader.statistics();
  if (!statistics)
    return {{"error", statistics.error().message()}};
  return figures_of(*statistics);
}

std::string differences(const MemoryFigures &own, const MemoryFigures &read) {
  std::string text;
  for (const auto &[name, value] : own) {
    const auto found = read.find(name);
    if (found == read.end())
      text += name + " is " + value + " and was not read\n";
    else if (found->second != value)
      text += name + " is " + value + ", read as " + found->second + "\n";
  }
  if (const auto error = read.find("error"); error != read.end())
    text += error->second;
  return text;
}

} // namespace inspect::test
