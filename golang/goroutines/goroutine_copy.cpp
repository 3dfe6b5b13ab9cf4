#include "golang/goroutines/goroutine_copy.h"

#include "golang/goroutines/goroutine_list.h"
#include "golang/goroutines/live_stacks.h"
#include "golang/runtime/goroutine_decoder.h"
#include "golang/runtime/m_list.h"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>
#include <limits>
#include <unordered_map>

namespace inspect {
namespace {

std::int64_t monotonic_nanoseconds() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

/// What one worker meets in one pass.
struct Findings {
  std::vector<RunRange> stacks; ///< of goroutines whose place in the order is not known
  std::vector<RunAddress> runtime_ms;
  std::vector<RunAddress> bubbles;
  std::size_t damaged = 0;
  std::size_t cut = 0;
  std::size_t unknown_status = 0;
};

/// Room for what is born between the preparation and the stop.
std::size_t with_slack(std::size_t count) {
  return count + count / 8 + 1024;
}

void keep_each_once(std::vector<RunAddress> &addresses) {
  std::ranges::sort(addresses);
  const auto repeated = std::ranges::unique(addresses);
  addresses.erase(repeated.begin(), repeated.end());
}

} // namespace

struct GoroutineCopy::State {
  State(GoRuntime &go_runtime, const MemoryView &target, Stacks which)
      : runtime(go_runtime), memory(target), wanted(which), list(go_runtime.layout(), target) {}

  GoRuntime &runtime;
  const MemoryView &memory;
  const Stacks wanted;
  GoroutineList list;
  RunAddress list_header;
  RunAddress m_list;
  bool prepared = false;

  std::vector<Goroutine> goroutines;   ///< by slot while copying; those without life are left out afterwards
  std::vector<std::uint32_t> ranks;    ///< by slot: the place of its stack among all stacks, ascending
  std::vector<RunRange> ranked_stacks; ///< by rank
  std::vector<Findings> findings;      ///< by worker
  MList runtime_ms;
  std::unordered_map<RunAddress, std::uint64_t> bubbles; ///< their numbers
  std::vector<RunAddress> c_stacks;
  std::unordered_set<RunAddress> ran_meanwhile;
  std::optional<std::vector<RunRange>> stacks_by_begin; ///< of goroutines and Ms; made when first asked for
  std::uint64_t expected_bytes = 0;
  bool compacted = false;
  std::int64_t now = 0;
  std::vector<std::string> warnings;

