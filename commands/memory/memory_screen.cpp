// The screen of `mem`: what somebody reads who was woken up by it.
#include "commands/memory/memory_text.h"
#include "commands/memory/memory_writers.h"
#include "commands/process/ps_writers.h"
#include "inspector/memory/memory_figures.h"
#include "machine/number_text.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/format.h>
#include <limits>

namespace inspect {
namespace {

constexpr std::size_t bar_width = 20;
constexpr std::size_t pauses_shown = 5;
constexpr std::size_t grid_columns = 4;

/// "-" is quieter than a column of zeros.
std::string cell(std::uint64_t bytes) {
  return bytes == 0 ? "-" : size_text(bytes);
}

/// Writes in the letters that the terminal has.
class Screen {
public:
  Screen(Output &output, const MemoryReport &report, const MemoryTextOptions &options)
      : output_(output), report_(report), options_(options) {}

  void write() {
    write_heading();
    write_totals();
    write_group();
    if (!report_.kinds.empty())
      write_kinds();
    if (report_.go)
      write_go(*report_.go, report_.other_go.empty() ? "" : report_.go_image);
    for (const HostedGoMemory &one : report_.other_go)
      write_go(one.statistics, one.image);
    if (report_.malloc_statistics && is_in_use(*report_.malloc_statistics))
      write_malloc(*report_.malloc_statistics);
    write_other_allocators();
    write_findings();
  }

private:
  void line(std::string text) {
    output_.write((options_.unicode ? std::move(text) : in_ascii(std::move(text))) + "\n");
  }
  void heading(const std::string &text) { line("\n" + output_.styled(Style::heading, text)); }

  void write_heading() {
    const std::string runtime = runtime_text(report_.runtime);
    line(output_.styled(Style::heading, fmt::format("process {} ({})", report_.process, escape(report_.command))) +
         (runtime == "?" ? "" : "  " + escape(runtime)) +
         (report_.executable.empty() ? "" : "  " + escape(report_.executable)));
  }

  void total(std::string_view name, std::optional<std::uint64_t> value, const std::string &words) {
    if (value)
      line(fmt::format("{:<4}{:>9}", name, size_text(*value)) +
           (words.empty() ? "" : "  " + output_.styled(Style::dim, words)));
  }

  std::string resident_parts() const {
    const MemoryStatus &status = report_.status;
    std::string text;
    if (status.resident_anonymous && status.resident_file && status.resident_shared)
      text = fmt::format("{} anonymous + {} file + {} shared", size_text(*status.resident_anonymous),
                         size_text(*status.resident_file), size_text(*status.resident_shared));
    if (status.resident_peak)
      text += fmt::format("{}peak {}", text.empty() ? "" : "; ", size_text(*status.resident_peak));
    return text;
  }

  void write_totals() {
    const MemoryStatus &status = report_.status;
    const bool mapped = report_.mapping_count > 0;
    std::string space = "address space";
    if (mapped)
      space += " in " + counted(report_.mapping_count, "mapping");
    if (status.virtual_peak)
      space += "; peak " + size_text(*status.virtual_peak);
    total("VSZ", mapped ? report_.total.reserved : status.virtual_size, space);
    total("RSS", report_.measured ? report_.total.resident : status.resident, resident_parts());
    if (report_.measured) {
      total("PSS", report_.total.proportional, "fair share: of a page that n processes map, each has 1/n");
      total("USS", report_.total.unique(), "its own alone, and free once it ends");
    }
    std::string rest = counted(report_.thread_count, "thread");
    const auto add = [&](std::string_view name, std::uint64_t bytes) {
      if (bytes > 0)
        rest += fmt::format(", {} {}", name, size_text(bytes));
    };
    add("page tables", status.page_tables.value_or(0));
    add("swap", report_.measured ? report_.total.swapped : status.swapped.value_or(0));
    add("lazily freed", report_.total.lazily_freed);
    add("huge pages", report_.total.huge);
    add("hugetlb", std::max(status.hugetlb.value_or(0), report_.total.hugetlb));
    add("locked", status.locked.value_or(0));
    add("pinned", status.pinned.value_or(0));
    line(rest);
  }

