#include "golang/goroutines/unstopped_stacks.h"

#include "golang/goroutines/live_stacks.h"
#include "golang/runtime/goroutine_decoder.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <fmt/format.h>
#include <optional>

namespace inspect {
namespace {

using WindowClock = std::chrono::steady_clock;

/// A goroutine needs 100 nanoseconds and more to be parked, woken and parked again, and the count is one byte.
constexpr auto longest_window = std::chrono::microseconds(10);
constexpr std::size_t read_together = 4;
/// Larger stacks are read alone: they alone take long.
constexpr std::uint64_t small_stack = 16 << 10;
constexpr int max_looks = 6;

/// What says that a goroutine is where it was.
struct ParkedState {
  std::uint64_t id = 0;
  GoroutineStatus status{};
  std::uint8_t tracking_sequence = 0;
  RunRange stack;
  RunAddress pc;
  RunAddress sp;
  RunAddress syscall_pc;
  RunAddress syscall_sp;
  RunAddress m;

  explicit ParkedState(const Goroutine &goroutine)
      : id(goroutine.id), status(goroutine.status), tracking_sequence(goroutine.tracking_sequence),
        stack(goroutine.stack), pc(goroutine.pc), sp(goroutine.sp), syscall_pc(goroutine.syscall_pc),
        syscall_sp(goroutine.syscall_sp), m(goroutine.m) {}
  bool operator==(const ParkedState &) const = default;
};

struct Candidate {
  std::size_t goroutine = 0; ///< its index
  RunRange range;            ///< of its stack, as it is being read
  std::byte *bytes = nullptr;
  std::uint64_t capacity = 0;       ///< of `bytes`
  std::optional<ParkedState> first; ///< `bytes` hold a first copy, of then
};

struct Accepted {
  UnstoppedStack stack;
  std::size_t goroutine = 0;
};

class UnstoppedStackCopy {
public:
  UnstoppedStackCopy(const UnstoppedStacksRequest &request, std::span<Goroutine> goroutines)
      : request_(request), goroutines_(goroutines), structure_bytes_(static_cast<std::size_t>(request.layout.g.size)),
        structures_(read_together * 2 * structure_bytes_) {}

  UnstoppedStacks run(std::vector<std::string> &warnings);

private:
  std::vector<Candidate> candidates();
  std::vector<Candidate> look(std::vector<Candidate> now);
  std::span<std::byte> structure(std::size_t number) {
    return std::span(structures_).subspan(number * structure_bytes_, structure_bytes_);
  }
  bool prepare(Candidate &candidate);
  void read_batch(std::span<Candidate> batch, std::vector<Candidate> &again);
  bool judge(Candidate &candidate, std::size_t place, std::span<const MemoryRead> reads, bool quick,
             std::span<const std::byte> second);
  std::vector<UnstoppedStack> without_conflicts();
  const HeldStack *held_in(RunRange stack) const;

