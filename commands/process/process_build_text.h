// How a program was built and what it has loaded, in short parts for a line.
#pragma once

#include "inspector/process/process_details.h"

#include <string>
#include <vector>

namespace inspect {

/// "go1.22.1", "module example.com/svc v1.2.3", "62 modules", "CGO_ENABLED=0"; "build-id 3f2a…", "GCC 12.2.0",
/// "statically linked". Escaped.
std::vector<std::string> build_parts(const ProgramBuild &build);
/// One line for each Go module, replacements with what stands in their place. Escaped.
std::vector<std::string> module_lines(const ProgramBuild &build);
/// "23 mapped: libc.so.6", "libm.so.6", …, those that the program itself was linked with first, and all that were
/// deleted since. Escaped.
std::vector<std::string> library_parts(const std::vector<MappedLibrary> &libraries,
                                       const std::vector<std::string> &needed);

} // namespace inspect
