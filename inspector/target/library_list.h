// The modules of a process with where their debug information came from: what `libraries` prints.
#pragma once

#include "inspector/target/target.h"

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

} // namespace inspect
