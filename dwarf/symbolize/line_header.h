// The header of one line number program: how its opcodes are to be read, and the files that its rows refer to.
//
// Source: DWARF 5 section 6.2.4, "The Line Number Program Header"; DWARF 2 to 4 for the older table of files.
#pragma once

#include "dwarf/raw/elf/byte_reader.h"

#include <array>
#include <cstdint>
#include <elfutils/libdw.h>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// The sections a line table is spread over, uncompressed.
struct LineSections {
  std::span<const std::byte> line;
  std::span<const std::byte> line_strings;
  std::span<const std::byte> strings;

  static LineSections of(Dwarf *dwarf);
  /// Of a .dwo file, whose names end in ".dwo"; what is missing is empty.
  static LineSections split_of(Dwarf *dwarf);
};

/// Of one unit, and each takes 24 bytes: rows tell no more files apart (LineTable::Row).
inline constexpr std::size_t max_line_files = 1 << 20;

struct LineFile {
  std::string_view name;
  std::uint64_t directory = 0;
};

struct LineHeader {
  std::uint16_t version = 0;
  std::uint8_t minimum_instruction_length = 1;
  std::uint8_t operations_per_instruction = 1;
  std::int8_t line_base = 0;
  std::uint8_t line_range = 1;
  std::uint8_t opcode_base = 1;
  std::array<std::uint8_t, 256> operand_counts{}; ///< by standard opcode
  std::vector<std::string_view> directories;      ///< DWARF 5: by index; before: by index - 1
  std::vector<LineFile> files;                    ///< likewise
  ByteReader program{{}};

  /// Nothing where the header cannot be understood, or names more files than any unit has.
  static std::optional<LineHeader> read(const LineSections &sections, std::uint64_t offset);

  /// Path of a file as rows and DW_AT_call_file number them; empty where there is none of that number.
  std::string path(std::uint64_t file, const std::string &compilation_directory) const;
};

} // namespace inspect
