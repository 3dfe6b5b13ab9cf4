// One frame as a line, and source text around it: shared by the commands that select frames.
#pragma once

#include "commands/session.h"

#include <string>

namespace inspect {

/// "#2  0x0000555555555131 handle(Request&) at server.cpp:42 (inlined)".
std::string frame_line(const Output &output, std::size_t number, const ReportFrame &frame);

/// Prints the selected frame, and its source line where the file can be read.
Result<void> write_selected_frame(Output &output, Session &session);

/// Prints the lines of a source file from `first` to `last` (1-based), marking `marked` (0: none). The file is looked
/// for where the target sees it, then in our root; not_found says so.
Result<void> write_source(Output &output, Session &session, const std::string &file, int first, int last, int marked);

} // namespace inspect
