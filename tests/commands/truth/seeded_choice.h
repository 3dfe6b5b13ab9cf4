// Choices that a seed settles, the same on every machine (the distributions of <random> may differ between libraries).
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace inspect::test {

class SeededChoice {
public:
  explicit SeededChoice(std::uint64_t seed) : engine_(seed) {}

  /// 0 … count - 1.
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(engine_() % count); }
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(below(static_cast<std::size_t>(most - least + 1)));
  }
  bool one_in(std::size_t count) { return below(count) == 0; }
  template <typename T> const T &of(const std::vector<T> &items) { return items[below(items.size())]; }
  std::uint64_t bits() { return engine_(); }

private:
  std::mt19937_64 engine_;
};

} // namespace inspect::test
