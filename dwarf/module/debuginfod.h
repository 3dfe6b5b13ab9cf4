// Asks the debuginfod servers in $DEBUGINFOD_URLS for a debug file. Only where the user wants it: a server may take
// long. The client library is loaded on first use, so that the program runs where it is not installed.
//
// Source: debuginfod_find_debuginfo(3).
#pragma once

#include "machine/file_source.h"

#include <cstdint>
#include <vector>

namespace inspect {

/// not_found where no server has it; unsupported where the library or the servers' addresses are missing.
Result<OpenedFile> fetch_debug_file(const std::vector<std::uint8_t> &build_id);

} // namespace inspect