  void note(Findings &found, std::size_t slot, const Goroutine &goroutine, const ThreadStackPointers &threads);
  void pass(const ThreadStackPointers &threads);
  void rank_stacks();
  Findings sum_of_findings();
  void read_bubbles(std::span<const RunAddress> addresses);
  void warn(const Findings &found);
  void compact();
};

/// One goroutine: its record, and the live part of its stack.
void GoroutineCopy::State::note(Findings &found, std::size_t slot, const Goroutine &goroutine,
                                const ThreadStackPointers &threads) {
  const bool in_order = slot < ranks.size() && goroutines[slot].stack.begin == goroutine.stack.begin;
  goroutines[slot] = goroutine;
  if (!is_live(goroutine.status))
    return;
  if (!is_known_status(goroutine.status)) {
    ++found.unknown_status;
    return;
  }
  if (goroutine.m.value != 0)
    found.runtime_ms.push_back(goroutine.m);
  if (goroutine.bubble.value != 0)
    found.bubbles.push_back(goroutine.bubble);
  const bool is_wanted = wanted == Stacks::all || goroutine.m.value != 0;
  const LiveStack live = is_wanted ? live_stack(goroutine, threads) : LiveStack{};
  found.damaged += live.damaged;
  found.cut += live.cut;
  if (in_order)
    ranked_stacks[ranks[slot]] = live.range;
  else if (live.range.size() > 0)
    found.stacks.push_back(live.range);
}

void GoroutineCopy::State::pass(const ThreadStackPointers &threads) {
  goroutines.resize(list.slots());
  findings.assign(list.workers(), {});
  list.read([&](std::size_t worker, std::size_t slot, const Goroutine &goroutine) {
    note(findings[worker], slot, goroutine, threads);
  });
}

void GoroutineCopy::State::rank_stacks() {
  struct Place {
    std::uint64_t begin;
    std::uint32_t slot;
  };
  std::vector<Place> places;
  places.reserve(goroutines.size());
  for (std::size_t i = 0; i < goroutines.size(); ++i)
    places.push_back({goroutines[i].stack.begin.value, static_cast<std::uint32_t>(i)});
  std::ranges::sort(places, {}, &Place::begin);
  ranks.resize(places.size());
  for (std::size_t i = 0; i < places.size(); ++i)
    ranks[places[i].slot] = static_cast<std::uint32_t>(i);
  ranked_stacks.reserve(with_slack(places.size()));
  ranked_stacks.assign(places.size(), {});
}

Findings GoroutineCopy::State::sum_of_findings() {
  Findings sum;
  for (const Findings &one : findings) {
    sum.stacks.insert(sum.stacks.end(), one.stacks.begin(), one.stacks.end());
    sum.runtime_ms.insert(sum.runtime_ms.end(), one.runtime_ms.begin(), one.runtime_ms.end());
    sum.bubbles.insert(sum.bubbles.end(), one.bubbles.begin(), one.bubbles.end());
    sum.damaged += one.damaged;
    sum.cut += one.cut;
    sum.unknown_status += one.unknown_status;
  }
  return sum;
}

/// A test has one or a few at a time.
void GoroutineCopy::State::read_bubbles(std::span<const RunAddress> addresses) {
  constexpr std::size_t max_bubbles = 1024;
  const FieldOffset number = runtime.layout().bubble.id;
  bubbles.clear();
  if (number >= 0)
    for (const RunAddress bubble : addresses.first(std::min(addresses.size(), max_bubbles)))
      bubbles[bubble] = read_word(memory, bubble + static_cast<std::uint64_t>(number)).value_or(0);
}

void GoroutineCopy::State::warn(const Findings &found) {
  if (list.cut_from() > 0)
    warnings.push_back(fmt::format("the process lists {} goroutines; only the first {} are shown", list.cut_from(),
                                   GoroutineList::max_goroutines));
  if (list.unreadable() > 0)
    warnings.push_back(fmt::format("{} entries of the list of goroutines lead nowhere", list.unreadable()));
  if (found.unknown_status > 0)
    warnings.push_back(fmt::format("{} goroutines have a status that this version does not know; they are left out",
                                   found.unknown_status));
  if (found.damaged > 0)
    warnings.push_back(
        fmt::format("{} goroutines have no stack here: its bounds, or the stack pointer saved for it, are malformed",
                    found.damaged));
  if (found.cut > 0)
    warnings.push_back(fmt::format("{} goroutine stacks are longer than {} MiB and were copied only so far", found.cut,
                                   LiveStack::limit_bytes >> 20U));
  if (runtime_ms.unreadable > 0)
    warnings.emplace_back("an M of the runtime's list of threads cannot be read; those behind it are not known");
  if (runtime_ms.endless)
    warnings.emplace_back("the runtime's list of threads leads back into itself, or is too long");
}

void GoroutineCopy::State::compact() {
  if (std::exchange(compacted, true))
    return;
  std::erase_if(goroutines, [](const Goroutine &one) { return !is_live(one.status) || !is_known_status(one.status); });
}

GoroutineCopy::GoroutineCopy(GoRuntime &runtime, const MemoryView &memory, Stacks stacks)
    : state_(std::make_unique<State>(runtime, memory, stacks)) {}
GoroutineCopy::~GoroutineCopy() = default;

Result<void> GoroutineCopy::prepare() {
  State &state = *state_;
  auto header = state.runtime.goroutine_list();
  if (!header)
    return std::unexpected(header.error());
  state.list_header = *header;
  state.m_list = state.runtime.m_list();
  if (auto found = state.list.find(state.list_header); !found)
    return found;
  state.prepared = true;
  state.goroutines.reserve(with_slack(state.list.slots()));
  state.pass(ThreadStackPointers({}));
  state.expected_bytes = 0;
  for (const RunRange &one : state.sum_of_findings().stacks)
    state.expected_bytes += one.size();
  state.rank_stacks();
  return {};
}

std::uint64_t GoroutineCopy::expected_stack_bytes() const {
  return state_->expected_bytes;
}

std::vector<RunRange> GoroutineCopy::copy(std::span<const RunAddress> stack_pointers) {
  State &state = *state_;
  state.now = monotonic_nanoseconds();
  if (!state.prepared)
    if (auto prepared = prepare(); !prepared) {
      state.warnings.push_back(prepared.error().message());
      return {};
    }
  const ThreadStackPointers threads(stack_pointers);
  if (auto found = state.list.find(state.list_header)) {
    state.pass(threads);
  } else {
    state.warnings.push_back(found.error().message());
    state.goroutines.clear(); // what was read before the stop is not a picture of it
    state.findings.clear();
  }
  Findings found = state.sum_of_findings();
  keep_each_once(found.runtime_ms);
  keep_each_once(found.bubbles);
  state.read_bubbles(found.bubbles);
  state.runtime_ms = read_ms(state.runtime.layout(), state.memory, state.m_list, found.runtime_ms);
  MStacks of_ms;
  for (const GoM &runtime_m : state.runtime_ms.runtime_ms)
    add_m_stacks(runtime_m, threads, of_ms);
  state.c_stacks = std::move(of_ms.on_c_stacks);
  found.stacks.insert(found.stacks.end(), of_ms.ranges.begin(), of_ms.ranges.end());
  state.warn(found);
  return join_stacks(std::move(state.ranked_stacks), std::move(found.stacks));
}

std::optional<RunRange> GoroutineCopy::stack_at(RunAddress stack_pointer) const {
  State &state = *state_;
  if (!state.stacks_by_begin) {
    std::vector<RunRange> &all = state.stacks_by_begin.emplace();
    for (const Goroutine &goroutine : goroutines())
      all.push_back(goroutine.stack);
    for (const GoM &runtime_m : runtime_ms())
      for (const RunRange stack : {runtime_m.g0_stack, runtime_m.gsignal_stack})
        if (is_runtime_stack(stack))
          all.push_back(stack);
    std::ranges::sort(all);
  }
  const auto after = std::ranges::upper_bound(*state.stacks_by_begin, stack_pointer, {}, &RunRange::begin);
  if (after == state.stacks_by_begin->begin() || !std::prev(after)->contains(stack_pointer))
    return std::nullopt;
  return *std::prev(after);
}

std::vector<UnstoppedStack> GoroutineCopy::copy_running(std::span<const HeldStack> held, std::uint64_t limit_bytes,
                                                        const StackRoom &room) {
  State &state = *state_;
  state.compact();
  UnstoppedStacks copied = copy_unstopped_stacks({state.runtime.layout(), state.memory, held, limit_bytes, room},
                                                 state.goroutines, state.warnings);
  state.ran_meanwhile = std::move(copied.unknown);
  std::erase_if(state.goroutines, [](const Goroutine &one) { return !is_live(one.status); });
  return std::move(copied.stacks);
}

bool GoroutineCopy::ran_meanwhile(RunAddress goroutine) const {
  return state_->ran_meanwhile.contains(goroutine);
}

const std::vector<RunAddress> &GoroutineCopy::c_stack_pointers() const {
  return state_->c_stacks;
}
const std::vector<Goroutine> &GoroutineCopy::goroutines() const {
  state_->compact();
  return state_->goroutines;
}
std::vector<Goroutine> GoroutineCopy::take_goroutines() {
  state_->compact();
  return std::move(state_->goroutines);
}
const std::vector<GoM> &GoroutineCopy::runtime_ms() const {
  return state_->runtime_ms.runtime_ms;
}
std::uint64_t GoroutineCopy::bubble_number(RunAddress bubble) const {
  const auto found = state_->bubbles.find(bubble);
  return found != state_->bubbles.end() ? found->second : 0;
}
std::int64_t GoroutineCopy::now() const {
  return state_->now;
}
std::vector<std::string> GoroutineCopy::take_warnings() {
  return std::exchange(state_->warnings, {});
}

} // namespace inspect
