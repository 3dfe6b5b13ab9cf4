#include "inspector/explain/traceback_groups.h"

#include <algorithm>
#include <fmt/format.h>
#include <tuple>

namespace inspect {
namespace {

/// What makes goroutines alike, as one text.
std::string likeness(const TracebackGoroutine &goroutine) {
  std::string key = fmt::format("{}\n{}\n{}\n{}\n", goroutine.status, goroutine.frames_elided,
                                goroutine.stack_unavailable, goroutine.ancestor_of.has_value());
  const auto add = [&](const TracebackFrame &frame) {
    key += fmt::format("{}\t{}:{}\t{}\n", frame.function, frame.file, frame.line, frame.has_arguments);
  };
  for (const TracebackFrame &frame : goroutine.frames)
    add(frame);
  key += "created by\n";
  if (goroutine.created_by)
    add(*goroutine.created_by);
  return key;
}

int liveliness(const TracebackGoroutine &goroutine) {
  if (goroutine.ancestor_of)
    return 5;
  if (goroutine.id == 0) // a thread's own stack
    return 4;
  if (goroutine.status.starts_with("running"))
    return 0;
  if (goroutine.status.starts_with("runnable"))
    return 1;
  return goroutine.status.starts_with("syscall") ? 2 : 3;
}

} // namespace

std::vector<TracebackGroup> group_traceback(const Traceback &traceback, std::optional<std::size_t> crashed,
                                            bool group) {
  std::vector<TracebackGroup> groups;
  const auto &goroutines = traceback.goroutines;
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < goroutines.size(); ++i) {
    const auto [entry, is_new] = group && i != crashed ? known.try_emplace(likeness(goroutines[i]), groups.size())
                                                       : std::pair(known.end(), true);
    if (is_new)
      groups.push_back({i});
    else
      groups[entry->second].push_back(i);
  }
  if (!group)
    return groups;
  const auto wait = [&](std::size_t i) { return goroutines[i].wait_minutes.value_or(0); };
  for (TracebackGroup &each : groups)
    std::ranges::stable_sort(each, std::greater{}, wait);
  std::ranges::stable_sort(groups, std::less{}, [&](const TracebackGroup &each) {
    const std::size_t first = each.front();
    return std::tuple(first != crashed, liveliness(goroutines[first]), -wait(first),
                      -static_cast<std::int64_t>(each.size()));
  });
  return groups;
}

FoldedWords fold_words(const Traceback &traceback, const TracebackGroup &group, std::size_t frame) {
  FoldedWords folded;
  const TracebackFrame &first = traceback.goroutines[group.front()].frames[frame];
  folded.words.assign(first.words.begin(), first.words.end());
  for (const std::size_t member : group) {
    const TracebackFrame &other = traceback.goroutines[member].frames[frame];
    folded.differ = folded.differ || other.words.size() != first.words.size();
    for (std::size_t i = 0; i < folded.words.size(); ++i)
      if (folded.words[i] && (i >= other.words.size() || other.words[i] != *folded.words[i])) {
        folded.words[i].reset();
        folded.differ = true;
      }
  }
  return folded;
}

} // namespace inspect
