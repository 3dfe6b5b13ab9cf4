// Arguments and locals of the frames of a dump, decoded when a writer asks for those that it prints: of a thousand
// threads with the same stack only a few. Threads have the registers of their frames in the report
// (ReportOptions::max_equal_with_registers); a goroutine, whose report keeps only what it shares with others, is walked
// when it is asked for.
//
//     if (report.values)
//       for (const FrameVariable &variable : report.values->variables(thread, 2, FrameVariables::arguments, options)) …
#pragma once

#include "inspector/scope/printed_variables.h"
#include "inspector/stacks/stack_report.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <vector>

namespace inspect {

class DumpVariables {
public:
  /// `captured` are the copied stacks. The target must outlive the object, and keep its modules.
  /// `threads` are the stacks, with registers, of those that run goroutines.
  DumpVariables(Target &target, std::shared_ptr<const SnapshotMemory> captured, std::map<pid_t, Stack> threads);
  ~DumpVariables();
  DumpVariables(const DumpVariables &) = delete;
  DumpVariables &operator=(const DumpVariables &) = delete;

  /// Of a line of the thread's stack; empty where there is no debug information for it, where it is guessed, and
  /// where its registers were not kept. The thread is one of the report that has this object.
  std::vector<FrameVariable> variables(const ThreadReport &thread, std::size_t frame, FrameVariables which,
                                       const PrintOptions &print);
  /// The same of a goroutine's frame; only where the debug information describes it.
  std::vector<FrameVariable> variables(const GoReport &report, const GoroutineReport &goroutine, std::size_t frame,
                                       FrameVariables which, const PrintOptions &print);
  /// Whether there is time left for more values.
  bool has_time() const;
  /// How long all of it may take, from the first value on; what is asked for later is left out.
  static constexpr std::chrono::milliseconds budget{2000};
  /// How many frames were asked for after that.
  std::size_t frames_left_out() const { return left_out_; }

private:
  struct State;
  struct WalkedStack;
  std::vector<FrameVariable> decode(WalkedStack &walked, std::span<const ReportFrame> frames, std::size_t frame,
                                    FrameVariables which, const PrintOptions &print);
  bool may_go_on();

  std::unique_ptr<State> state_;
  std::size_t left_out_ = 0;
};

} // namespace inspect
