#include "golang/memstats/memory_variables.h"

#include "dwarf/symbols/named_symbols.h"
#include "golang/image/data_words.h"
#include "golang/memstats/memory_check.h"
#include "golang/runtime/m_list.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr int looks = 5; // where what is looked at moves

/// Where the symbol table says that they are; 0 without.
struct SymbolPlaces {
  RunAddress heap, controller, scheduler, processors, gc_percent;
};

SymbolPlaces places_by_symbol(const GoImage &image) {
  constexpr auto names = std::to_array<std::string_view>(
      {"runtime.mheap_", "runtime.gcController", "runtime.sched", "runtime.allp", "runtime.gcpercent"});
  const std::vector<LinkAddress> found = find_named_symbols(*image.module, names);
  const auto there = [&](std::size_t i) {
    const RunAddress address = image.module->bias().to_run(found[i]);
    return found[i] != LinkAddress{} && image.module->contains(address) ? address : RunAddress{};
  };
  return {there(0), there(1), there(2), there(3), there(4)};
}

/// One image and one layout.
class VariableFinder {
public:
  VariableFinder(const MemoryLayout &layout, const GoImage &image, const SymbolPlaces &symbols, GoRuntime &runtime,
                 const MemoryView &memory)
      : symbols_(symbols), runtime_(runtime), memory_(memory), check_(layout, image, memory) {
    found_.layout = &layout;
    found_.image = &image;
  }

  /// Nothing where there is no heap with this layout, or no Ps.
  std::optional<MemoryVariables> find();
  const std::string &problem() const { return problem_; }

private:
  const MemoryLayout &layout() const { return *found_.layout; }
  RunAddress find_heap();
  RunAddress find_processors();
  RunAddress find_controller();
  RunAddress find_scheduler();
  SchedulerWitness witness();
  /// The only one; 0 where there are none or several.
  RunAddress only(std::vector<RunAddress> candidates) const;
  void warn_of_missing();

  const SymbolPlaces &symbols_;
  GoRuntime &runtime_;
  const MemoryView &memory_;
  MemoryCheck check_;
  MemoryVariables found_;
  std::string problem_;
};

std::optional<MemoryVariables> VariableFinder::find() {
  found_.heap = find_heap();
  if (found_.heap.value == 0)
    return std::nullopt;
  found_.stats = check_.stats_of(found_.heap);
  found_.processors = find_processors();
  if (found_.processors.value == 0) {
    problem_ = "the list of Ps is not as expected";
    return std::nullopt;
  }
  found_.goroutines = runtime_.goroutine_list().value_or(RunAddress{});
  found_.controller = find_controller();
  found_.scheduler = find_scheduler();
  found_.gc_percent = layout().controller.gc_percent < 0 ? symbols_.gc_percent : RunAddress{};
  warn_of_missing();
  return std::move(found_);
}

RunAddress VariableFinder::only(std::vector<RunAddress> candidates) const {
  return candidates.size() == 1 ? candidates.front() : RunAddress{};
}

RunAddress VariableFinder::find_heap() {
  RunAddress heap = symbols_.heap;
  if (heap.value == 0) {
    const auto owner = static_cast<std::uint64_t>(layout().heap.span_owner);
    std::vector<RunAddress> candidates;
    each_unset_word(found_.image->data, memory_, [&](RunAddress place, std::span<const std::uint64_t> words) {
      if (words[0] == place.value - owner)
        candidates.push_back({words[0]});
    });
    heap = only(std::move(candidates));
  }
  // Its counters of pages and of bytes are read one after the other, and the heap grows and shrinks meanwhile.
  for (int look = 0; look < looks && heap.value != 0; ++look) {
    problem_ = check_.problem_of_heap(heap);
    if (problem_.empty())
      return heap;
  }
  return {};
}

