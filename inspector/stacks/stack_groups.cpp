#include "inspector/stacks/stack_groups.h"

#include "inspector/stacks/stack_report.h"

namespace inspect {
namespace {

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

std::vector<StackGroup> group_threads(const ProcessReport &report) {
  std::vector<StackGroup> groups =
      group_by_identity(report.threads.size(), [&](std::size_t i) { return stack_identity(report.threads[i]); });
  std::ranges::stable_sort(groups, {}, [&](const StackGroup &group) {
    const ThreadReport &first = report.threads[group.members.front()];
    return std::tuple(rank(first), group.members.size(), first.thread);
  });
  return groups;
}

std::string GoReport::of_image(const GoroutineReport &goroutine) const {
  if (runtimes.size() < 2)
    return {};
  const std::string &image = runtimes[goroutine.runtime].image;
  return " of " + image.substr(image.rfind('/') + 1);
}

std::vector<StackGroup> group_goroutines(const GoReport &report) {
  // A million goroutines share a few stacks: each is hashed once.
  const std::vector<std::uint32_t> stacks = identity_classes(report.stacks.size(), [&](std::size_t i) {
    return std::tuple(report.stacks[i].end, FrameSequence(report.stacks[i].frames));
  });
  const std::vector<std::uint32_t> creations = identity_classes(report.creations.size(), [&](std::size_t i) {
    const CreationSite &site = report.creations[i];
    return std::tuple(site.function.data(), site.file.data(), site.line);
  });
  std::vector<StackGroup> groups = group_by_identity(report.goroutines.size(), [&](std::size_t i) {
    const GoroutineReport &goroutine = report.goroutines[i];
    return std::tuple(stacks[goroutine.stack], creations[goroutine.creation], goroutine.status, goroutine.system,
                      goroutine.wait_reason, goroutine.runtime);
  });
  order_by_wait(groups, [&](std::uint32_t member) { return report.goroutines[member].wait_minutes(); });
  std::ranges::stable_sort(groups, {}, [&](const StackGroup &group) {
    const GoroutineReport &first = report.goroutines[group.members.front()];
    return std::tuple(rank(first), -group.longest_wait_minutes.value_or(-1),
                      -static_cast<std::int64_t>(group.members.size()), first.id);
  });
  return groups;
}

} // namespace inspect
