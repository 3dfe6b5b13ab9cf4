// The file in which `inspect-dwarfindex` tells `inspect` which unit's code an address belongs to. Both sides include
// this header and nothing else of each other: the worker links libdwarf, `inspect` links libdw, and the two libraries
// export the same names with different signatures, so that they cannot live in one process.
//
// One header, then `record_count` records in ascending order of (low, high, unit_offset), all little-endian, nothing
// after them. Records may overlap, as the ranges of units do where a linker folded functions or left dead ones behind.
#pragma once

#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace inspect {

static_assert(std::endian::native == std::endian::little, "the index is written in the host's byte order");

struct UnitIndexRecord {
  std::uint64_t low = 0;         ///< link-time address of the first byte
  std::uint64_t high = 0;        ///< of the byte after the last
  std::uint64_t unit_offset = 0; ///< of the unit's root DIE in .debug_info; of a split unit, its skeleton's

  friend constexpr auto operator<=>(const UnitIndexRecord &, const UnitIndexRecord &) = default;
};

inline constexpr std::uint64_t unit_index_magic = 0x5844'4954'494e'5549; // "IUNITIDX"
inline constexpr std::uint32_t unit_index_version = 1;
inline constexpr std::uint32_t unit_index_byte_order = 0x0102'0304;
inline constexpr std::size_t max_unit_index_build_id_size = 64;
/// More than a file of any size we have met needs (24 bytes each): what is longer is refused unread.
inline constexpr std::uint64_t max_unit_index_records = 16'000'000;

struct UnitIndexHeader {
  std::uint64_t magic = unit_index_magic;
  std::uint32_t version = unit_index_version;
  std::uint32_t byte_order = unit_index_byte_order;
  std::uint64_t file_size = 0;       ///< of the ELF file
  std::int64_t file_modified_ns = 0; ///< its mtime
  std::uint64_t debug_info_size = 0; ///< all unit offsets are below it; uncompressed
  std::uint64_t record_count = 0;
  std::uint64_t checksum = 0;      ///< unit_index_checksum
  std::uint64_t build_id_size = 0; ///< 0: the file has none, and size and mtime identify it
  std::uint8_t build_id[max_unit_index_build_id_size] = {};
};

static_assert(std::is_trivially_copyable_v<UnitIndexHeader> && sizeof(UnitIndexHeader) == 128);
static_assert(std::is_trivially_copyable_v<UnitIndexRecord> && sizeof(UnitIndexRecord) == 24);

/// FNV-1a over 64-bit words, of the header with its checksum as 0 and of all records. It finds accidents (a full disk,
/// a torn write); against a forged index it cannot help, and the reader checks every record.
inline std::uint64_t unit_index_checksum(UnitIndexHeader header, std::span<const UnitIndexRecord> records) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  const auto add = [&hash](const void *bytes, std::size_t size) {
    for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, static_cast<const std::byte *>(bytes) + at, sizeof word);
      hash = (hash ^ word) * 0x100'0000'01b3;
    }
  };
  header.checksum = 0;
  add(&header, sizeof header);
  add(records.data(), records.size_bytes());
  return hash;
}

} // namespace inspect
