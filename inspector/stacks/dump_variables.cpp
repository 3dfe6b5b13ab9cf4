#include "inspector/stacks/dump_variables.h"

#include "inspector/scope/stack_contexts.h"
#include "inspector/stacks/goroutine_details.h"
#include "inspector/target/module_files_memory.h"

#include <algorithm>
#include <map>
#include <utility>

namespace inspect {
namespace {

constexpr std::chrono::milliseconds per_value{100};
constexpr std::size_t max_variables = 64; // of one frame in a dump
constexpr std::size_t max_kept = 8;       // stacks

} // namespace

/// A stack with registers, and its frames as expressions see them; it does not move.
struct DumpVariables::WalkedStack {
  /// One of the report's, which outlives it.
  WalkedStack(const Stack &reported, const MemoryView &memory, ModuleMap &modules)
      : stack(reported), contexts({stack, memory, modules}) {}
  WalkedStack(Stack &&walked, const MemoryView &memory, ModuleMap &modules)
      : own(std::move(walked)), stack(own), contexts({stack, memory, modules}) {}

  Stack own;
  const Stack &stack;
  StackContexts contexts;
};

struct DumpVariables::State {
  State(Target &inspected, std::shared_ptr<const SnapshotMemory> stacks, std::map<pid_t, Stack> stacks_of_threads)
      : target(inspected), captured(std::move(stacks)), threads(std::move(stacks_of_threads)), files(target.modules()),
        memory({captured.get(), &files, &target.memory()}), program(target) {}

  Target &target;
  std::shared_ptr<const SnapshotMemory> captured;
  std::map<pid_t, Stack> threads;
  ModuleFilesMemory files;
  LayeredMemory memory;
  ProgramValues program;
  // Frames are asked for one after the other, of the few threads of a group in turn. Goroutines' ids and threads' are
  // told apart by the first.
  std::map<std::pair<bool, std::uint64_t>, WalkedStack> walked;
  std::optional<std::chrono::steady_clock::time_point> until;

  template <typename StackOf> WalkedStack &stack_of(bool is_goroutine, std::uint64_t id, const StackOf &stack) {
    const std::pair key(is_goroutine, id);
    if (const auto known = walked.find(key); known != walked.end())
      return known->second;
    if (walked.size() >= max_kept)
      walked.clear();
    return walked.try_emplace(key, stack(), memory, target.modules()).first->second;
  }
};

DumpVariables::DumpVariables(Target &target, std::shared_ptr<const SnapshotMemory> captured,
                             std::map<pid_t, Stack> threads)
    : state_(std::make_unique<State>(target, std::move(captured), std::move(threads))) {}

DumpVariables::~DumpVariables() = default;

bool DumpVariables::has_time() const {
  return !state_->until || std::chrono::steady_clock::now() < *state_->until;
}

bool DumpVariables::may_go_on() {
  const auto now = std::chrono::steady_clock::now();
  if (!state_->until)
    state_->until = now + budget;
  if (now < *state_->until)
    return true;
  ++left_out_;
  return false;
}

std::vector<FrameVariable> DumpVariables::decode(WalkedStack &walked, std::span<const ReportFrame> frames,
                                                 std::size_t frame, FrameVariables which, const PrintOptions &print) {
  const auto [physical, inlined] = place_of_line(frames, frame);
  if (physical >= walked.stack.frames.size() || frames[frame].guessed || frames[frame].signal)
    return {};
  const FrameContext *context =
      frames[frame].tail_call ? walked.contexts.tail_caller(physical, frames[frame].pc) : &walked.contexts.at(physical);
  if (context == nullptr)
    return {};
  FrameScope scope({.program = state_->program, .memory = state_->memory, .frame = context, .inlined = inlined});
  // Types that only another unit defines are not worth an index of the whole program here.
  scope.environment().find_type = {};
  return frame_variables(scope, which,
                         {.print = print,
                          .with_types = true,
                          .max_variables = max_variables,
                          .per_value = per_value,
                          .until = *state_->until});
}

std::vector<FrameVariable> DumpVariables::variables(const ThreadReport &thread, std::size_t frame, FrameVariables which,
                                                    const PrintOptions &print) {
  if (frame >= thread.frames.size() || thread.stack.frames.empty() ||
      thread.stack.frames.front().registers == nullptr || !may_go_on())
    return {};
  WalkedStack &walked = state_->stack_of(false, static_cast<std::uint64_t>(thread.thread),
                                         [&]() -> const Stack & { return thread.stack; });
  return decode(walked, thread.frames, frame, which, print);
}

std::vector<FrameVariable> DumpVariables::variables(const GoReport &report, const GoroutineReport &goroutine,
                                                    std::size_t frame, FrameVariables which,
                                                    const PrintOptions &print) {
  const std::vector<ReportFrame> &frames = report.stack_of(goroutine).frames;
  if (frame >= frames.size() || !may_go_on())
    return {};
  WalkedStack &walked = state_->stack_of(true, std::uint64_t{goroutine.runtime} << 56U | goroutine.id, [&] {
    const auto thread = state_->threads.find(goroutine.thread);
    return goroutine_stack(state_->target, state_->captured.get(), goroutine, frames,
                           thread != state_->threads.end() ? &thread->second : nullptr);
  });
  return decode(walked, frames, frame, which, print);
}

} // namespace inspect
