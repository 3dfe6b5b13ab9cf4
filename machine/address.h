// Addresses of different kinds as different types, so that the compiler refuses to mix them.
//
// A RunAddress is where a byte is in the target's memory now. A LinkAddress is where the linker put it (the
// p_vaddr of a program header, st_value of a symbol, DW_AT_low_pc). A FileOffset is its place in the file on
// disk. `run = link + load bias` for every byte of a module (System V gABI, "Base Address").
//
//     RunAddress pc{0x7f0012345678};
//     LinkAddress in_file = bias.to_link(pc);
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace inspect {

/// A 64-bit unsigned address whose kind is its type. Arithmetic wraps like the machine's own.
template <typename Kind> struct Address {
  std::uint64_t value = 0;

  friend constexpr auto operator<=>(Address, Address) = default;
  friend constexpr Address operator+(Address address, std::uint64_t bytes) { return {address.value + bytes}; }
  friend constexpr Address operator-(Address address, std::uint64_t bytes) { return {address.value - bytes}; }
  /// Distance in bytes.
  friend constexpr std::uint64_t operator-(Address high, Address low) { return high.value - low.value; }
};

using RunAddress = Address<struct RunAddressKind>;
using LinkAddress = Address<struct LinkAddressKind>;
using FileOffset = Address<struct FileOffsetKind>;

/// What the loader added to a module's link-time addresses; 0 for an executable that is not position independent.
struct LoadBias {
  std::uint64_t value = 0;

  friend constexpr auto operator<=>(LoadBias, LoadBias) = default;
  constexpr RunAddress to_run(LinkAddress address) const { return {address.value + value}; }
  constexpr LinkAddress to_link(RunAddress address) const { return {address.value - value}; }
};

/// The half-open range [begin, end).
template <typename AddressType> struct Range {
  AddressType begin;
  AddressType end;

  friend constexpr auto operator<=>(Range, Range) = default;
  constexpr bool contains(AddressType address) const { return begin <= address && address < end; }
  constexpr std::uint64_t size() const { return end.value > begin.value ? end.value - begin.value : 0; }
};

/// Where addresses of processes end on x86-64 with page tables of four levels (Documentation/arch/x86/x86_64/mm.rst).
inline constexpr std::uint64_t end_of_user_space = std::uint64_t{1} << 47U;

using RunRange = Range<RunAddress>;
using LinkRange = Range<LinkAddress>;

} // namespace inspect

template <typename Kind> struct std::hash<inspect::Address<Kind>> {
  std::size_t operator()(inspect::Address<Kind> address) const noexcept {
    return std::hash<std::uint64_t>{}(address.value);
  }
};
