// Which mappings are stacks of which threads. In this order: the thread's stack pointer points into it; glibc's
// descriptor of the thread lies at its top; it looks like one, and there are threads of which no stack was found.
//
// Not every thread runs on a stack of its own: one that runs Go code is on a goroutine's stack in Go's heap, and
// coroutines have theirs wherever the program put them. Such memory keeps the kind that it has.
//
// Sources: glibc's nptl/allocatestack.c (guard and stack are one mmap, the descriptor at the top); man page
// pthread_attr_setguardsize(3).
#include "inspector/mappings/mapping_claims.h"
#include "inspector/mappings/thread_descriptor.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <map>

namespace inspect {
namespace {

constexpr std::uint64_t page_size = 4096;
constexpr std::uint64_t max_guard_size = 1ULL << 20;
constexpr std::uint64_t max_guessed_stack_size = 64ULL << 20;
/// How far up from a stack pointer a descriptor is looked for, and for all threads together.
constexpr std::size_t farthest_search = 8U << 20;
constexpr std::size_t max_words_searched = 64U << 20;
constexpr std::size_t max_tops = 16'384;

using Thread = ThreadStackPointer;

class StackFinder {
public:
  StackFinder(MappingClaims &claims, const MappingOwners &owners);
  void run();

private:
  struct Top {
    std::size_t index;
    std::optional<ThreadDescriptor> descriptor;
  };
  void place_by_stack_pointer();
  void claim_hit(std::size_t index, std::span<const std::size_t> threads);
  void claim_common(std::size_t index, std::span<const std::size_t> threads);
  std::optional<RunAddress> stack_top(std::size_t index, const Thread &thread);
  std::optional<RunAddress> search_top(RunAddress from, RunAddress end);
  void place_by_descriptor();
  std::vector<Top> read_tops(std::span<const std::size_t> candidates) const;
  void guess_by_shape();
  void claim_guards();
  void name_threads();
  bool has_guard_below(std::size_t index) const;
  bool may_be_stack(std::size_t index) const { return !claims_.claimed(index) && claims_.is_private_data(index); }
  const Thread *by_own_id(pid_t id) const;
  void give(ClassifiedMapping &row, const Thread &thread);

