// A fixture's memory with some bytes replaced at random wherever it is read: pointers into nowhere, lengths of 2^60,
// circles.
#pragma once

#include "tests/values/fixture_values.h"

#include <random>

namespace inspect::test {

class DamagedMemory final : public MemoryView {
public:
  /// About one byte in `rarity` is another.
  DamagedMemory(const MemoryView &intact, std::mt19937_64 &random, unsigned rarity)
      : intact_(intact), random_(random), rarity_(rarity) {}
  Result<void> read(RunAddress address, std::span<std::byte> into) const override {
    auto done = intact_.read(address, into);
    // Half of what is not there reads as noise: a pointer into nowhere must not end every walk.
    if (!done && (into.size() > 4096 || random_() % 2 == 0))
      return done;
    for (std::byte &byte : into)
      if (!done || random_() % rarity_ == 0)
        byte = static_cast<std::byte>(random_());
    return {};
  }

private:
  const MemoryView &intact_;
  std::mt19937_64 &random_;
  unsigned rarity_;
};

inline ValueEnvironment damaged_environment(FixtureValues &fixture, const MemoryView &memory) {
  const ValueEnvironment &intact = fixture.environment();
  ValueEnvironment environment{.memory = memory, .modules = intact.modules, .types = intact.types};
  environment.find_type = intact.find_type;
  return environment;
}

inline Value damaged_variable(FixtureValues &fixture, std::string_view name, const MemoryView &memory) {
  Value value = fixture.variable(name);
  const auto size = fixture.environment().types.size_of(value.type.native).value_or(8);
  value.source = ValueSource::in_memory(memory, *value.source->address(), size);
  return value;
}

} // namespace inspect::test
