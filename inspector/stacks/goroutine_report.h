// The goroutines of a process as plain data: the answer that `stacks`, `goroutines` and the go, pprof, folded and JSON
// formats print. There may be a million of them, so what they share is kept once: stacks with the same pcs, creation
// sites, label sets; and a goroutine's argument words are a stretch of one common array.
#pragma once

#include "golang/arguments/word_values.h"
#include "golang/runtime/go_runtime.h"
#include "inspector/stacks/report_frame.h"
#include "inspector/stacks/stack_groups.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inspect {

/// Where goroutines were created: a go statement; or the function that they began in.
struct CreationSite {
  std::string_view function; ///< "main.(*Server).serve", "main.Map[...]"
  std::string_view file;
  int line = 0;
  std::uint64_t offset = 0;         ///< bytes from the function's entry
  bool hidden_in_traceback = false; ///< the Go runtime's own traceback does not name it
};

using LabelSet = std::vector<std::pair<std::string, std::string>>; ///< sorted by key

/// All goroutines with the same pcs share one.
struct GoroutineStack {
  std::vector<ReportFrame> frames; ///< innermost first; with the runtime's own, and C frames of cgo calls
  StackEnd end = StackEnd::complete;
  std::string end_reason;
  std::uint32_t word_count = 0; ///< argument words of all frames together
};

/// One Go runtime of the process: the program's, or a c-shared library's.
struct GoRuntimeReport {
  std::string version;     ///< "go1.22.1"; empty: not known
  std::string image;       ///< the file that it is in
  std::string layout_note; ///< how its structures were read, where that is not certain; else empty
  /// Its own tracebacks name labels: since 1.27, unless the program's go.mod names an older Go (tracebacklabels=0 among
  /// the defaults of $GODEBUG that the build noted).
  bool labels_in_traceback = false;
};

struct GoroutineReport {
  std::uint64_t id = 0;     ///< unique in its runtime
  std::uint8_t runtime = 0; ///< index into GoReport::runtimes
  RunAddress address;       ///< of its g
  GoroutineStatus status = GoroutineStatus::idle;
  bool being_scanned = false;
  bool system = false; ///< the runtime's own (garbage collector workers, finalizers, …)
  bool locked_to_thread = false;
  bool words_missing = false;               ///< not all argument words could be read
  std::string_view wait_reason;             ///< "chan receive", "sleep (durable)"; empty unless waiting
  std::optional<std::int64_t> wait_seconds; ///< at least so many; nothing: not known
  pid_t thread = 0;                         ///< it is on; 0: none
  std::uint64_t parent_id = 0;              ///< 0: not known
  std::uint64_t bubble = 0;                 ///< the number of its synctest bubble; 0: in none
  RunAddress pc;                            ///< where its walk began; 0: on its thread's registers
  RunAddress sp;
  RunAddress bp;
  RunAddress waiting;           ///< the runtime's record of what it waits for (sudog); 0: none
  RunAddress first_defer;       ///< the runtime's list of its deferred calls
  std::uint32_t stack = 0;      ///< index into GoReport::stacks
  std::uint32_t creation = 0;   ///< index into GoReport::creations; 0: none (the main goroutine)
  std::uint32_t start = 0;      ///< index into GoReport::starts; 0: not known
  std::uint32_t labels = 0;     ///< index into GoReport::label_sets; 0: none
  std::uint64_t first_word = 0; ///< its argument words, in GoReport::words

  std::optional<std::int64_t> wait_minutes() const {
    return wait_seconds ? std::optional(*wait_seconds / 60) : std::nullopt;
  }
  /// As the runtime's traceback names it: the wait reason of a waiting one, else the status.
  std::string_view state() const {
    return !wait_reason.empty() && status == GoroutineStatus::waiting ? wait_reason : status_text(status);
  }
};

struct GoReport;

/// Decodes arguments when a writer asks: a dump of a million goroutines prints a few hundred frames. Reads the target
/// live; valid while the Target is.
class ArgumentValues {
public:
  virtual ~ArgumentValues() = default;
  /// Of a frame of the goroutine's stack, by index; `words` are GoReport::words_of it.
  virtual std::vector<DecodedArgument> decode(const GoReport &report, const GoroutineReport &goroutine,
                                              std::size_t frame, std::span<const std::uint64_t> words) = 0;
};

struct GoReport {
  std::vector<GoRuntimeReport> runtimes;   ///< at least one
  std::vector<GoroutineReport> goroutines; ///< ascending by runtime and id
  std::vector<GoroutineStack> stacks;
  std::vector<CreationSite> creations = {{}};
  std::vector<CreationSite> starts = {{}}; ///< each with the line that its function begins in
  std::vector<LabelSet> label_sets = {{}};
  std::vector<std::uint64_t> words;
  std::deque<ArgumentLayout> layouts; ///< what frames point at
  /// What arguments point to is read when a writer asks, and the process runs on meanwhile; false while it is held.
  bool values_are_later = false;
  std::shared_ptr<ArgumentValues> values; ///< null: not wanted, or the target is gone

  /// " of libA.so" where the process has several runtimes; else empty.
  std::string of_image(const GoroutineReport &goroutine) const;
  const GoroutineStack &stack_of(const GoroutineReport &goroutine) const { return stacks[goroutine.stack]; }
  /// The words of one of its frames; nothing where it has none, or not all of them could be read.
  std::optional<std::span<const std::uint64_t>> words_of(const GoroutineReport &goroutine,
                                                         const ReportFrame &frame) const {
    if (frame.arguments == nullptr || !frame.arguments->known || goroutine.words_missing)
      return std::nullopt;
    const std::uint64_t first = goroutine.first_word + frame.first_word;
    const std::size_t count = frame.arguments->word_count();
    if (first > words.size() || count > words.size() - first)
      return std::nullopt;
    return std::span(words).subspan(first, count);
  }
};

/// Goroutines with the same stack (functions, files, lines), the same state and the same creation site, by index, the
/// longest wait first. Most interesting groups first: running before runnable before blocked; then the longest wait,
/// then the largest group; the runtime's own goroutines last.
std::vector<StackGroup> group_goroutines(const GoReport &report);

} // namespace inspect
