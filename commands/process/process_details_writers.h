// The formats of `inspect ps PID`. Plain data in; text from the process is escaped here.
#pragma once

#include "commands/cli/output.h"
#include "inspector/process/process_details.h"

#include <nlohmann/json_fwd.hpp>

namespace inspect {

struct ProcessDetailsTextOptions {
  bool unicode = true;       ///< arrows
  bool every_socket = false; ///< each by itself, and all of them
  bool modules = false;      ///< the Go modules, one line each
};

void write_process_details_text(Output &output, const ProcessDetails &details,
                                const ProcessDetailsTextOptions &options);
/// The member `details` of a process in inspect.ps/1 (docs/json.md).
nlohmann::ordered_json process_details_json(const ProcessDetails &details);

} // namespace inspect
