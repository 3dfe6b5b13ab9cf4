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

MemoryFigures figures_of(const GoMemoryStatistics &books) {
  MemoryFigures figures;
  const auto add = [&](const char *name, const auto &value) {
    if (value)
      figures[name] = std::to_string(static_cast<std::uint64_t>(*value));
  };
  add("alloc", books.alloc);
  add("total_alloc", books.total_alloc);
  add("sys", books.sys);
  add("lookups", books.lookups);
  add("mallocs", books.mallocs);
  add("frees", books.frees);
  add("heap_alloc", books.heap_alloc);
  add("heap_sys", books.heap_sys);
  add("heap_idle", books.heap_idle);
  add("heap_inuse", books.heap_inuse);
  add("heap_released", books.heap_released);
  add("heap_objects", books.heap_objects);
  add("stack_inuse", books.stack_inuse);
  add("stack_sys", books.stack_sys);
  add("mspan_inuse", books.mspan_inuse);
  add("mspan_sys", books.mspan_sys);
  add("mcache_inuse", books.mcache_inuse);
  add("mcache_sys", books.mcache_sys);
  add("buck_hash_sys", books.buck_hash_sys);
  add("gc_sys", books.gc_sys);
  add("other_sys", books.other_sys);
  add("next_gc", books.next_gc);
  add("last_gc", books.last_gc);
  add("pause_total_ns", books.pause_total_ns);
  add("num_gc", books.num_gc);
  add("num_forced_gc", books.num_forced_gc);
  add("gogc", books.gogc);
  add("memory_limit", books.memory_limit);
  add("gomaxprocs", books.gomaxprocs);
  add("goroutines", books.goroutines);
  if (books.gc_cpu_fraction)
    figures["gc_cpu_fraction"] = std::to_string(std::bit_cast<std::uint64_t>(*books.gc_cpu_fraction));
  for (const std::uint64_t pause : books.recent_pauses_ns) {
    std::string &value = figures["pause"];
    value += (value.empty() ? "" : ",") + std::to_string(pause);
  }
  return figures;
}

MemoryFigures read_memory_figures(GoMemoryBooks &books) {
  const auto copied = books.copy();
  if (!copied)
    FAIL(copied.error().message());
  const auto statistics = books.statistics();
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