RunAddress VariableFinder::find_processors() {
  for (int look = 0; look < looks; ++look) {
    if (symbols_.processors.value != 0) {
      if (!check_.processors_of(symbols_.processors).empty())
        return symbols_.processors;
      continue;
    }
    RunAddress lowest;
    std::vector<std::uint64_t> known;
    bool is_one = true;
    each_unset_word(found_.image->data, memory_, [&](RunAddress place, std::span<const std::uint64_t> words) {
      if (words.size() < 3 || words[0] % 8 != 0 || words[1] == 0 || words[1] > words[2] || words[2] > max_processors)
        return;
      auto processors = check_.processors_of(place);
      if (processors.empty())
        return;
      is_one &= known.empty() || known == processors;
      if (lowest.value == 0 || place < lowest)
        lowest = place;
      known = std::move(processors);
    });
    // Go 1.26 has another slice of the same in a structure. The linker orders variables by size: allp lies lower.
    if (is_one && lowest.value != 0)
      return lowest;
  }
  return {};
}

RunAddress VariableFinder::find_controller() {
  const MemoryLayout::Controller &at = layout().controller;
  if (at.gc_percent < 0)
    return {};
  for (int look = 0; look < looks; ++look) {
    const auto totals = check_.totals_of(found_.stats);
    if (!totals)
      return {};
    if (symbols_.controller.value != 0) {
      if (check_.is_controller(symbols_.controller, *totals))
        return symbols_.controller;
      continue;
    }
    const std::int32_t anchor = at.heap_in_use >= 0 ? at.heap_in_use : at.heap_live;
    const std::uint64_t most = at.heap_in_use >= 0 ? totals->in_heap * 4 : totals->committed * 4;
    const std::uint64_t unit = at.heap_in_use >= 0 ? go_page_size : 1;
    std::vector<RunAddress> candidates;
    // GOGC=0 makes for zeros that are everywhere; only the counters of later versions tell a controller from them.
    const bool needs_minimum = at.heap_in_use < 0;
    each_unset_word(found_.image->data, memory_, [&](RunAddress place, std::span<const std::uint64_t> words) {
      if (words[0] % unit != 0 || words[0] > most)
        return;
      const RunAddress controller = place - static_cast<std::uint64_t>(anchor);
      const auto now = check_.totals_of(found_.stats); // the heap may have grown since the search began
      if (now && check_.is_controller(controller, *now) &&
          (!needs_minimum ||
           read_word(memory_, controller + static_cast<std::uint64_t>(at.heap_minimum)).value_or(0) != 0))
        candidates.push_back(controller);
    });
    if (const RunAddress one = only(std::move(candidates)); one.value != 0)
      return one;
  }
  return {};
}

SchedulerWitness VariableFinder::witness() {
  SchedulerWitness witness;
  if (found_.goroutines.value != 0)
    witness.goroutines = read_word(memory_, found_.goroutines + 8).value_or(0);
  if (const RunAddress head = runtime_.m_list(); head.value != 0)
    witness.runtime_ms = read_ms(runtime_.layout(), memory_, head, {}).runtime_ms.size();
  witness.processors = check_.processors_of(found_.processors);
  return witness;
}

RunAddress VariableFinder::find_scheduler() {
  const MemoryLayout::Scheduler &at = layout().scheduler;
  const auto word_of = [](std::span<const std::uint64_t> words, std::int32_t offset) {
    return words[static_cast<std::size_t>(offset) / 8];
  };
  const auto needed = static_cast<std::size_t>(at.freed_ms) / 8;
  for (int look = 0; look < looks; ++look) {
    const SchedulerWitness known = witness();
    if (symbols_.scheduler.value != 0) {
      if (check_.likeness_of_scheduler(symbols_.scheduler, known) > 0)
        return symbols_.scheduler;
      continue;
    }
    RunAddress likest;
    int likeness = 0;
    bool is_one = false;
    each_unset_word(
        found_.image->data, memory_,
        [&](RunAddress place, std::span<const std::uint64_t> words) {
          constexpr std::uint64_t max_ms = std::uint64_t{1} << 32U;
          if (words.size() <= needed || word_of(words, at.next_m) == 0 || word_of(words, at.next_m) >= max_ms ||
              word_of(words, at.freed_ms) >= max_ms)
            return;
          const int here = check_.likeness_of_scheduler(place, known);
          is_one = here > likeness || (is_one && here < likeness);
          if (here > likeness) {
            likeness = here;
            likest = place;
          }
        },
        needed);
    constexpr int little = 4; // counts that fit by chance
    if (is_one && likeness > little)
      return likest;
  }
  return {};
}

