// One thread's registers, addressed by their DWARF numbers, each known or not: in the frames of callers only what the
// unwind rules recover is known.
//
// The numbering is the architecture's (for x86-64: System V psABI, figure 3.36 "DWARF Register Number Mapping");
// names and roles are in machine/x86_64/registers.h.
#pragma once

#include "machine/address.h"

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>

namespace inspect {

class RegisterSet {
public:
  static constexpr unsigned capacity = 72;

  std::optional<std::uint64_t> get(unsigned dwarf_number) const {
    if (dwarf_number >= capacity || !known_[dwarf_number])
      return std::nullopt;
    return values_[dwarf_number];
  }
  void set(unsigned dwarf_number, std::uint64_t value) {
    if (dwarf_number < capacity) {
      values_[dwarf_number] = value;
      known_.set(dwarf_number);
    }
  }
  void forget(unsigned dwarf_number) {
    if (dwarf_number < capacity)
      known_.reset(dwarf_number);
  }
  bool knows(unsigned dwarf_number) const { return dwarf_number < capacity && known_[dwarf_number]; }

private:
  std::array<std::uint64_t, capacity> values_{};
  std::bitset<capacity> known_;
};

} // namespace inspect