  void write_group() {
    if (!report_.cgroup)
      return;
    const ControlGroupMemory &group = *report_.cgroup;
    std::string text = fmt::format("cgroup {}: {}", escape(group.path), size_text(group.current));
    if (const MemoryLimit *nearest = group.nearest_limit()) {
      if (nearest->path != group.path)
        text += fmt::format("; {}: {}", escape(nearest->path), size_text(nearest->current));
      text += fmt::format(" of {} ({} %), {} until the OOM killer", size_text(nearest->limit),
                          percent_of(nearest->current, nearest->limit), size_text(nearest->room()));
    } else {
      text += group.limits_may_be_hidden ? ", no limit that can be seen from here" : ", no limit";
    }
    for (const auto &[event, count] : group.events)
      if (event == "oom_kill" && count > 0)
        text += ", " + output_.styled(Style::warning, counted(count, "OOM kill"));
    line(wrapped(text, prose_width(output_), "  "));
  }

  std::vector<std::string> kind_row(std::string name, const MemoryAmounts &amounts) const {
    if (!report_.measured)
      return {std::move(name), size_text(amounts.reserved)};
    return {std::move(name),
            size_text(amounts.reserved),
            cell(amounts.resident),
            cell(amounts.proportional),
            cell(amounts.lazily_freed),
            cell(amounts.swapped)};
  }

  void write_kinds() {
    std::vector<std::vector<std::string>> rows;
    rows.push_back({"KIND", "RESERVED", "RESIDENT", "PROPORTIONAL", "LAZILY FREED", "SWAPPED"});
    if (!report_.measured)
      rows.front().resize(2);
    for (const KindUsage &usage : report_.kinds)
      rows.push_back(kind_row(std::string(mapping_kind_text(usage.kind)), usage.amounts));
    rows.push_back(kind_row("total", report_.total));
    const std::vector<std::string> lines = aligned_table(rows, report_.measured ? 4 : 2);
    heading(lines.front());
    for (std::size_t i = 0; i < report_.kinds.size(); ++i) {
      const MemoryAmounts &amounts = report_.kinds[i].amounts;
      const std::string bar = report_.measured
                                  ? share_bar(amounts.resident, report_.total.resident, bar_width, options_.unicode)
                                  : share_bar(amounts.reserved, report_.total.reserved, bar_width, options_.unicode);
      line(lines[i + 1] + (bar.empty() ? "" : "  " + output_.styled(Style::number, bar)));
    }
    line(output_.styled(Style::heading, lines.back()));
    if (!report_.measured && !report_.why_not_measured.empty())
      line(wrapped("only address space is known: " + escape(report_.why_not_measured), prose_width(output_), "  "));
  }

  /// Titles and values in columns that are read downwards.
  void write_grid(const std::vector<MemoryFigure> &figures) {
    const std::size_t rows = (figures.size() + grid_columns - 1) / grid_columns;
    for (std::size_t row = 0; row < rows; ++row) {
      std::string text;
      for (std::size_t at = row; at < figures.size(); at += rows)
        text += fmt::format("{}{:<12} {:>10}", text.empty() ? "  " : "   ", figures[at].name->title,
                            figure_text(figures[at].name->unit, figures[at].value));
      line(text);
    }
  }

