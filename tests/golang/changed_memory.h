// Another memory with some bytes changed, for tests of what is damaged or not known yet.
#pragma once

#include "machine/memory_view.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <span>

namespace inspect::test {

class ChangedMemory final : public MemoryView {
public:
  explicit ChangedMemory(const MemoryView &intact) : intact_(intact) {}
  void write(RunAddress address, int value) { changed_[address] = static_cast<std::byte>(value); }
  void write_word(RunAddress address, std::uint64_t value) {
    for (unsigned i = 0; i < 8; ++i)
      write(address + i, static_cast<int>(value >> (8 * i) & 0xff));
  }
  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    auto done = intact_.read(address, into);
    for (auto at = changed_.lower_bound(address); at != changed_.end() && at->first - address < into.size(); ++at)
      into[at->first - address] = at->second;
    return done;
  }

private:
  const MemoryView &intact_;
  std::map<RunAddress, std::byte> changed_;
};

/// Memory of a process with one word in so many changed at random.
class DamagedMemory final : public MemoryView {
public:
  DamagedMemory(const MemoryView &memory, unsigned seed, std::uint64_t rarity)
      : memory_(memory), random_(seed), rarity_(rarity) {}
  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    if (auto done = memory_.read(address, into); !done)
      return done;
    for (std::size_t at = 0; at + 8 <= into.size(); at += 8)
      if (random_() % rarity_ == 0)
        into[at + random_() % 8] = static_cast<std::byte>(random_());
    return {};
  }

private:
  const MemoryView &memory_;
  mutable std::mt19937_64 random_;
  std::uint64_t rarity_;
};

} // namespace inspect::test
