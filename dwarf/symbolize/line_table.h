// The line table of one compilation unit: which source line an instruction came from.
//
// Decoded here and not by libdw, which keeps 40 bytes for each row and all of them until the file is closed: of 50
// units of a large program that is 40 MB. Kept here are the rows that change the answer, 16 bytes each, a sixth of it.
// libdw also mixes the rows of all sequences, which is wrong where sequences overlap.
//
// Source: DWARF 5 section 6.2, "Line Number Information".
#pragma once

#include "dwarf/elf/range_table.h"
#include "dwarf/symbolize/line_header.h"
#include "machine/address.h"

#include <elfutils/libdw.h>
#include <optional>
#include <string>
#include <vector>

namespace inspect {

struct SourceLine {
  std::string file; ///< absolute where the file says enough; empty: unknown
  int line = 0;     ///< 0: the compiler made the code from no particular line
  int column = 0;   ///< 0: unknown
};

/// What all line tables of one file may take. A program of some bytes can be that of thousands of units, and one of a
/// gigabyte can come out of a compressed section of a megabyte.
struct LineBudget {
  std::uint64_t rows = std::uint64_t{16} << 20; ///< that are kept, 16 bytes each
  std::uint64_t bytes = std::uint64_t{1} << 30; ///< of line number programs that are run
};

/// Of one table; a unit of a hundred thousand lines of code has a million rows.
inline constexpr std::uint64_t max_line_rows = std::uint64_t{8} << 20;
inline constexpr std::uint64_t max_line_program = std::uint64_t{128} << 20;

class LineTable {
public:
  /// `root` is the unit's root DIE; of a split unit, that of its skeleton. A table that cannot be read is empty, and
  /// one that is truncated has the rows before the cut. The budget becomes smaller by what it took.
  LineTable(Dwarf_Die root, const LineSections &sections, LineBudget &budget);

  std::optional<SourceLine> at(LinkAddress address);
  /// Path of a file by its number, as DW_AT_call_file has it; empty: none.
  std::string file(std::uint64_t number) const;
  bool empty() const { return !header_; }
  /// A limit was reached: sequences are missing.
  bool cut_short() const { return cut_short_; }

private:
  /// The last before an address says where its instruction came from.
  struct Row {
    LinkAddress address;
    std::uint32_t line;
    std::uint32_t file : 20;   ///< of more than a million files the last ones are not told apart
    std::uint32_t column : 12; ///< 0 where it does not fit: unknown
  };
  friend class LineProgram;

  std::string compilation_directory_;
  std::optional<LineHeader> header_;
  struct RowSpan {
    std::size_t first;
    std::size_t end;
    friend constexpr auto operator<=>(const RowSpan &, const RowSpan &) = default;
  };
  std::vector<Row> rows_; ///< those of one sequence stand together, ascending
  RangeTable<RowSpan> sequences_;
  bool cut_short_ = false;
};

/// "/build/src/a.c" from "src/a.c" and the unit's DW_AT_comp_dir.
std::string absolute_path(const char *file, const std::string &compilation_directory);

/// Paths of all files of the unit's line table, without decoding its rows.
std::vector<std::string> source_files(Dwarf_Die root, const LineSections &sections);

} // namespace inspect
