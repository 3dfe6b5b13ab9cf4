// Reads the text of a Go crash or of a SIGQUIT dump: goroutines with their headers, frames, argument words, files and
// lines, in the forms of Go 1.5 to 1.27, in whatever a logger or collector put them into
// (golang/traceback/log_carriers.h), one crash or several in one text; also the lists of frames without argument words
// that loggers, profiles and gccgo print.
//
// Source: runtime/traceback.go (printing), runtime/panic.go and signal_unix.go; the texts in the wild that tests hold.
#pragma once

#include "golang/arguments/argument_words.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct TracebackFrame {
  std::string function;       ///< "main.(*Server).handle"; without the arguments
  bool has_arguments = false; ///< false: "(...)", inlined or not described
  bool listed = false;        ///< there are no brackets at all: what prints the list knows no words
  ArgumentLayout layout;      ///< tokens as printed, without offsets
  std::vector<std::uint64_t> words;
  bool cut = false; ///< the arguments end in "..."
  std::string file;
  int line = 0;
  std::optional<std::uint64_t> offset;                           ///< "+0x59": bytes from the function's entry
  std::optional<std::uint64_t> frame_pointer, stack_pointer, pc; ///< the long form's fp=, sp=, pc=
  std::size_t text_line = 0;                                     ///< 1-based, in the input
};

struct TracebackGoroutine {
  std::uint64_t id = 0;
  std::string status; ///< "running", "chan receive", "select (no cases)", …
  std::optional<std::int64_t> wait_minutes;
  bool locked_to_thread = false;
  std::vector<std::string> notes; ///< other parts of the header: "scan", "durable", "synctest bubble 1", m=, mp=
  std::vector<TracebackFrame> frames;
  std::optional<TracebackFrame> created_by;
  std::optional<std::uint64_t> created_in; ///< "in goroutine N"
  std::size_t frames_elided = 0;           ///< "...N frames elided..."; 1 for "...additional frames elided..."
  bool stack_unavailable = false;          ///< "goroutine running on other thread; stack unavailable"
  /// Not a goroutine's present stack, but the one on which the goroutine of this number was made, by goroutine `id` (0:
  /// not said): "[originating from goroutine N]" (GODEBUG=tracebackancestors), and the race detector's "created at".
  std::optional<std::uint64_t> ancestor_of;
  /// How many have this stack: a profile counts them, and tells neither their numbers (0) nor states.
  std::uint64_t count = 1;
  std::size_t text_line = 0;

  /// A stack of no goroutine that the text names, or of several.
  bool is_listing() const { return id == 0 && status.empty() && !ancestor_of; }
};

struct TracebackSignal {
  std::string name;        ///< "SIGSEGV"
  std::string description; ///< "segmentation violation"
  std::optional<std::uint64_t> code, address, pc;
};

/// One crash or dump.
struct Traceback {
  std::vector<std::string> messages; ///< "panic: …", "fatal error: …", "[recovered]", what came before the goroutines
  std::optional<TracebackSignal> signal;
  std::vector<TracebackGoroutine> goroutines;
  std::vector<std::pair<std::string, std::uint64_t>> registers; ///< the block at a SIGQUIT dump's end
  std::optional<int> exit_status;
  std::size_t text_line = 0;
};

/// Every traceback in the text; empty where there is none. Never fails: what is not understood is passed over.
std::vector<Traceback> parse_tracebacks(std::string_view text);

} // namespace inspect
