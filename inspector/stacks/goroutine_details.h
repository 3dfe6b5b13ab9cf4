// What is asked of one goroutine at a time: the channels it waits on and the calls it has deferred. The runtime's
// records of both are in the heap, which a snapshot does not copy: they are read from the running process, so that a
// goroutine that has gone on meanwhile is said to have.
#pragma once

#include "inspector/stacks/stack_report.h"

#include <span>
#include <string>
#include <vector>

namespace inspect {

/// The goroutine's stack again, with CFAs and registers: a report keeps only what all goroutines with the same pcs
/// share. Its frames are those that ReportFrame::physical counts. Of one that has gone on since the report, what is
/// left of it.
Stack goroutine_stack(Target &target, const ProcessReport &report, const GoroutineReport &goroutine);
/// The same from parts of a report: `reported` are the goroutine's frames there, `thread_stack` that of the thread it
/// is on, null without one.
Stack goroutine_stack(Target &target, const MemoryView *captured, const GoroutineReport &goroutine,
                      std::span<const ReportFrame> reported, const Stack *thread_stack);

struct WaitedChannel {
  enum class Direction : std::uint8_t { unknown, receive, send };

  RunAddress channel;
  Direction direction = Direction::unknown;
  std::string element;        ///< its type, "main.answer"; empty: not known
  std::uint64_t count = 0;    ///< elements in the buffer
  std::uint64_t capacity = 0; ///< of the buffer
  bool closed = false;
};

/// Of a goroutine that waits in a channel operation or a select; empty for others. not_found: it has gone on since.
Result<std::vector<WaitedChannel>> waited_channels(Target &target, const GoroutineReport &goroutine);

/// Which of the goroutines wait on the channel, by index; in one pass over all of them. not_found: what lies there is
/// no channel.
Result<std::vector<std::uint32_t>> goroutines_waiting_on(Target &target, const GoReport &report, RunAddress channel);

struct DeferredCall {
  std::string function; ///< what will be called; empty: not known
  std::string file;     ///< of the defer statement where it is known, else of the function
  int line = 0;
  bool at_statement = false; ///< file and line are the defer statement's
  std::string by;            ///< the function that deferred it; empty: not known
};

/// Newest first.
Result<std::vector<DeferredCall>> deferred_calls_of(Target &target, const ProcessReport &report,
                                                    const GoroutineReport &goroutine,
                                                    std::vector<std::string> &warnings);

} // namespace inspect
