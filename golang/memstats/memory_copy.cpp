#include "golang/memstats/memory_copy.h"

#include "golang/runtime/structure_fields.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

Error unreadable(std::string_view what) {
  return {ErrorKind::unreadable, fmt::format("the Go runtime's {} cannot be read", what)};
}

class MemoryCopier {
public:
  MemoryCopier(const MemoryVariables &variables, const MemoryView &memory)
      : variables_(variables), layout_(*variables.layout), memory_(memory) {}

  Result<MemoryCopy> copy() {
    if (auto done = copy_variables(); !done)
      return std::unexpected(done.error());
    if (auto done = copy_processors(); !done)
      return std::unexpected(done.error());
    copy_caches();
    copy_spans();
    return std::move(copy_);
  }

private:
  Result<void> copy_variables();
  Result<void> copy_processors();
  void copy_caches();
  void copy_spans();
  /// Reads all, and empties those that did not arrive.
  void read(std::span<std::vector<std::byte> *const> into, std::span<const RunAddress> from);

  const MemoryVariables &variables_;
  const MemoryLayout &layout_;
  const MemoryView &memory_;
  std::array<std::uint64_t, 3> processor_slice_{};
  MemoryCopy copy_;
};

void MemoryCopier::read(std::span<std::vector<std::byte> *const> into, std::span<const RunAddress> from) {
  std::vector<MemoryRead> reads;
  for (std::size_t i = 0; i < into.size(); ++i)
    reads.push_back({from[i], *into[i]});
  memory_.read_many(reads);
  for (std::size_t i = 0; i < into.size(); ++i)
    if (!reads[i].done) {
      into[i]->clear();
      ++copy_.unreadable;
    }
}

Result<void> MemoryCopier::copy_variables() {
  std::array<std::uint64_t, 3> goroutine_slice{};
  std::int32_t gc_percent = 0;
  copy_.heap.resize(static_cast<std::size_t>(layout_.heap.size));
  copy_.stats.resize(static_cast<std::size_t>(layout_.stats.size));
  copy_.controller.resize(static_cast<std::size_t>(layout_.controller.size));
  copy_.scheduler.resize(static_cast<std::size_t>(layout_.scheduler.size));
  std::array reads{MemoryRead{variables_.heap, copy_.heap},
                   MemoryRead{variables_.stats, copy_.stats},
                   MemoryRead{variables_.processors, std::as_writable_bytes(std::span(processor_slice_))},
                   MemoryRead{variables_.controller, copy_.controller},
                   MemoryRead{variables_.scheduler, copy_.scheduler},
                   MemoryRead{variables_.goroutines, std::as_writable_bytes(std::span(goroutine_slice))},
                   MemoryRead{variables_.gc_percent, std::as_writable_bytes(std::span(&gc_percent, 1))}};
  // Those that were not found have the address 0, where nothing can be read.
  memory_.read_many(reads);
  constexpr std::array needed{"heap", "counters of memory", "list of Ps"};
  for (std::size_t i = 0; i < needed.size(); ++i)
    if (!reads[i].done)
      return std::unexpected(unreadable(needed[i]));
  if (!reads[3].done || variables_.controller.value == 0)
    copy_.controller.clear();
  if (!reads[4].done || variables_.scheduler.value == 0)
    copy_.scheduler.clear();
  if (reads[5].done && variables_.goroutines.value != 0)
    copy_.goroutines = goroutine_slice[1];
  if (reads[6].done && variables_.gc_percent.value != 0)
    copy_.gc_percent = gc_percent;
  return {};
}

Result<void> MemoryCopier::copy_processors() {
  if (processor_slice_[1] > max_processors)
    return std::unexpected(
        Error(ErrorKind::corrupt, fmt::format("the Go runtime's list of Ps claims to have {}", processor_slice_[1])));
  std::vector<RunAddress> from(static_cast<std::size_t>(processor_slice_[1]));
  if (!from.empty() && !memory_.read({processor_slice_[0]}, std::as_writable_bytes(std::span(from))))
    return std::unexpected(unreadable("list of Ps"));
  copy_.processors.resize(from.size());
  const std::int32_t needed = std::max(layout_.processor.cache, layout_.processor.free_goroutines) + 8;
  std::vector<std::vector<std::byte> *> into;
  for (CopiedProcessor &processor : copy_.processors) {
    processor.bytes.resize(static_cast<std::size_t>(needed));
    into.push_back(&processor.bytes);
  }
  read(into, from);
  return {};
}

void MemoryCopier::copy_caches() {
  std::vector<std::vector<std::byte> *> into;
  std::vector<RunAddress> from;
  for (CopiedProcessor &processor : copy_.processors) {
    const RunAddress cache = StructureFields(processor.bytes).address(layout_.processor.cache);
    if (cache.value == 0)
      continue;
    processor.cache.resize(static_cast<std::size_t>(layout_.cache.size));
    into.push_back(&processor.cache);
    from.push_back(cache);
  }
  read(into, from);
}

void MemoryCopier::copy_spans() {
  std::vector<RunAddress> from;
  for (CopiedProcessor &processor : copy_.processors) {
    const StructureFields cache(processor.cache);
    for (std::int32_t i = 0; i < layout_.cache.span_count; ++i) {
      const RunAddress span = cache.address(layout_.cache.spans + i * 8);
      // Most point to emptymspan, a variable, which stands for none.
      if (span.value == 0 || variables_.image->module->contains(span))
        continue;
      processor.spans.push_back({static_cast<std::size_t>(i), {}});
      from.push_back(span);
    }
  }
  std::vector<std::vector<std::byte> *> into;
  for (CopiedProcessor &processor : copy_.processors)
    for (CopiedSpan &span : processor.spans) {
      span.bytes.resize(static_cast<std::size_t>(layout_.span.size));
      into.push_back(&span.bytes);
    }
  read(into, from);
}

} // namespace

Result<MemoryCopy> copy_memory_structures(const MemoryVariables &variables, const MemoryView &memory) {
  return MemoryCopier(variables, memory).copy();
}

} // namespace inspect
