// A map from address to a value, made of ranges that may overlap and nest: the shortest range that holds the address
// wins. Code shared by several owners (identical code folding, a unit that claims the hull of its pieces) makes
// overlaps normal; crafted files make them plenty, which is why a look-up considers a bounded number of them.
//
//     RangeTable<std::uint64_t> table;
//     table.add({LinkAddress{0x1000}, LinkAddress{0x1010}}, 42);
//     table.at(LinkAddress{0x1008});   // sorts on first use
#pragma once

#include "machine/address.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace inspect {

template <typename Value> class RangeTable {
public:
  struct Entry {
    LinkRange range;
    Value value{};
    friend constexpr auto operator<=>(const Entry &, const Entry &) = default;
  };

  /// Empty and inverted ranges are ignored.
  void add(LinkRange range, Value value) {
    if (range.size() == 0)
      return;
    entries_.push_back({range, value});
    sorted_ = false;
  }

  std::size_t size() const { return entries_.size(); }

  const Entry *find(LinkAddress address) {
    sort();
    auto after = std::upper_bound(entries_.begin(), entries_.end(), address,
                                  [](LinkAddress wanted, const Entry &entry) { return wanted < entry.range.begin; });
    const Entry *best = nullptr;
    auto index = static_cast<std::size_t>(after - entries_.begin());
    for (std::size_t considered = 0; index-- > 0 && considered < max_considered; ++considered) {
      if (reach_[index] <= address)
        break;
      const Entry &entry = entries_[index];
      if (entry.range.contains(address) && (!best || entry.range.size() < best->range.size()))
        best = &entry;
    }
    return best;
  }

  std::optional<Value> at(LinkAddress address) {
    const Entry *entry = find(address);
    return entry ? std::optional<Value>(entry->value) : std::nullopt;
  }

private:
  static constexpr std::size_t max_considered = 1024;

  void sort() {
    if (sorted_)
      return;
    std::sort(entries_.begin(), entries_.end());
    entries_.erase(std::unique(entries_.begin(), entries_.end()), entries_.end());
    reach_.resize(entries_.size());
    LinkAddress furthest{0};
    for (std::size_t i = 0; i < entries_.size(); ++i)
      reach_[i] = furthest = std::max(furthest, entries_[i].range.end);
    sorted_ = true;
  }

  std::vector<Entry> entries_;
  std::vector<LinkAddress> reach_; ///< furthest end of this entry and all before it
  bool sorted_ = true;
};

} // namespace inspect
