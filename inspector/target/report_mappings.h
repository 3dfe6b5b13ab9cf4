// The mapped code of a process as plain data: what a profile says of the addresses in it.
#pragma once

#include "inspector/target/target.h"
#include "machine/address.h"

#include <string>
#include <vector>

namespace inspect {

struct ReportMapping {
  RunRange range;
  FileOffset offset;    ///< of range.begin in the file
  std::string path;     ///< as the target has it; "[vdso]"; empty: no file
  std::string build_id; ///< lower-case hex; empty: none
};

/// The executable mappings, those of the executable first.
std::vector<ReportMapping> report_mappings(Target &target);

} // namespace inspect
