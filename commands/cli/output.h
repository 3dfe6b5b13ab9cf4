// Where commands print: standard output (or a file, with -o), standard error, and whether people or tools read it.
// Everything that came from the target passes escape() before it is printed.
#pragma once

#include "machine/error.h"

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace inspect {

/// Makes text from the target harmless to a terminal: control characters, C1, bidi overrides and invalid UTF-8 become
/// \x1b, \u202e, …. Line ends and tabs too, for a name is one line.
std::string escape(std::string_view text);

enum class Style { plain, heading, function, location, dim, warning, number };

class Output {
public:
  /// `out` and `err` are not owned. Colour only when `out` is a terminal, NO_COLOR is unset or empty and TERM is not
  /// "dumb".
  Output(std::FILE *out, std::FILE *err);

  void write(std::string_view text);         ///< to standard output, as it is
  void error(std::string_view sentence);     ///< "inspect: …" to standard error, escaped
  void error(const Error &error);            ///< the same, with the remedy on a second line: "  try: …"
  void error_detail(std::string_view lines); ///< to standard error, indented and escaped line by line
  void warning(std::string_view sentence);   ///< "inspect: warning: …" to standard error, escaped
  void hint(std::string_view sentence);      ///< to standard error as it is, and only when both are terminals
  void flush();
  bool failed() const { return write_error_ != 0; } ///< a write went wrong (disk full, closed pipe)
  int write_error() const { return write_error_; }  ///< the errno of the first one, 0 without

  /// `text` in the style's colour where colour is on. It does not escape.
  std::string styled(Style style, std::string_view text) const;
  bool colour() const { return colour_; }
  bool wants_colour() const; ///< what the terminal and the environment say
  void set_colour(bool on) { colour_ = on; }
  bool is_terminal() const { return terminal_; }
  int width() const; ///< columns of the terminal; 0: unlimited (no terminal)

  /// A line on standard error that is overwritten, once a wait has lasted half a second and standard error is a
  /// terminal. Empty text removes it.
  void progress(std::string_view text);
  /// Also copy everything written to standard output to this file (transcript); null ends it. Not owned.
  void set_transcript(std::FILE *file) { transcript_ = file; }
  /// A line that the user typed, for the transcript alone.
  void note_in_transcript(std::string_view text) { copy_to_transcript(text); }
  /// While set, standard output itself gets nothing (`transcript -x`).
  void set_quiet(bool quiet) { quiet_ = quiet; }
  std::FILE *out() const { return out_; }
  /// From now on; colour off. The errno of the first write that failed until now, 0 without: the caller tells of it.
  int redirect(std::FILE *out);
  /// "FILE:3: " in front of every error: where the command stood.
  void set_error_prefix(std::string prefix) { error_prefix_ = std::move(prefix); }
  const std::string &error_prefix() const { return error_prefix_; }

private:
  void clear_progress();
  void copy_to_transcript(std::string_view text);

  std::FILE *out_;
  std::FILE *err_;
  std::FILE *transcript_ = nullptr;
  bool quiet_ = false;
  bool colour_ = false;
  bool terminal_ = false;
  bool error_terminal_ = false;
  std::string error_prefix_;
  int write_error_ = 0;
  bool progress_shown_ = false;
  std::chrono::steady_clock::time_point progress_written_;
  std::optional<std::chrono::steady_clock::time_point> waiting_since_; ///< first progress() of this wait
};

} // namespace inspect
