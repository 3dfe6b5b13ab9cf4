// The line table of one compilation unit: which source line an instruction came from. Decoded on construction.
//
// Source: DWARF 5 section 6.2, "Line Number Information".
#pragma once

#include "machine/address.h"

#include <elfutils/libdw.h>
#include <optional>
#include <string>

namespace inspect {

struct SourceLine {
  std::string file; ///< absolute where the file says enough; empty: unknown
  int line = 0;     ///< 0: the compiler made the code from no particular line
  int column = 0;   ///< 0: unknown
};

class LineTable {
public:
  /// `root` is the unit's root DIE; of a split unit, that of its skeleton. A table that cannot be read is empty.
  explicit LineTable(Dwarf_Die root);

  std::optional<SourceLine> at(LinkAddress address) const;

private:
  std::string compilation_directory_;
  Dwarf_Lines *lines_ = nullptr;
  std::size_t count_ = 0;
};

/// "/build/src/a.c" from "src/a.c" and the unit's DW_AT_comp_dir.
std::string absolute_path(const char *file, const std::string &compilation_directory);

} // namespace inspect
