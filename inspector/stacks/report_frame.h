// One line of a reported stack, and the pool that keeps its texts: shared by the reports of threads and goroutines.
#pragma once

#include "dwarf/unwind/unwinder.h"
#include "golang/arguments/argument_words.h"
#include "machine/error.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_set>

namespace inspect {

/// Keeps one copy of every text of a report: thousands of stacks share a few hundred names. Equal texts have equal data
/// pointers.
class TextPool {
public:
  std::string_view intern(std::string_view text);

private:
  std::unordered_set<std::string> texts_; ///< node-based: the strings never move
};

/// ReportFrame::physical of one that has no frame any more.
inline constexpr std::size_t no_physical_frame = static_cast<std::size_t>(-1);

/// One line of a stack: a function, be it a real frame or a call inlined into one. The texts belong to the report's
/// pool.
struct ReportFrame {
  RunAddress pc;
  std::string_view function; ///< demangled, of Go as its runtime prints it; empty: unknown
  std::uint64_t offset = 0;  ///< bytes from the function's start
  std::string_view file;
  int line = 0;
  int column = 0;
  std::string_view module; ///< short name of the module ("libc.so.6"); empty: in no module
  bool inlined = false;    ///< its code is part of the next frame's function
  bool guessed = false;
  /// It left for the frame before by a tail call, and is no frame of the stack any more: known from the one way of
  /// calls that the debug information has. Its pc is behind the jump.
  bool tail_call = false;
  /// In anonymous executable memory: most likely made by a compiler at run time. `function` is as the program has
  /// written it down for perf, and `module` is empty.
  bool anonymous_code = false;
  bool signal = false; ///< a signal interrupted the next frame here: "<signal handler called>"
  bool go = false;     ///< a Go function, named by the pclntab
  /// The Go runtime's own traceback leaves it out (runtime internals, wrappers); tools that count frames keep it.
  bool hidden_in_traceback = false;
  std::uint32_t first_word = 0;              ///< of its argument words among its goroutine's
  const ArgumentLayout *arguments = nullptr; ///< Go: how its argument words are printed; owned by the report's pool
  std::size_t elided_before = 0;             ///< so many frames, called by this one, were left out
  std::size_t physical = 0; ///< index of the unwound frame it belongs to, in Stack::frames; or no_physical_frame
};

/// Where the variables of a line are.
struct LinePlace {
  std::size_t physical = 0; ///< the unwound frame; of a tail call's line the one that its function left for
  std::size_t inlined = 0;  ///< which of the functions at its pc: 0 is the innermost inlined one
};

LinePlace place_of_line(std::span<const ReportFrame> frames, std::size_t index);

/// What to answer to whoever asks for the registers of a tail call's line.
Error without_frame(const ReportFrame &frame);

/// What tells one line of a stack from another: all that is printed of it but addresses, unless it has no name. Texts
/// are pooled, so equal texts have equal pointers and need no comparison of characters.
inline auto frame_identity(const ReportFrame &frame) {
  return std::tuple(frame.function.data(), frame.file.data(), frame.line, frame.module.data(), frame.inlined,
                    frame.guessed, frame.signal, frame.tail_call, frame.function.empty() ? frame.pc.value : 0,
                    frame.elided_before);
}

} // namespace inspect
