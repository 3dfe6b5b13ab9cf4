// The lines that Go tracebacks are made of, one at a time: headers, calls with argument words, source positions,
// signals, registers. Each reader takes the line without a logger's prefix and says nothing where the line is something
// else.
//
// Source: runtime/traceback.go (goroutineheader, printArgs, printcreatedby), runtime/panic.go, runtime/signal_*.go and
// runtime/race (its report is ThreadSanitizer's), Go 1.5 to 1.26.
#pragma once

#include "golang/traceback/traceback_text.h"

#include <optional>
#include <string_view>

namespace inspect {

/// Without blanks at the ends.
std::string_view trim_blanks(std::string_view text);

/// "goroutine 5 gp=0xc000 m=3 mp=0x5 [chan receive, 16 minutes, locked to thread]:", anywhere in the line; `column` is
/// where it begins.
struct TracebackHeaderLine {
  TracebackGoroutine goroutine;
  std::size_t column = 0;
};
std::optional<TracebackHeaderLine> read_traceback_header(std::string_view line);

/// "main.(*T).f(0x1, {0x2, 0x3}, ...)". `cut_off` says that the text ends in this line: then the bracket may be
/// missing.
std::optional<TracebackFrame> read_traceback_call(std::string_view line, bool cut_off);

/// "\t/src/a b/x.go:12 +0x1d fp=0x1 sp=0x2 pc=0x3": fills file, line, offset and registers of `into`.
bool read_traceback_place(std::string_view line, TracebackFrame &into);

/// "created by main.main in goroutine 1".
struct TracebackCreatorLine {
  std::string function;
  std::optional<std::uint64_t> goroutine;
};
std::optional<TracebackCreatorLine> read_traceback_creator(std::string_view line);

/// "...additional frames elided..." is 1, "...23 frames elided..." is 23.
std::optional<std::size_t> read_elided_frames(std::string_view line);

/// "[originating from goroutine 7]:"
std::optional<std::uint64_t> read_ancestor(std::string_view line);

/// "[signal SIGSEGV: segmentation violation code=0x1 addr=0x50 pc=0x5046c9]", "SIGQUIT: quit",
/// "PC=0x464ce1 m=0 sigcode=0 addr=0x0" or Windows' "Exception 0xc0000005 0x0 0x50 0x4a1b2c": what the line tells is
/// added to `into`. Windows' exceptions are named by their numbers.
bool read_signal_line(std::string_view line, std::optional<TracebackSignal> &into);

/// "rip    0x464ce1"
std::optional<std::pair<std::string, std::uint64_t>> read_register(std::string_view line);

/// "exit status 2"
std::optional<int> read_exit_status(std::string_view line);

/// Whether a crash's message begins with this line ("panic: ", "fatal error: ", "SIGQUIT: "), and whether the line can
/// only go on one or belong in front of one ("\tpanic: ", "runtime: ", "[signal ").
enum class MessageLine { none, begins, belongs };
MessageLine classify_message_line(std::string_view line);

/// What handlers of panics log in front of the stack: net/http, gin, Kubernetes' HandleCrash.
bool is_handler_message(std::string_view line);

/// "panic: …" or "fatal error: …" behind other text on its line: a benchmark's name and a tab, a key, a quote. Not
/// within a sentence ("recovered from panic: …").
std::optional<std::string_view> message_behind_text(std::string_view line);

/// "12 @ 0x43e1f6 0x44f2b3" of /debug/pprof/goroutine?debug=1 (runtime/pprof, printCountProfile).
struct ProfileRecordLine {
  std::uint64_t count = 0;
  std::size_t column = 0;
};
std::optional<ProfileRecordLine> read_profile_record(std::string_view line);
/// "#\t0x44f2b2\ttime.Sleep+0x132\t\t/usr/local/go/src/runtime/time.go:195"
std::optional<TracebackFrame> read_profile_frame(std::string_view line);

/// The sections of the race detector: "Read at 0x00c0000b4010 by goroutine 7:" and "Goroutine 7 (running) created at:".
struct RaceSectionLine {
  std::uint64_t goroutine = 0;
  std::string access; ///< "read at 0x00c0000b4010"; empty: the section tells where the goroutine was created
};
std::optional<RaceSectionLine> read_race_section(std::string_view line);

} // namespace inspect
