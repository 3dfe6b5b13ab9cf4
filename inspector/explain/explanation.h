// What a Go crash text says, in plain data: what happened, where, why probably, which goroutine crashed, what the words
// of its calls mean, which goroutines are alike and which wait for which.
//
//     auto explanation = explain_text(text, {.executable = "./svc", .declarations = {"func f(a []string)"}});
//     for (const ExplainedTraceback &crash : explanation->tracebacks) …
//
// The text, the declarations and the binary may contradict each other; where they do, that is said (`remarks`,
// `warnings`), and nothing is decoded from the contradicting parts.
#pragma once

#include "golang/arguments/word_values.h"
#include "golang/traceback/traceback_text.h"
#include "machine/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace inspect {

/// Where the meaning of a frame's words is from.
enum class ArgumentSource : std::uint8_t {
  none,        ///< there are no words
  declaration, ///< given by hand
  debug_info,  ///< the binary's DWARF
  binary,      ///< what the binary tells without DWARF
  shape,       ///< the words alone
};

struct ExplainedFrame {
  std::string function;
  std::string file;
  int line = 0;
  std::optional<std::uint64_t> offset;
  std::optional<std::uint64_t> pc;
  bool inlined = false; ///< "(...)": no words of its own
  /// Between the brackets, as printed. In a group of several, words that differ are `*`, or `#1` where the same
  /// differing word recurs.
  std::string words;
  std::vector<DecodedArgument> arguments; ///< of the group's first goroutine; none where several differ
  ArgumentSource source = ArgumentSource::none;
  std::vector<std::string> remarks; ///< contradictions and assumptions, as sentences
  bool contradicted = false;        ///< it is not of the given binary, and was not decoded
  bool crashed_here = false;        ///< the one that panicked first, faulted or threw, of the goroutine that crashed
  bool panicked_later = false;      ///< it panicked while that was handled
};

/// What tells one line of a stack from another.
inline auto frame_identity(const ExplainedFrame &frame) {
  return std::tuple(std::string_view(frame.function), std::string_view(frame.file), frame.line, frame.inlined);
}

/// Goroutines with the same frames, the same state and the same creator.
struct ExplainedGroup {
  std::vector<std::uint64_t> ids; ///< the longest wait first; empty where the text gives no numbers
  std::uint64_t count = 0;        ///< goroutines
  std::string state;
  std::optional<std::int64_t> longest_wait_minutes;
  std::optional<std::int64_t> shortest_wait_minutes;
  bool locked_to_thread = false;  ///< one of them
  std::vector<std::string> notes; ///< of the first
  std::vector<ExplainedFrame> frames;
  std::optional<ExplainedFrame> created_by;
  std::optional<std::uint64_t> created_in; ///< where it is the same for all
  std::size_t frames_elided = 0;
  bool stack_unavailable = false;
  bool crashed = false;
  std::optional<std::uint64_t> ancestor_of;
};

enum class CrashKind : std::uint8_t { panic, fatal_error, signal, data_race, stacks };

struct ExplainedTraceback {
  std::size_t text_line = 0; ///< where it begins in the text
  CrashKind kind = CrashKind::stacks;
  std::vector<std::string> messages; ///< as in the text
  std::optional<TracebackSignal> signal;
  std::string what;                     ///< one line; empty where the text has no message
  std::optional<std::uint64_t> crashed; ///< the goroutine
  std::string where;                  ///< function and position; the program's, too, where it is the standard library's
  std::vector<std::string> then;      ///< further panics while the first was handled, sentences
  std::vector<std::string> why;       ///< sentences, the most telling first
  std::vector<std::string> waiting;   ///< who waits for whom, sentences
  std::vector<ExplainedGroup> groups; ///< the crashed one first, then the most interesting
  std::size_t goroutines = 0;
  std::vector<std::pair<std::string, std::uint64_t>> registers;
  std::optional<int> exit_status;
  std::vector<std::string> warnings; ///< about text and binary; assumptions for all of it
};

struct Explanation {
  std::string go_version; ///< of the binary; empty: not given or not known
  std::vector<ExplainedTraceback> tracebacks;
};

struct ExplainOptions {
  std::string executable;                ///< empty: none
  std::vector<std::string> declarations; ///< Go source: functions, and the types they need
  bool group = true;
};

/// not_found: there is no traceback in the text. usage: a declaration cannot be read. The errors of CrashBinary::open,
/// except that a Go binary that cannot be read (unsupported, corrupt) is not used, which a warning says.
Result<Explanation> explain_text(std::string_view text, const ExplainOptions &options);

/// The runtime's own, which are on top of a crashed goroutine's stack and say nothing of the cause.
bool is_runtime_function(std::string_view function);

} // namespace inspect
