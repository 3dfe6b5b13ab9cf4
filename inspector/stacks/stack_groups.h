// Stacks that are shown as one: which are equal, and what their arguments have in common. Reports of threads and
// goroutines and those of crash texts all group and fold with this; they differ in what an equal stack is, which is a
// value made of standard types, tuples and FrameSequence.
//
//     std::vector<StackGroup> groups = group_by_identity(threads.size(), [&](std::size_t i) {
//       return std::tuple(threads[i].state, FrameSequence(threads[i].frames));
//     });
//     FoldedValues<std::uint64_t> words;
//     for (const std::uint32_t member : groups.front().members)
//       words.add(words_of(member));
//     words.values();                              // nothing where they differ
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <span>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace inspect {

/// Frames as part of an identity: equal where frame_identity(const Frame &), which stands beside each type of frames,
/// gives equal values. The frames must outlive it.
template <typename Frame> class FrameSequence {
public:
  explicit FrameSequence(std::span<const Frame> frames) : frames_(frames) {}
  explicit FrameSequence(const std::vector<Frame> &frames) : frames_(frames) {}

  std::span<const Frame> frames() const { return frames_; }
  bool operator==(const FrameSequence &other) const {
    return std::ranges::equal(
        frames_, other.frames_, {}, [](const Frame &frame) { return frame_identity(frame); },
        [](const Frame &frame) { return frame_identity(frame); });
  }

private:
  std::span<const Frame> frames_;
};

struct IdentityHash {
  template <typename Value> std::size_t operator()(const Value &value) const { return std::hash<Value>{}(value); }
  template <typename... Parts> std::size_t operator()(const std::tuple<Parts...> &parts) const {
    std::size_t hash = 0;
    std::apply([&](const Parts &...part) { ((hash = mixed(hash, (*this)(part))), ...); }, parts);
    return hash;
  }
  template <typename Frame> std::size_t operator()(const FrameSequence<Frame> &sequence) const {
    std::size_t hash = 0;
    for (const Frame &frame : sequence.frames())
      hash = mixed(hash, (*this)(frame_identity(frame)));
    return hash;
  }

private:
  static std::size_t mixed(std::size_t hash, std::size_t value) {
    return hash ^ (value + 0x9e3779b97f4a7c15ULL + (hash << 6U) + (hash >> 2U));
  }
};

struct StackGroup {
  std::vector<std::uint32_t> members;                ///< indices, ascending, or the longest wait first
  std::optional<std::int64_t> longest_wait_minutes;  ///< nothing: not known of any
  std::optional<std::int64_t> shortest_wait_minutes; ///< nothing: not known of one
};

/// For each of `count` elements the number of its class, 0 for the first and those equal to it.
template <typename IdentityOf>
std::vector<std::uint32_t> identity_classes(std::size_t count, const IdentityOf &identity_of) {
  std::unordered_map<decltype(identity_of(std::size_t{0})), std::uint32_t, IdentityHash> known;
  std::vector<std::uint32_t> classes(count);
  for (std::size_t i = 0; i < count; ++i)
    classes[i] = known.try_emplace(identity_of(i), static_cast<std::uint32_t>(known.size())).first->second;
  return classes;
}

/// In the order of the groups' first members.
template <typename IdentityOf>
std::vector<StackGroup> group_by_identity(std::size_t count, const IdentityOf &identity_of) {
  std::vector<StackGroup> groups;
  const std::vector<std::uint32_t> classes = identity_classes(count, identity_of);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (classes[i] == groups.size())
      groups.emplace_back();
    groups[classes[i]].members.push_back(i);
  }
  return groups;
}

/// Each element as a group of its own.
inline std::vector<StackGroup> one_by_one(std::size_t count) {
  std::vector<StackGroup> groups(count);
  for (std::uint32_t i = 0; i < count; ++i)
    groups[i].members = {i};
  return groups;
}

/// Puts the longest wait of each group first, and what is not known last. `wait_minutes` takes an index, and gives an
/// optional number of minutes.
template <typename WaitMinutes> void order_by_wait(std::vector<StackGroup> &groups, const WaitMinutes &wait_minutes) {
  const auto wait = [&](std::uint32_t member) { return wait_minutes(member).value_or(-1); };
  for (StackGroup &group : groups) {
    if (!std::ranges::is_sorted(group.members, std::greater{}, wait))
      std::ranges::stable_sort(group.members, std::greater{}, wait);
    group.longest_wait_minutes = wait_minutes(group.members.front());
    group.shortest_wait_minutes = wait_minutes(group.members.back());
  }
}

/// What equal stacks have at the same place, added one stack after the other: what is equal for all is kept.
template <typename Value> class FoldedValues {
public:
  /// Nothing: they are not known of this one.
  void add(std::optional<std::span<const Value>> values) {
    if (!known_)
      return;
    if (!values) {
      known_ = false;
      values_.clear();
    } else if (!any_) {
      values_.assign(values->begin(), values->end());
    } else {
      differ_ = differ_ || values->size() != values_.size();
      for (std::size_t i = 0; i < values_.size(); ++i)
        if (values_[i] && (i >= values->size() || (*values)[i] != *values_[i])) {
          values_[i].reset();
          differ_ = true;
        }
    }
    any_ = true;
  }
  /// Of all that were added; false without any.
  bool known() const { return known_ && any_; }
  /// One does, or their number.
  bool differ() const { return differ_; }
  /// As many as the first has; nothing where one differs or has none.
  const std::vector<std::optional<Value>> &values() const { return values_; }

private:
  std::vector<std::optional<Value>> values_;
  bool any_ = false;
  bool known_ = true;
  bool differ_ = false;
};

} // namespace inspect
