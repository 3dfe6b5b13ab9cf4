// Choices that a seed decides, the same on every machine (std::uniform_int_distribution is not).
#pragma once

#include <cstddef>
#include <cstdint>

namespace inspect::test {

class RandomChoice {
public:
  explicit RandomChoice(std::uint64_t seed) : state_(seed) {}

  /// 0 up to, not including, `count`. Sebastiano Vigna's splitmix64 makes the numbers.
  std::size_t below(std::size_t count) {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return static_cast<std::size_t>((mixed ^ mixed >> 31) % count);
  }
  bool once_in(std::size_t count) { return below(count) == 0; }
  template <typename List> const auto &one_of(const List &list) { return list[below(list.size())]; }

private:
  std::uint64_t state_;
};

} // namespace inspect::test
