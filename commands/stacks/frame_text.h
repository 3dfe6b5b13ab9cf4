// One frame as a line, and source text around it: shared by the stack writers and the commands that select frames.
#pragma once

#include "commands/cli/output.h"
#include "commands/session/selection.h"

#include <string>
#include <string_view>

namespace inspect {

/// A source path without the detours that builds leave in it ("./nptl/../sysdeps/…"), escaped. JSON has it as it is.
std::string shown_path(std::string_view path);

/// "#2  0x0000555555555131 handle(Request&) at server.cpp:42 (inlined)", and a line end. `arguments` follow the name of
/// the function as they are.
std::string frame_line(const Output &output, std::size_t number, const ReportFrame &frame, bool with_address,
                       std::string_view arguments = {});

/// Prints the selected frame, and its source line where the file can be read.
Result<void> write_selected_frame(Output &output, Target &target, Selection &selection);

struct SourceLines {
  std::string file;
  int first = 1; ///< 1-based
  int last = 1;
  int marked = 0;      ///< 0: none
  std::string heading; ///< printed before the first line, where there is one
};

/// Prints lines of a source file; the errors of read_source_text (inspector/scope/source_text.h). not_found: no such
/// line.
Result<void> write_source(Output &output, Target &target, const SourceLines &lines);

} // namespace inspect
