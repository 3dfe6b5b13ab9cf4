#include "inspector/memory/memory_figures.h"

#include "machine/number_text.h"

#include <algorithm>
#include <array>

namespace inspect {
namespace {

using Value = std::optional<std::uint64_t>;

struct TotalFigure {
  MemoryFigureName name;
  Value (*value)(const MemoryReport &);
};

/// What only the mappings tell.
template <std::uint64_t MemoryAmounts::*Amount> Value measured(const MemoryReport &report) {
  return report.measured ? Value(report.total.*Amount) : std::nullopt;
}

template <Value MemoryStatus::*Member> Value from_status(const MemoryReport &report) {
  return report.status.*Member;
}

Value virtual_size(const MemoryReport &report) {
  return report.mapping_count > 0 ? Value(report.total.reserved) : report.status.virtual_size;
}

Value resident(const MemoryReport &report) {
  return report.measured ? Value(report.total.resident) : report.status.resident;
}

Value swapped(const MemoryReport &report) {
  return report.measured ? Value(report.total.swapped) : report.status.swapped;
}

Value unique(const MemoryReport &report) {
  return report.measured ? Value(report.total.unique()) : std::nullopt;
}

constexpr std::array total_figures = {
    TotalFigure{{"vsz", "VSZ"}, virtual_size},
    TotalFigure{{"vsz_peak", "VSZ peak"}, from_status<&MemoryStatus::virtual_peak>},
    TotalFigure{{"rss", "RSS"}, resident},
    TotalFigure{{"rss_peak", "RSS peak"}, from_status<&MemoryStatus::resident_peak>},
    TotalFigure{{"rss_anonymous", "anonymous"}, from_status<&MemoryStatus::resident_anonymous>},
    TotalFigure{{"rss_file", "file"}, from_status<&MemoryStatus::resident_file>},
    TotalFigure{{"rss_shared", "shared"}, from_status<&MemoryStatus::resident_shared>},
    TotalFigure{{"pss", "PSS"}, measured<&MemoryAmounts::proportional>},
    TotalFigure{{"uss", "USS"}, unique},
    TotalFigure{{"swap", "swap"}, swapped},
    TotalFigure{{"swap_proportional", "swap PSS"}, measured<&MemoryAmounts::swapped_proportional>},
    TotalFigure{{"lazily_freed", "lazily freed"}, measured<&MemoryAmounts::lazily_freed>},
    TotalFigure{{"huge_pages", "huge pages"}, measured<&MemoryAmounts::huge>},
    TotalFigure{{"hugetlb", "hugetlb"}, from_status<&MemoryStatus::hugetlb>},
    TotalFigure{{"locked", "locked"}, from_status<&MemoryStatus::locked>},
    TotalFigure{{"pinned", "pinned"}, from_status<&MemoryStatus::pinned>},
    TotalFigure{{"page_tables", "page tables"}, from_status<&MemoryStatus::page_tables>},
    TotalFigure{{"mappings", "mappings", FigureUnit::count},
                [](const MemoryReport &report) { return report.refused ? Value() : Value(report.mapping_count); }},
    TotalFigure{{"threads", "threads", FigureUnit::count},
                [](const MemoryReport &report) { return Value(report.thread_count); }},
};

struct GoFigure {
  MemoryFigureName name;
  GoMemoryStatistics::Figure GoMemoryStatistics::*member;
};

/// In the order of the screen; titles are the fields of runtime.MemStats.
constexpr std::array go_figures = {
    GoFigure{{"heap_alloc", "HeapAlloc"}, &GoMemoryStatistics::heap_alloc},
    GoFigure{{"heap_inuse", "HeapInuse"}, &GoMemoryStatistics::heap_inuse},
    GoFigure{{"heap_idle", "HeapIdle"}, &GoMemoryStatistics::heap_idle},
    GoFigure{{"heap_released", "HeapReleased"}, &GoMemoryStatistics::heap_released},
    GoFigure{{"heap_sys", "HeapSys"}, &GoMemoryStatistics::heap_sys},
    GoFigure{{"heap_objects", "HeapObjects", FigureUnit::count}, &GoMemoryStatistics::heap_objects},
    GoFigure{{"stack_inuse", "StackInuse"}, &GoMemoryStatistics::stack_inuse},
    GoFigure{{"stack_sys", "StackSys"}, &GoMemoryStatistics::stack_sys},
    GoFigure{{"mspan_inuse", "MSpanInuse"}, &GoMemoryStatistics::mspan_inuse},
    GoFigure{{"mspan_sys", "MSpanSys"}, &GoMemoryStatistics::mspan_sys},
    GoFigure{{"mcache_inuse", "MCacheInuse"}, &GoMemoryStatistics::mcache_inuse},
    GoFigure{{"mcache_sys", "MCacheSys"}, &GoMemoryStatistics::mcache_sys},
    GoFigure{{"buck_hash_sys", "BuckHashSys"}, &GoMemoryStatistics::buck_hash_sys},
    GoFigure{{"gc_sys", "GCSys"}, &GoMemoryStatistics::gc_sys},
    GoFigure{{"other_sys", "OtherSys"}, &GoMemoryStatistics::other_sys},
    GoFigure{{"sys", "Sys"}, &GoMemoryStatistics::sys},
    GoFigure{{"alloc", "Alloc"}, &GoMemoryStatistics::alloc},
    GoFigure{{"total_alloc", "TotalAlloc"}, &GoMemoryStatistics::total_alloc},
    GoFigure{{"mallocs", "Mallocs", FigureUnit::count}, &GoMemoryStatistics::mallocs},
    GoFigure{{"frees", "Frees", FigureUnit::count}, &GoMemoryStatistics::frees},
    GoFigure{{"lookups", "Lookups", FigureUnit::count}, &GoMemoryStatistics::lookups},
    GoFigure{{"next_gc", "NextGC"}, &GoMemoryStatistics::next_gc},
    GoFigure{{"last_gc", "LastGC", FigureUnit::moment}, &GoMemoryStatistics::last_gc},
    GoFigure{{"pause_total_ns", "PauseTotalNs", FigureUnit::nanoseconds}, &GoMemoryStatistics::pause_total_ns},
    GoFigure{{"num_gc", "NumGC", FigureUnit::count}, &GoMemoryStatistics::num_gc},
    GoFigure{{"num_forced_gc", "NumForcedGC", FigureUnit::count}, &GoMemoryStatistics::num_forced_gc},
    GoFigure{{"goroutines", "goroutines", FigureUnit::count}, &GoMemoryStatistics::goroutines},
    GoFigure{{"gomaxprocs", "GOMAXPROCS", FigureUnit::count}, &GoMemoryStatistics::gomaxprocs},
};

struct MallocFigure {
  MemoryFigureName name;
  Value (*value)(const MallocStatistics &);
};

/// Names are those of struct mallinfo2 (man page mallinfo(3)).
constexpr std::array malloc_figures = {
    MallocFigure{{"arena_count", "arenas", FigureUnit::count},
                 [](const MallocStatistics &one) { return Value(one.arenas.size()); }},
    MallocFigure{{"arena", "from the system"}, [](const MallocStatistics &one) { return Value(one.totals.arena); }},
    MallocFigure{{"uordblks", "in use"}, [](const MallocStatistics &one) { return Value(one.totals.uordblks); }},
    MallocFigure{{"fordblks", "free"}, [](const MallocStatistics &one) { return Value(one.totals.fordblks); }},
    MallocFigure{{"keepcost", "top"}, [](const MallocStatistics &one) { return Value(one.totals.keepcost); }},
    MallocFigure{{"fsmblks", "fast bins"}, [](const MallocStatistics &one) { return Value(one.totals.fsmblks); }},
    MallocFigure{{"hblkhd", "mapped"}, [](const MallocStatistics &one) { return Value(one.totals.hblkhd); }},
    MallocFigure{{"hblks", "mapped blocks", FigureUnit::count},
                 [](const MallocStatistics &one) { return Value(one.totals.hblks); }},
    MallocFigure{{"ordblks", "free chunks", FigureUnit::count},
                 [](const MallocStatistics &one) { return Value(one.totals.ordblks); }},
    MallocFigure{{"smblks", "free fast chunks", FigureUnit::count},
                 [](const MallocStatistics &one) { return Value(one.totals.smblks); }},
};

constexpr std::array amount_names = {
    AmountName{"reserved", &MemoryAmounts::reserved},
    AmountName{"resident", &MemoryAmounts::resident},
    AmountName{"proportional", &MemoryAmounts::proportional},
    AmountName{"shared_clean", &MemoryAmounts::shared_clean},
    AmountName{"shared_dirty", &MemoryAmounts::shared_dirty},
    AmountName{"private_clean", &MemoryAmounts::private_clean},
    AmountName{"private_dirty", &MemoryAmounts::private_dirty},
    AmountName{"referenced", &MemoryAmounts::referenced},
    AmountName{"anonymous", &MemoryAmounts::anonymous},
    AmountName{"lazily_freed", &MemoryAmounts::lazily_freed},
    AmountName{"huge", &MemoryAmounts::huge},
    AmountName{"hugetlb", &MemoryAmounts::hugetlb},
    AmountName{"swapped", &MemoryAmounts::swapped},
    AmountName{"swapped_proportional", &MemoryAmounts::swapped_proportional},
    AmountName{"locked", &MemoryAmounts::locked},
};

template <typename Table> const MemoryFigureName *find_in(const Table &table, std::string_view name) {
  const auto found = std::ranges::find_if(table, [&](const auto &figure) { return figure.name.name == name; });
  return found == table.end() ? nullptr : &found->name;
}

} // namespace

std::vector<MemoryFigure> total_memory_figures(const MemoryReport &report) {
  std::vector<MemoryFigure> figures;
  for (const TotalFigure &figure : total_figures)
    if (const Value value = figure.value(report))
      figures.push_back({&figure.name, *value});
  return figures;
}

std::vector<MemoryFigure> go_memory_figures(const GoMemoryStatistics &statistics) {
  std::vector<MemoryFigure> figures;
  for (const GoFigure &figure : go_figures)
    if (const Value value = statistics.*figure.member)
      figures.push_back({&figure.name, *value});
  return figures;
}

std::vector<MemoryFigure> malloc_memory_figures(const MallocStatistics &statistics) {
  std::vector<MemoryFigure> figures;
  for (const MallocFigure &figure : malloc_figures)
    if (const Value value = figure.value(statistics))
      figures.push_back({&figure.name, *value});
  return figures;
}

const MemoryFigureName *find_total_figure(std::string_view name) {
  return find_in(total_figures, name);
}
const MemoryFigureName *find_go_figure(std::string_view name) {
  return find_in(go_figures, name);
}
const MemoryFigureName *find_malloc_figure(std::string_view name) {
  return find_in(malloc_figures, name);
}

std::span<const AmountName> memory_amounts() {
  return amount_names;
}

std::string figure_text(FigureUnit unit, std::uint64_t value) {
  switch (unit) {
  case FigureUnit::bytes:
    return size_text(value);
  case FigureUnit::nanoseconds:
    return pause_text(value);
  case FigureUnit::count:
  case FigureUnit::moment:
    break;
  }
  return with_thousands(value);
}

} // namespace inspect
