// The index of one file's units by address: made by `inspect-dwarfindex` in a process that has no rights, kept in the
// user's cache, checked here before a byte of it is believed. It spares a large file's first look-up the walk over all
// units, and keeps a hostile file out of our own process until an address really leads to one of its units.
//
//     auto index = UnitIndex::open(descriptor, module.build_id(), default_unit_index_options());
//     UnitRanges units(dwarf, [&] { return index ? std::optional(index->unit_ranges()) : std::nullopt; });
//
// Any failure (no worker, a corrupt file, the deadline, an index that contradicts itself) is an Error that says why;
// the caller then walks the units itself.
#pragma once

#include "dwarf/raw/units/unit_index_format.h"
#include "dwarf/unit_index/unit_ranges.h"
#include "machine/cancellation.h"
#include "machine/error.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace inspect {

struct UnitIndexOptions {
  std::string worker;                          ///< path of inspect-dwarfindex; empty: there is none
  std::optional<std::string> cache_directory;  ///< created if need be; none: nothing is kept
  std::chrono::milliseconds deadline{10'000};  ///< for the worker; then it is killed
  std::uint64_t max_cache_size = 512ULL << 20; ///< bytes of all kept indexes; the longest unused go first
  const Cancellation *cancellation = nullptr;  ///< of the wait for the worker; may be null
};

/// The worker beside the running executable or in ../libexec/inspect (INSPECT_DWARFINDEX overrides), the cache under
/// XDG_CACHE_HOME or ~/.cache.
UnitIndexOptions default_unit_index_options();

class UnitIndex {
public:
  /// `descriptor` is the ELF file that holds the DWARF; its build-id may be empty. Takes the kept index where it still
  /// fits the file, else has the worker make one.
  static Result<UnitIndex> open(int descriptor, std::span<const std::uint8_t> build_id,
                                const UnitIndexOptions &options);
  /// Of the bytes of an index file. corrupt says what is wrong with them.
  static Result<UnitIndex> parse(std::span<const std::byte> bytes);

  std::vector<UnitRange> unit_ranges() const;
  std::span<const UnitIndexRecord> records() const { return records_; }
  const UnitIndexHeader &header() const { return header_; }
  /// Whether it was read from the cache rather than made now.
  bool from_cache() const { return from_cache_; }
  /// Why it could not be kept for the next time; empty where it could, or should not be.
  const std::string &cache_problem() const { return cache_problem_; }

private:
  UnitIndexHeader header_;
  std::vector<UnitIndexRecord> records_;
  bool from_cache_ = false;
  std::string cache_problem_;
};

} // namespace inspect