  const UnstoppedStacksRequest &request_;
  std::span<Goroutine> goroutines_;
  std::size_t structure_bytes_;
  std::vector<std::byte> structures_;
  std::vector<std::byte> second_copies_;
  std::vector<Accepted> accepted_; ///< in the order in which they were read
  std::uint64_t taken_ = 0;
  std::unordered_set<RunAddress> unknown_;
  std::size_t without_room_ = 0;
  std::size_t cut_ = 0;
};

const HeldStack *UnstoppedStackCopy::held_in(RunRange stack) const {
  const auto found =
      std::ranges::lower_bound(request_.held, stack.end, {}, [](const HeldStack &one) { return one.range.begin; });
  if (found == request_.held.begin() || std::prev(found)->range.end <= stack.begin)
    return nullptr;
  return &*std::prev(found);
}

/// Whether the goroutine's record alone says where its own code stands.
bool is_parked_or_in_call(const Goroutine &goroutine) {
  switch (goroutine.status) {
  case GoroutineStatus::runnable:
  case GoroutineStatus::waiting:
  case GoroutineStatus::preempted:
  case GoroutineStatus::leaked:
  case GoroutineStatus::in_syscall:
    return true;
  default:
    return false;
  }
}

std::vector<Candidate> UnstoppedStackCopy::candidates() {
  std::vector<Candidate> all;
  all.reserve(goroutines_.size());
  for (std::size_t i = 0; i < goroutines_.size(); ++i) {
    if (goroutines_[i].status == GoroutineStatus::running)
      continue;
    Candidate &one = all.emplace_back();
    one.goroutine = i;
  }
  // As they lie in memory.
  std::ranges::sort(all, {}, [&](const Candidate &one) { return goroutines_[one.goroutine].stack.begin; });
  return all;
}

/// Where its stack is now, and room for it; false: there is none to read.
bool UnstoppedStackCopy::prepare(Candidate &candidate) {
  Goroutine &goroutine = goroutines_[candidate.goroutine];
  if (!is_parked_or_in_call(goroutine)) {
    if (is_live(goroutine.status))
      unknown_.insert(goroutine.address);
    return false;
  }
  // What a sleeping thread has on this stack was copied with that thread. The goroutine's own it is only if it is in a
  // call of this thread.
  if (const HeldStack *held = held_in(goroutine.stack)) {
    if (goroutine.status != GoroutineStatus::in_syscall || !held->slept_since_list)
      unknown_.insert(goroutine.address);
    return false;
  }
  const LiveStack live = live_stack(goroutine, ThreadStackPointers({}));
  if (live.range.size() == 0)
    return false; // the walk says what is wrong with it
  if (live.range.begin != candidate.range.begin || live.range.end != candidate.range.end)
    candidate.first.reset();
  candidate.range = live.range;
  if (candidate.capacity >= live.range.size())
    return true;
  const bool fits = taken_ + live.range.size() <= request_.limit_bytes;
  candidate.bytes = fits ? request_.room(live.range.size()) : nullptr;
  candidate.capacity = candidate.bytes != nullptr ? live.range.size() : 0;
  candidate.first.reset();
  if (candidate.bytes == nullptr) {
    ++without_room_;
    unknown_.insert(goroutine.address);
    return false;
  }
  taken_ += live.range.size();
  cut_ += live.cut;
  return true;
}

std::vector<Candidate> UnstoppedStackCopy::look(std::vector<Candidate> now) {
  std::vector<Candidate> again;
  std::vector<Candidate> batch;
  batch.reserve(read_together);
  for (Candidate &candidate : now) {
    if (!prepare(candidate))
      continue;
    const bool large = candidate.range.size() > small_stack;
    if (large && !batch.empty()) {
      read_batch(batch, again);
      batch.clear();
    }
    batch.push_back(candidate);
    if (large || batch.size() == read_together) {
      read_batch(batch, again);
      batch.clear();
    }
  }
  if (!batch.empty())
    read_batch(batch, again);
  return again;
}

void UnstoppedStackCopy::read_batch(std::span<Candidate> batch, std::vector<Candidate> &again) {
  std::array<MemoryRead, 3 * read_together> reads;
  std::uint64_t second_bytes = 0;
  for (const Candidate &one : batch)
    second_bytes += one.first ? one.range.size() : 0;
  if (second_copies_.size() < second_bytes)
    second_copies_.resize(second_bytes);
  std::uint64_t used = 0;
  std::array<std::span<std::byte>, read_together> seconds;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const RunAddress g = goroutines_[batch[i].goroutine].address;
    std::span<std::byte> into(batch[i].bytes, batch[i].range.size());
    if (batch[i].first) {
      into = seconds[i] = std::span(second_copies_).subspan(used, batch[i].range.size());
      used += into.size();
    }
    reads[3 * i] = {g, structure(2 * i)};
    reads[3 * i + 1] = {batch[i].range.begin, into};
    reads[3 * i + 2] = {g, structure(2 * i + 1)};
  }
  const auto begin = WindowClock::now();
  request_.memory.read_many(std::span(reads).first(3 * batch.size()));
  const bool quick = WindowClock::now() - begin <= longest_window;
  for (std::size_t i = 0; i < batch.size(); ++i)
    if (!judge(batch[i], i, std::span(reads).subspan(3 * i, 3), quick, seconds[i]))
      again.push_back(batch[i]);
}

/// False: it is to be read again. `second` is a copy besides the first, or empty.
bool UnstoppedStackCopy::judge(Candidate &candidate, std::size_t place, std::span<const MemoryRead> reads, bool quick,
                               std::span<const std::byte> second) {
  Goroutine &goroutine = goroutines_[candidate.goroutine];
  const bool all_read = std::ranges::all_of(reads, &MemoryRead::done);
  if (!reads[0].done || !reads[2].done) {
    candidate.first.reset();
    return false;
  }
  const Goroutine before = decode_goroutine(request_.layout, goroutine.address, structure(2 * place));
  const Goroutine after = decode_goroutine(request_.layout, goroutine.address, structure(2 * place + 1));
  const ParkedState state(before);
  const bool as_listed = state == ParkedState(goroutine);
  goroutine = after;
  if (!all_read || !as_listed || state != ParkedState(after)) {
    candidate.first.reset();
    return false;
  }
  const bool counts = request_.layout.g.tracking_sequence >= 0 && after.m.value == 0;
  const bool same_again = candidate.first && *candidate.first == state &&
                          std::memcmp(second.data(), candidate.bytes, candidate.range.size()) == 0;
  if (!(quick && counts) && !same_again) {
    if (candidate.first)
      std::memcpy(candidate.bytes, second.data(), second.size());
    candidate.first = state;
    return false;
  }
  if (candidate.first && !same_again) // the newer copy is the one that is known to be good
    std::memcpy(candidate.bytes, second.data(), second.size());
  accepted_.push_back({{candidate.range, candidate.bytes}, candidate.goroutine});
  return true;
}

/// A stack that was freed and given to another goroutine while we read counts for the one that was read later.
std::vector<UnstoppedStack> UnstoppedStackCopy::without_conflicts() {
  std::vector<std::size_t> order(accepted_.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  std::ranges::sort(order, {}, [&](std::size_t i) { return accepted_[i].stack.range.begin; });
  std::vector<std::size_t> kept;
  for (const std::size_t i : order) {
    if (kept.empty() || accepted_[kept.back()].stack.range.end <= accepted_[i].stack.range.begin) {
      kept.push_back(i);
      continue;
    }
    const auto [older, newer] = std::minmax(kept.back(), i);
    unknown_.insert(goroutines_[accepted_[older].goroutine].address);
    kept.back() = newer;
  }
  std::vector<UnstoppedStack> stacks;
  stacks.reserve(kept.size());
  for (const std::size_t i : kept)
    stacks.push_back(accepted_[i].stack);
  return stacks;
}

UnstoppedStacks UnstoppedStackCopy::run(std::vector<std::string> &warnings) {
  std::vector<Candidate> left = candidates();
  accepted_.reserve(left.size());
  for (int i = 0; i < max_looks && !left.empty(); ++i)
    left = look(std::move(left));
  for (const Candidate &one : left)
    unknown_.insert(goroutines_[one.goroutine].address);
  UnstoppedStacks all;
  all.stacks = without_conflicts();
  all.unknown = std::move(unknown_);
  if (without_room_ > 0)
    warnings.push_back(fmt::format("{} goroutine stacks were not copied, because all of them together exceed {} bytes "
                                   "or the memory that is left",
                                   without_room_, request_.limit_bytes));
  if (cut_ > 0)
    warnings.push_back(fmt::format("{} goroutine stacks are longer than {} MiB and were copied only so far", cut_,
                                   LiveStack::limit_bytes >> 20U));
  return all;
}

} // namespace

UnstoppedStacks copy_unstopped_stacks(const UnstoppedStacksRequest &request, std::span<Goroutine> goroutines,
                                      std::vector<std::string> &warnings) {
  return UnstoppedStackCopy(request, goroutines).run(warnings);
}

} // namespace inspect
