#include "inspector/stack_values.h"

#include "inspector/goroutine_details.h"
#include "inspector/module_files_memory.h"
#include "inspector/stack_contexts.h"

#include <algorithm>

namespace inspect {
namespace {

constexpr std::chrono::milliseconds per_value{100};
constexpr std::size_t most_variables = 64; // of one frame in a dump

} // namespace

struct StackValues::State {
  State(Target &inspected, std::shared_ptr<const SnapshotMemory> stacks)
      : target(inspected), captured(std::move(stacks)), files(target.modules()),
        memory({captured.get(), &files, &target.memory()}), program(target) {}

  Target &target;
  std::shared_ptr<const SnapshotMemory> captured;
  ModuleFilesMemory files;
  LayeredMemory memory;
  ProgramValues program;
  // The stack that was asked for last: its frames come one after the other.
  pid_t thread = 0;
  std::uint64_t goroutine = 0;
  Stack stack;
  std::optional<StackContexts> contexts;
  std::optional<std::chrono::steady_clock::time_point> until;

  void take(Stack walked) {
    contexts.reset();
    stack = std::move(walked);
    contexts.emplace(StackContexts::Input{stack, memory, target.modules()});
  }
};

StackValues::StackValues(Target &target, std::shared_ptr<const SnapshotMemory> captured)
    : state_(std::make_unique<State>(target, std::move(captured))) {}

StackValues::~StackValues() = default;

bool StackValues::may_go_on() {
  const auto now = std::chrono::steady_clock::now();
  if (!state_->until)
    state_->until = now + budget;
  if (now < *state_->until)
    return true;
  ++left_out_;
  return false;
}

std::vector<FrameVariable> StackValues::decode(std::span<const ReportFrame> frames, std::size_t frame,
                                               FrameVariables which, const PrintOptions &print) {
  const std::size_t physical = frames[frame].physical;
  if (physical >= state_->stack.frames.size() || frames[frame].guessed || frames[frame].signal)
    return {};
  const auto first = std::ranges::find(frames, physical, &ReportFrame::physical);
  FrameScope scope({.program = state_->program,
                    .memory = state_->memory,
                    .frame = &state_->contexts->at(physical),
                    .inlined = frame - static_cast<std::size_t>(first - frames.begin())});
  // Types that only another unit defines are not worth an index of the whole program here.
  scope.environment().find_type = {};
  return frame_variables(
      scope, which,
      {.print = print, .with_types = true, .most = most_variables, .per_value = per_value, .until = *state_->until});
}

std::vector<FrameVariable> StackValues::variables(const ThreadReport &thread, std::size_t frame, FrameVariables which,
                                                  const PrintOptions &print) {
  if (frame >= thread.frames.size() || thread.stack.frames.empty() || !may_go_on())
    return {};
  const auto &registers = thread.stack.frames.front().registers;
  if (registers == nullptr)
    return {};
  if (state_->thread != thread.thread || !state_->contexts) {
    state_->thread = thread.thread;
    state_->goroutine = 0;
    Stack walked = unwind(*registers, state_->memory, state_->target.modules(),
                          {.max_frames = thread.stack.frames.size(), .keep_registers = true});
    // In a Go process the report's walk followed the runtime from stack to stack, and this one does not: only what both
    // found is the same.
    const auto [differs, unused] =
        std::ranges::mismatch(walked.frames, thread.stack.frames, [](const Frame &left, const Frame &right) {
          return left.pc == right.pc && left.cfa == right.cfa;
        });
    walked.frames.erase(differs, walked.frames.end());
    state_->take(std::move(walked));
  }
  return decode(thread.frames, frame, which, print);
}

std::vector<FrameVariable> StackValues::variables(const ProcessReport &report, const GoroutineReport &goroutine,
                                                  std::size_t frame, FrameVariables which, const PrintOptions &print) {
  if (!report.go || frame >= report.go->stack_of(goroutine).frames.size() || !may_go_on())
    return {};
  if (state_->goroutine != goroutine.id || !state_->contexts) {
    state_->thread = 0;
    state_->goroutine = goroutine.id;
    state_->take(goroutine_stack(state_->target, report, goroutine));
  }
  return decode(report.go->stack_of(goroutine).frames, frame, which, print);
}

} // namespace inspect