  /// `image` where there are several.
  void write_go(const GoMemoryStatistics &go, std::string_view image) {
    constexpr std::array<std::string_view, 20> shown = {
        "heap_alloc",    "heap_inuse",  "heap_idle",   "heap_released", "heap_sys",   "heap_objects", "stack_inuse",
        "stack_sys",     "mspan_inuse", "mspan_sys",   "mcache_inuse",  "mcache_sys", "gc_sys",       "other_sys",
        "buck_hash_sys", "sys",         "total_alloc", "mallocs",       "frees",      "next_gc"};
    const std::string whose = image.empty() ? "" : fmt::format(" of {}", escape(image.substr(image.rfind('/') + 1)));
    heading(fmt::format("Go memory statistics{} (runtime.MemStats)", whose));
    std::vector<MemoryFigure> figures;
    for (const MemoryFigure &figure : go_memory_figures(go))
      if (std::ranges::find(shown, figure.name->name) != shown.end())
        figures.push_back(figure);
    write_grid(figures);
    std::string facts;
    const auto add = [&](const std::string &text) { facts += (facts.empty() ? "" : ", ") + text; };
    if (go.num_gc)
      add("NumGC " + with_thousands(*go.num_gc) +
          (go.num_forced_gc.value_or(0) > 0 ? fmt::format(" ({} forced)", with_thousands(*go.num_forced_gc)) : ""));
    if (const std::string age = last_collection(go); !age.empty())
      add(age);
    if (go.gogc)
      add(*go.gogc < 0 ? std::string("GOGC off") : fmt::format("GOGC {}", *go.gogc));
    if (go.memory_limit)
      add(*go.memory_limit == std::numeric_limits<std::int64_t>::max()
              ? std::string("GOMEMLIMIT none")
              : "GOMEMLIMIT " + size_text(static_cast<std::uint64_t>(std::max<std::int64_t>(*go.memory_limit, 0))));
    if (go.goroutines)
      add(counted(*go.goroutines, "goroutine"));
    if (go.gomaxprocs)
      add(fmt::format("GOMAXPROCS {}", *go.gomaxprocs));
    line("  " + wrapped(facts, prose_width(output_) - 2, "  "));
  }

  std::string last_collection(const GoMemoryStatistics &go) const {
    std::string text;
    if (go.last_gc.value_or(0) > 0) {
      const auto milliseconds = static_cast<std::int64_t>(std::min<std::uint64_t>(
          *go.last_gc / 1'000'000, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())));
      if (milliseconds <= report_.taken_at)
        text = fmt::format("last {} ago", duration_text(static_cast<std::uint64_t>(report_.taken_at - milliseconds)));
    }
    if (go.recent_pauses_ns.empty())
      return text;
    text += text.empty() ? "pauses" : ", pauses";
    for (std::size_t i = 0; i < std::min(pauses_shown, go.recent_pauses_ns.size()); ++i)
      text += " " + pause_text(go.recent_pauses_ns[i]);
    return text;
  }

  /// Where another allocator takes its place, glibc's is there and never asked.
  static bool is_in_use(const MallocStatistics &statistics) {
    return statistics.totals.arena > 0 || statistics.totals.hblkhd.value_or(0) > 0 || !statistics.complete;
  }

  void write_malloc(const MallocStatistics &statistics) {
    const MallocTotals &totals = statistics.totals;
    std::uint64_t reserved = 0;
    for (const MallocArena &arena : statistics.arenas)
      for (const RunRange &heap : arena.heaps)
        reserved += heap.size();
    heading(statistics.version.empty() ? std::string("malloc statistics")
                                       : fmt::format("malloc statistics (glibc {})", statistics.version));
    std::string text = fmt::format("{} from the system in {}{}: {} in use, {} free (of which {} at the top) in {}",
                                   size_text(totals.arena), counted(statistics.arenas.size(), "arena"),
                                   reserved > 0 ? fmt::format(" ({} reserved)", size_text(reserved)) : "",
                                   size_text(totals.uordblks), size_text(totals.fordblks), size_text(totals.keepcost),
                                   counted(totals.ordblks + totals.smblks, "chunk"));
    if (totals.hblks.value_or(0) > 0 && totals.hblkhd)
      text += fmt::format("; {} in {} mapped by {}", size_text(*totals.hblkhd), counted(*totals.hblks, "block"),
                          *totals.hblks == 1 ? "itself" : "themselves");
    line("  " + wrapped(text, prose_width(output_) - 2, "  "));
  }

  void write_other_allocators() {
    for (const OtherAllocator &allocator : report_.other_allocators)
      line(fmt::format("\nallocator {} ({}): its statistics are not read here", escape(allocator.name),
                       escape(allocator.module_path)));
  }

  void write_findings() {
    heading(report_.findings.empty() ? "no findings" : "findings");
    for (const MemoryFinding &finding : report_.findings)
      output_.write(finding_text(output_, finding, options_.unicode));
  }

  Output &output_;
  const MemoryReport &report_;
  const MemoryTextOptions &options_;
};

} // namespace

void write_memory_text(Output &output, const MemoryReport &report, const MemoryTextOptions &options) {
  Screen(output, report, options).write();
}

} // namespace inspect
