// The file in which the names of one program are kept: a header, then the entries ascending by key, then the offsets of
// units, then the texts. All little-endian, nothing between them and nothing after them. `inspect-dwarfindex` writes it
// and `inspect` reads it in place, so that opening one costs nothing that grows with what is never looked at, but for
// one pass over its checksum.
#pragma once

#include "dwarf/raw/names/name_record.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace inspect {

static_assert(std::endian::native == std::endian::little, "the table is written in the host's byte order");

struct NameTableEntry {
  std::uint32_t key = 0;  ///< name_key()
  std::uint32_t text = 0; ///< offset of the NUL-terminated name among the texts
  std::uint64_t die = 0;
  std::uint32_t unit = 0; ///< index among the units
  NameKind kind = NameKind::function;
  NameSection section = NameSection::info;
  std::uint8_t flags = 0; ///< NameFlags
  std::uint8_t unused = 0;
};

inline constexpr std::uint64_t name_table_magic = 0x5844'4954'4d41'4e49; // "INAMTIDX"
inline constexpr std::uint32_t name_table_version = 1;
inline constexpr std::uint32_t name_table_byte_order = 0x0102'0304;
inline constexpr std::size_t max_name_table_build_id_size = 64;
/// What is longer is refused unread.
inline constexpr std::uint64_t max_name_table_entries = 32'000'000;
inline constexpr std::uint64_t max_name_table_text_size = 0xffff'ffff;

struct NameTableHeader {
  std::uint64_t magic = name_table_magic;
  std::uint32_t version = name_table_version;
  std::uint32_t byte_order = name_table_byte_order;
  std::uint64_t file_size = 0;       ///< of the ELF file
  std::int64_t file_modified_ns = 0; ///< its mtime
  std::uint64_t other_files = 0;     ///< tells the files that belong to it (shared ones, packages) from others
  std::uint64_t entry_count = 0;
  std::uint64_t unit_count = 0;
  std::uint64_t text_size = 0;
  std::uint64_t checksum = 0;      ///< name_table_checksum
  std::uint64_t build_id_size = 0; ///< 0: the file has none, and size and mtime identify it
  std::uint8_t build_id[max_name_table_build_id_size] = {};
};

static_assert(std::is_trivially_copyable_v<NameTableHeader> && sizeof(NameTableHeader) == 144);
static_assert(std::is_trivially_copyable_v<NameTableEntry> && sizeof(NameTableEntry) == 24);

/// Of the header with its checksum as 0 and of all that follows, in words of 64 bits, the last one filled up with 0. It
/// finds accidents; a forged table must do no harm either, and every offset in it is checked when it is used.
inline std::uint64_t name_table_checksum(NameTableHeader header, std::span<const std::byte> rest) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  const auto add = [&hash](const std::byte *bytes, std::size_t size) {
    for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + at, size - at < sizeof word ? size - at : sizeof word);
      hash = (hash ^ word) * 0x100'0000'01b3;
    }
  };
  header.checksum = 0;
  add(reinterpret_cast<const std::byte *>(&header), sizeof header);
  add(rest.data(), rest.size());
  return hash;
}

} // namespace inspect
