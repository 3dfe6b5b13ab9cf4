#include "inspector/stacks/goroutine_report.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <tuple>
#include <unordered_map>

namespace inspect {
namespace {

std::size_t mixed(std::size_t hash, std::size_t value) {
  return hash ^ (value + 0x9e3779b97f4a7c15ULL + (hash << 6U) + (hash >> 2U));
}

/// Texts are pooled, so equal texts have equal pointers and need no comparison of characters.
auto line_of(const ReportFrame &frame) {
  return std::make_tuple(frame.function.data(), frame.file.data(), frame.line, frame.module.data(), frame.inlined,
                         frame.guessed, frame.signal, frame.function.empty() ? frame.pc.value : 0);
}

struct SameLines {
  static std::size_t hash(const GoroutineStack &stack) {
    std::size_t hash = static_cast<std::size_t>(stack.end);
    for (const ReportFrame &frame : stack.frames) {
      hash = mixed(hash, std::hash<const void *>{}(frame.function.data()));
      hash = mixed(hash, static_cast<std::size_t>(frame.line));
    }
    return hash;
  }
  static bool equal(const GoroutineStack &left, const GoroutineStack &right) {
    return left.end == right.end && std::ranges::equal(left.frames, right.frames, {}, line_of, line_of);
  }
};

struct SameSite {
  static auto identity(const CreationSite &site) {
    return std::make_tuple(site.function.data(), site.file.data(), site.line);
  }
  static std::size_t hash(const CreationSite &site) {
    return mixed(std::hash<const void *>{}(site.function.data()), static_cast<std::size_t>(site.line));
  }
  static bool equal(const CreationSite &left, const CreationSite &right) { return identity(left) == identity(right); }
};

/// For each element the index of the first that is like it.
template <typename Likeness, typename Element>
std::vector<std::uint32_t> firsts_alike(const std::vector<Element> &elements) {
  std::vector<std::uint32_t> firsts(elements.size());
  const auto hash = [&](std::uint32_t index) { return Likeness::hash(elements[index]); };
  const auto equal = [&](std::uint32_t left, std::uint32_t right) {
    return Likeness::equal(elements[left], elements[right]);
  };
  std::unordered_map<std::uint32_t, std::uint32_t, decltype(hash), decltype(equal)> known(16, hash, equal);
  for (std::uint32_t i = 0; i < elements.size(); ++i)
    firsts[i] = known.try_emplace(i, i).first->second;
  return firsts;
}

struct GroupKey {
  std::uint32_t stack = 0;
  std::uint32_t creation = 0;
  GoroutineStatus status = GoroutineStatus::idle;
  bool system = false;
  std::string_view wait_reason;

  bool operator==(const GroupKey &) const = default;
};

struct GroupKeyHash {
  std::size_t operator()(const GroupKey &key) const {
    const std::size_t state = static_cast<std::size_t>(key.status) * 2 + (key.system ? 1 : 0);
    return mixed(mixed(mixed(std::hash<std::string_view>{}(key.wait_reason), key.stack), key.creation), state);
  }
};

/// -1 where it is not known: after all that are.
std::int64_t wait_of(const GoroutineReport &goroutine) {
  return goroutine.wait_minutes().value_or(-1);
}

void order_by_wait(const GoReport &report, GoroutineGroup &group) {
  const auto wait = [&](std::uint32_t member) { return wait_of(report.goroutines[member]); };
  if (!std::ranges::is_sorted(group.members, std::greater{}, wait))
    std::ranges::stable_sort(group.members, std::greater{}, wait);
  group.longest_wait_minutes = report.goroutines[group.members.front()].wait_minutes();
  const auto last_known =
      std::ranges::partition_point(group.members, [&](std::uint32_t member) { return wait(member) >= 0; });
  if (last_known != group.members.begin())
    group.shortest_wait_minutes = report.goroutines[*std::prev(last_known)].wait_minutes();
}

/// Lower comes first: what uses the processors is where to look first.
int rank(const GoroutineReport &goroutine) {
  if (goroutine.system)
    return 4;
  switch (goroutine.status) {
  case GoroutineStatus::running:
    return 0;
  case GoroutineStatus::runnable:
  case GoroutineStatus::preempted:
  case GoroutineStatus::copying_stack:
    return 1;
  case GoroutineStatus::leaked:
    return 2;
  default:
    return 3;
  }
}

} // namespace

std::vector<GoroutineGroup> group_goroutines(const GoReport &report) {
  const std::vector<std::uint32_t> stacks = firsts_alike<SameLines>(report.stacks);
  const std::vector<std::uint32_t> creations = firsts_alike<SameSite>(report.creations);
  std::vector<GoroutineGroup> groups;
  std::unordered_map<GroupKey, std::size_t, GroupKeyHash> known; // to the index in `groups`
  for (std::uint32_t i = 0; i < report.goroutines.size(); ++i) {
    const GoroutineReport &goroutine = report.goroutines[i];
    const GroupKey key{stacks[goroutine.stack], creations[goroutine.creation], goroutine.status, goroutine.system,
                       goroutine.wait_reason};
    const auto [entry, is_new] = known.try_emplace(key, groups.size());
    if (is_new)
      groups.emplace_back();
    groups[entry->second].members.push_back(i);
  }
  for (GoroutineGroup &group : groups)
    order_by_wait(report, group);
  std::ranges::stable_sort(groups, {}, [&](const GoroutineGroup &group) {
    const GoroutineReport &first = report.goroutines[group.members.front()];
    return std::make_tuple(rank(first), -wait_of(first), -static_cast<std::int64_t>(group.members.size()), first.id);
  });
  return groups;
}

} // namespace inspect