  MappingClaims &claims_;
  std::span<const Thread> threads_; ///< ascending
  const MemoryView *memory_;
  std::map<pid_t, std::size_t> by_own_id_;
  std::vector<bool> placed_;
  std::size_t searched_ = 0;
};

StackFinder::StackFinder(MappingClaims &claims, const MappingOwners &owners)
    : claims_(claims), threads_(owners.threads), memory_(owners.memory), placed_(owners.threads.size(), false) {
  for (std::size_t i = 0; i < threads_.size(); ++i)
    by_own_id_.emplace(threads_[i].id_in_namespace, i);
}

const Thread *StackFinder::by_own_id(pid_t id) const {
  const auto found = by_own_id_.find(id);
  return found == by_own_id_.end() ? nullptr : &threads_[found->second];
}

void StackFinder::give(ClassifiedMapping &row, const Thread &thread) {
  row.thread = thread.thread;
  row.thread_name = thread.name;
  placed_[static_cast<std::size_t>(&thread - threads_.data())] = true;
}

bool StackFinder::has_guard_below(std::size_t index) const {
  return claims_.adjoins_previous(index) && claims_.is_private_reserve(index - 1) && !claims_.claimed(index - 1) &&
         claims_.mapping(index - 1).range.size() <= max_guard_size;
}

/// Upwards, for below there may be much that was never touched.
std::optional<RunAddress> StackFinder::search_top(RunAddress from, RunAddress end) {
  constexpr std::size_t step = 64U << 10;
  std::vector<std::byte> bytes;
  RunAddress at{from.value / page_size * page_size};
  end = std::min(end, at + farthest_search);
  while (at < end && searched_ < max_words_searched) {
    bytes.resize(std::min<std::uint64_t>(step, end - at));
    searched_ += bytes.size();
    if (!memory_->read(at, bytes))
      return std::nullopt;
    if (const auto found = find_thread_descriptor(at, bytes); found && found->address > from)
      return RunAddress{(found->address.value / page_size + 1) * page_size};
    if (bytes.size() < step)
      break;
    at = at + (step - page_size); // one may lie across the end of a step
  }
  return std::nullopt;
}

/// Memory that was mapped right above a stack and has its rights is one mapping with it, so that the mapping's end is
/// not always the stack's.
std::optional<RunAddress> StackFinder::stack_top(std::size_t index, const Thread &thread) {
  const RunAddress end = claims_.mapping(index).range.end;
  if (memory_ == nullptr)
    return std::nullopt;
  const std::size_t only[] = {index};
  const auto top = read_tops(only).front().descriptor;
  if (top && top->thread == thread.id_in_namespace)
    return end;
  return search_top(*thread.stack_pointer, end);
}

void StackFinder::claim_hit(std::size_t index, std::span<const std::size_t> threads) {
  if (threads.size() > 1)
    return claim_common(index, threads);
  const Thread &thread = threads_[threads.front()];
  const RunRange range = claims_.mapping(index).range;
  const auto top = stack_top(index, thread);
  if (top && *top - range.begin < range.end - *top) {
    claims_.row(index).note = fmt::format("with the stack of thread {} {}, {} kB deep", thread.thread, thread.name,
                                          (*top - *thread.stack_pointer) / 1024);
    return;
  }
  ClassifiedMapping &row = claims_.claim(index, MappingKind::thread_stack);
  give(row, thread);
  row.depth = top.value_or(range.end) - *thread.stack_pointer;
}

/// Stacks without guards are one mapping where they adjoin each other.
void StackFinder::claim_common(std::size_t index, std::span<const std::size_t> threads) {
  constexpr std::size_t max_named = 4;
  ClassifiedMapping &row = claims_.claim(index, MappingKind::thread_stack);
  row.note = fmt::format("stacks of {} threads:", threads.size());
  for (std::size_t i = 0; i < threads.size() && i < max_named; ++i) {
    const Thread &thread = threads_[threads[i]];
    row.note += fmt::format("{} {} {}", i > 0 ? "," : "", thread.thread, thread.name);
    if (const auto top =
            memory_ != nullptr ? search_top(*thread.stack_pointer, claims_.mapping(index).range.end) : std::nullopt)
      row.note += fmt::format(" ({} kB deep)", (*top - *thread.stack_pointer) / 1024);
  }
  if (threads.size() > max_named)
    row.note += ", …";
}

void StackFinder::place_by_stack_pointer() {
  std::map<std::size_t, std::vector<std::size_t>> hits; // mapping to threads
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if (!threads_[i].stack_pointer)
      continue;
    const std::size_t index = claims_.find(*threads_[i].stack_pointer);
    if (index == claims_.size())
      continue;
    placed_[i] = true;
    if (may_be_stack(index)) {
      hits[index].push_back(i);
      continue;
    }
    ClassifiedMapping &row = claims_.row(index);
    if (!claims_.claimed(index) || row.kind != MappingKind::thread_stack)
      continue;
    // The kernel has named it: the first thread's own, which others may use, too, or one of a certain thread.
    if (row.thread == 0)
      give(row, threads_[i]);
    if (row.thread == threads_[i].thread || row.thread == threads_[i].id_in_namespace) {
      give(row, threads_[i]);
      row.depth = row.usage.mapping.range.end - *threads_[i].stack_pointer;
    }
  }
  for (const auto &[index, threads] : hits)
    claim_hit(index, threads);
}

std::vector<StackFinder::Top> StackFinder::read_tops(std::span<const std::size_t> candidates) const {
  constexpr std::size_t batch = 256;
  std::vector<Top> tops;
  tops.reserve(candidates.size());
  std::vector<std::byte> bytes(std::min(batch, candidates.size()) * page_size);
  for (std::size_t begin = 0; begin < candidates.size(); begin += batch) {
    const auto part = candidates.subspan(begin, std::min(batch, candidates.size() - begin));
    std::vector<MemoryRead> reads;
    for (std::size_t i = 0; i < part.size(); ++i)
      reads.push_back(
          {claims_.mapping(part[i]).range.end - page_size, std::span(bytes).subspan(i * page_size, page_size)});
    memory_->read_many(reads);
    for (std::size_t i = 0; i < part.size(); ++i)
      tops.push_back({part[i], reads[i].done ? find_thread_descriptor(reads[i].address, reads[i].into) : std::nullopt});
  }
  return tops;
}

void StackFinder::place_by_descriptor() {
  std::vector<std::size_t> candidates;
  for (std::size_t i = 1; i < claims_.size() && candidates.size() < max_tops; ++i)
    if (may_be_stack(i) && claims_.mapping(i).range.size() >= page_size && has_guard_below(i))
      candidates.push_back(i);
  for (const Top &top : read_tops(candidates)) {
    if (!top.descriptor)
      continue;
    ClassifiedMapping &row = claims_.claim(top.index, MappingKind::thread_stack);
    if (top.descriptor->thread == 0)
      row.note = "of a thread that has ended, kept for the next one";
    else if (const Thread *thread = by_own_id(top.descriptor->thread))
      give(row, *thread);
  }
}

/// Sizes that people and C libraries choose: a power of two, with or without the guard in it, or a multiple of a
/// megabyte.
bool is_typical_size(std::uint64_t stack, std::uint64_t guard) {
  const auto typical = [](std::uint64_t size) { return std::has_single_bit(size) || size % (1U << 20) == 0; };
  return stack >= 4 * page_size && stack <= max_guessed_stack_size && (typical(stack) || typical(stack + guard));
}

void StackFinder::guess_by_shape() {
  auto missing = std::ranges::count(placed_, false);
  for (std::size_t i = 1; i < claims_.size() && missing > 0; ++i) {
    if (!may_be_stack(i) || claims_.mapping(i).executable || !has_guard_below(i) ||
        !is_typical_size(claims_.mapping(i).range.size(), claims_.mapping(i - 1).range.size()))
      continue;
    claims_.claim(i, MappingKind::thread_stack).guessed = true;
    --missing;
  }
}

void StackFinder::claim_guards() {
  for (std::size_t i = 1; i < claims_.size(); ++i) {
    const ClassifiedMapping stack = claims_.row(i);
    if (!claims_.claimed(i) || stack.kind != MappingKind::thread_stack)
      continue;
    // A stack that was used before with a smaller guard has its guard in two pieces.
    std::uint64_t size = 0;
    for (std::size_t at = i; has_guard_below(at); --at) {
      size += claims_.mapping(at - 1).range.size();
      if (size > max_guard_size)
        break;
      ClassifiedMapping &guard = claims_.claim(at - 1, MappingKind::guard);
      guard.thread = stack.thread;
      guard.thread_name = stack.thread_name;
      guard.guessed = stack.guessed;
    }
  }
}

/// Those of stacks that the kernel has named.
void StackFinder::name_threads() {
  for (std::size_t i = 0; i < claims_.size(); ++i) {
    ClassifiedMapping &row = claims_.row(i);
    if (!claims_.claimed(i) || row.kind != MappingKind::thread_stack || row.thread == 0 || !row.thread_name.empty())
      continue;
    const auto thread = std::ranges::find(threads_, row.thread, &Thread::thread);
    if (const Thread *known = thread != threads_.end() ? &*thread : by_own_id(row.thread))
      give(row, *known);
  }
}

void StackFinder::run() {
  place_by_stack_pointer();
  name_threads();
  if (memory_ != nullptr)
    place_by_descriptor();
  guess_by_shape();
  claim_guards();
}

} // namespace

void claim_thread_stacks(MappingClaims &claims, const MappingOwners &owners) {
  StackFinder(claims, owners).run();
}

} // namespace inspect