void VariableFinder::warn_of_missing() {
  if (found_.controller.value == 0 && layout().controller.gc_percent >= 0)
    found_.warnings.emplace_back("the garbage collector's settings (GOGC, GOMEMLIMIT, the next goal) are not shown: "
                                 "the runtime's variable for them was not found");
  if (found_.scheduler.value == 0 || found_.goroutines.value == 0)
    found_.warnings.emplace_back("the number of goroutines is not shown: the scheduler's variable was not found");
}

/// The image that the runtime is in: its list of goroutines is in the data.
std::vector<const GoImage *> images_of(GoRuntime &runtime) {
  std::vector<const GoImage *> images;
  const auto list = runtime.goroutine_list();
  for (const GoImage &image : runtime.images())
    if (!list || image.module->contains(*list))
      images.push_back(&image);
  return images;
}

/// That of the version first, then the others, the nearest first.
std::vector<const MemoryLayout *> layouts_for(const GoImage &image) {
  const int patch = image.version == GoVersion{} ? 0 : go_patch_release(image.version_text);
  const MemoryLayout &chosen = memory_layout(image.version, patch);
  std::vector<const MemoryLayout *> order;
  for (const MemoryLayout &layout : known_memory_layouts())
    order.push_back(&layout);
  std::ranges::stable_sort(order, {}, [&](const MemoryLayout *layout) {
    const auto places = layout - &chosen;
    return places < 0 ? -places : places;
  });
  return order;
}

} // namespace

Result<MemoryVariables> find_memory_variables(GoRuntime &runtime, const MemoryView &memory) {
  std::string problem;
  bool has_symbol = false;
  for (const GoImage *image : images_of(runtime)) {
    const SymbolPlaces symbols = places_by_symbol(*image);
    has_symbol |= symbols.heap.value != 0;
    for (const MemoryLayout *layout : layouts_for(*image)) {
      VariableFinder finder(*layout, *image, symbols, runtime, memory);
      if (auto found = finder.find()) {
        if (layout->version != image->version)
          found->warnings.push_back(
              fmt::format("the memory statistics of {} are read as those of Go {}.{}, which fit what is in memory",
                          image->version_text.empty() ? "a Go of unknown version" : image->version_text,
                          layout->version.major, layout->version.minor));
        return std::move(*found);
      }
      if (problem.empty())
        problem = finder.problem();
    }
  }
  const GoVersion oldest = known_memory_layouts().front().version;
  const GoVersion newest = known_memory_layouts().back().version;
  const std::string known = fmt::format("Go {}.{} to {}.{}", oldest.major, oldest.minor, newest.major, newest.minor);
  if (has_symbol)
    return std::unexpected(Error(ErrorKind::unsupported,
                                 fmt::format("the memory statistics of {} cannot be read: none of the layouts known, "
                                             "those of {}, fits what is in memory ({})",
                                             runtime.version_text(), known, problem),
                                 "use a newer inspect"));
  return std::unexpected(Error(ErrorKind::not_found,
                               fmt::format("the Go runtime's heap was not found: there are no symbols, and nothing in "
                                           "the data is a heap as any of {} lays it out",
                                           known),
                               "if the program has only just started, try again"));
}

} // namespace inspect
