// The code that a process has mapped, as plain data: its modules with where their debug information came from, which
// `libraries` prints, and its mappings, which a profile has of the addresses in it.
#pragma once

#include "inspector/target/target.h"
#include "machine/address.h"

#include <string>
#include <vector>

namespace inspect {

struct LibraryRow {
  RunRange range;
  std::string path;
  std::string build_id;   ///< hex; empty: none
  std::string debug_info; ///< a path, or a sentence why there is none
  bool from_memory = false;
};

/// Ascending by address. Finds the debug files of every module, which may take a while the first time.
std::vector<LibraryRow> list_libraries(Target &target);

struct ReportMapping {
  RunRange range;
  FileOffset offset;    ///< of range.begin in the file
  std::string path;     ///< as the target has it; "[vdso]"; empty: no file
  std::string build_id; ///< lower-case hex; empty: none
};

/// The executable mappings, those of the executable first.
std::vector<ReportMapping> report_mappings(Target &target);

} // namespace inspect
