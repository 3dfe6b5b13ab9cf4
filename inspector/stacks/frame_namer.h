// Turns unwound stacks into reported ones: Go frames are named by the pclntab, as the runtime would, the others by
// symbols and DWARF. Every address is named once. Functions that left for another by a tail call, and so have no frame
// any more, get their line where the debug information leaves only one way.
#pragma once

#include "dwarf/symbolize/symbolizer.h"
#include "golang/runtime/go_runtime.h"
#include "inspector/stacks/report_frame.h"
#include "inspector/target/jit_code.h"

#include <deque>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace inspect {

class FrameNamer {
public:
  /// `runtime` may be null. Layouts of argument words are put into `layouts`, where that is not null. All must outlive
  /// the namer; the frames point into `texts` and `layouts`.
  FrameNamer(Target &target, const GoRuntime *runtime, TextPool &texts, std::deque<ArgumentLayout> *layouts,
             const MemoryView &memory);
  ~FrameNamer();
  FrameNamer(const FrameNamer &) = delete;
  FrameNamer &operator=(const FrameNamer &) = delete;

  /// Appends the lines of the stack, innermost first. Where argument words begin among their goroutine's is counted
  /// from 0; returns how many there are.
  std::uint32_t name(const Stack &stack, std::vector<ReportFrame> &into);

private:
  struct Named {
    ReportFrame frame;
    GoFuncId func_id = GoFuncId::normal;
  };
  const std::vector<RunAddress> &tail_callers(const Frame &frame, const Frame &caller);
  const std::vector<Named> &names_at(RunAddress pc, RunAddress lookup);
  std::vector<Named> go_names(const GoImage &image, RunAddress pc, RunAddress lookup);
  std::vector<Named> native_names(RunAddress lookup);

  Symbolizer &symbolizer_;
  ModuleMap &modules_;
  JitCode jit_code_;
  const GoRuntime *runtime_;
  TextPool &texts_;
  std::deque<ArgumentLayout> *layouts_;
  const MemoryView &memory_;
  std::unordered_map<RunAddress, std::vector<Named>> known_;
  std::map<std::pair<RunAddress, RunAddress>, std::vector<RunAddress>> tail_callers_; ///< by lookup address and return
};

} // namespace inspect
