#include "inspector/stacks/stack_report.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <tuple>
#include <unordered_map>

namespace inspect {
namespace {

/// Texts are pooled, so equal texts have equal pointers and need no comparison of characters.
auto identity(const ReportFrame &frame) {
  return std::make_tuple(frame.function.data(), frame.file.data(), frame.line, frame.module.data(), frame.inlined,
                         frame.guessed, frame.signal, frame.function.empty() ? frame.pc.value : 0);
}

bool same_stack(const ThreadReport &left, const ThreadReport &right) {
  return left.end == right.end && left.state == right.state &&
         std::ranges::equal(left.frames, right.frames,
                            [](const ReportFrame &a, const ReportFrame &b) { return identity(a) == identity(b); });
}

std::size_t hash_of(const ThreadReport &thread) {
  std::size_t hash = static_cast<unsigned char>(thread.state);
  for (const ReportFrame &frame : thread.frames) {
    const std::size_t one = std::hash<const void *>{}(frame.function.data()) + static_cast<std::size_t>(frame.line);
    hash ^= one + 0x9e3779b97f4a7c15ULL + (hash << 6) + (hash >> 2);
  }
  return hash;
}

/// Lower comes first. A thread on the CPU, or stuck in the kernel, is where to look first; one that waits is rarely the
/// cause.
int rank(const ThreadReport &thread) {
  switch (thread.state) {
  case 'R':
    return 0;
  case 'D':
    return 1;
  case 'S':
  case 'I':
    return 3;
  default:
    return 2;
  }
}

} // namespace

std::vector<ThreadGroup> group_threads(const ProcessReport &report) {
  std::vector<ThreadGroup> groups;
  std::unordered_multimap<std::size_t, std::size_t> by_hash; // to the index in `groups`
  for (std::size_t i = 0; i < report.threads.size(); ++i) {
    const std::size_t hash = hash_of(report.threads[i]);
    const auto [begin, end] = by_hash.equal_range(hash);
    const auto found = std::find_if(begin, end, [&](const auto &entry) {
      return same_stack(report.threads[groups[entry.second].members.front()], report.threads[i]);
    });
    if (found != end) {
      groups[found->second].members.push_back(i);
      continue;
    }
    by_hash.emplace(hash, groups.size());
    groups.push_back({{i}});
  }
  std::ranges::stable_sort(groups, {}, [&](const ThreadGroup &group) {
    const ThreadReport &first = report.threads[group.members.front()];
    return std::make_tuple(rank(first), group.members.size(), first.thread);
  });
  return groups;
}

} // namespace inspect
