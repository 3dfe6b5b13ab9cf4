#include "inspector/stacks/goroutine_details.h"

#include "golang/goroutines/deferred_calls.h"
#include "golang/types/runtime_types.h"
#include "golang/unwind/go_unwind.h"
#include "machine/x86_64/registers.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::size_t max_cases = 65536; // of a select
constexpr std::size_t max_in_queue = 1'000'000;

Error gone_on(const GoroutineReport &goroutine) {
  return Error(ErrorKind::not_found, fmt::format("goroutine {} has gone on since it was looked at", goroutine.id),
               "look again, or hold the process with `stop`");
}

RunAddress field(RunAddress record, FieldOffset offset) {
  return record + static_cast<std::uint64_t>(offset);
}

/// What a goroutine waits for, one channel or one case of a select: the runtime's record (sudog) and the channel.
struct ChannelWait {
  RunAddress record;
  RunAddress channel;
};

/// Those of a chain of sudogs, which must all be the goroutine's own.
Result<std::vector<ChannelWait>> channel_waits(const MemoryView &memory, const RuntimeLayout::Sudog &layout,
                                               const GoroutineReport &goroutine) {
  std::vector<ChannelWait> waits;
  RunAddress record = goroutine.waiting;
  for (std::size_t i = 0; record.value != 0 && i < max_cases; ++i) {
    const auto owner = read_word(memory, field(record, layout.g));
    const auto channel = read_word(memory, field(record, layout.channel));
    const auto next = read_word(memory, field(record, layout.wait_link));
    if (!owner || !channel || !next || *owner != goroutine.address.value)
      return std::unexpected(gone_on(goroutine));
    if (*channel != 0)
      waits.push_back({record, RunAddress{*channel}});
    record = RunAddress{*next};
  }
  return waits;
}

/// Whether the record stands in the queue of those who want to receive, or to send.
bool is_in_queue(const MemoryView &memory, const RuntimeLayout &layout, RunAddress queue, RunAddress record) {
  auto at = read_word(memory, queue);
  for (std::size_t i = 0; at && *at != 0 && i < max_in_queue; ++i) {
    if (*at == record.value)
      return true;
    at = read_word(memory, field(RunAddress{*at}, layout.sudog.next));
  }
  return false;
}

WaitedChannel::Direction direction_of(const MemoryView &memory, const RuntimeLayout &layout,
                                      const GoroutineReport &goroutine, const ChannelWait &wait) {
  if (goroutine.wait_reason.starts_with("chan receive"))
    return WaitedChannel::Direction::receive;
  if (goroutine.wait_reason.starts_with("chan send"))
    return WaitedChannel::Direction::send;
  if (is_in_queue(memory, layout, field(wait.channel, layout.channel.receive_queue), wait.record))
    return WaitedChannel::Direction::receive;
  if (is_in_queue(memory, layout, field(wait.channel, layout.channel.send_queue), wait.record))
    return WaitedChannel::Direction::send;
  return WaitedChannel::Direction::unknown;
}

std::string element_of(const MemoryView &memory, const RuntimeLayout &layout, GoRuntimeTypes &types,
                       RunAddress channel) {
  const auto description = read_word(memory, field(channel, layout.channel.element_type));
  const GoType *type = description && *description != 0 ? types.at(RunAddress{*description}) : nullptr;
  return type != nullptr ? type->name : std::string();
}

Error no_channel(RunAddress address) {
  return Error(ErrorKind::not_found, fmt::format("there is no channel at {:#x}", address.value),
               "goroutine ID shows the address of the channel that it waits on");
}

/// Only what waits in a channel operation has sudogs with channels; those of mutexes and the like have none.
bool waits_on_channels(const GoroutineReport &goroutine) {
  return goroutine.waiting.value != 0 && goroutine.status == GoroutineStatus::waiting;
}

DeferredCall described(const GoRuntime &runtime, const GoDeferredCall &call, const Stack &stack) {
  DeferredCall text;
  const auto place = [&](RunAddress pc) {
    const auto found = runtime.function_at(pc);
    return found ? found->image->table->frames(found->function, pc) : std::vector<GoSourceFrame>();
  };
  if (const auto called = place(call.function); !called.empty()) {
    text.function = called.back().function;
    text.file = called.back().file;
    text.line = called.back().line;
  }
  if (call.frame < stack.frames.size())
    if (const auto by = place(stack.frames[call.frame].lookup_address()); !by.empty())
      text.by = by.back().function;
  if (call.deferred_at.value != 0)
    if (const auto statement = place(call.deferred_at - 1); !statement.empty()) {
      text.file = statement.front().file;
      text.line = statement.front().line;
      text.at_statement = true;
    }
  return text;
}

} // namespace

Stack goroutine_stack(Target &target, const ProcessReport &report, const GoroutineReport &goroutine) {
  const auto thread = std::ranges::find(report.threads, goroutine.thread, &ThreadReport::thread);
  return goroutine_stack(target, report.captured.get(), goroutine, report.go->stack_of(goroutine).frames,
                         thread != report.threads.end() ? &thread->stack : nullptr);
}

Stack goroutine_stack(Target &target, const MemoryView *captured, const GoroutineReport &goroutine,
                      std::span<const ReportFrame> reported, const Stack *thread_stack) {
  const auto runtime = target.go_runtime(goroutine.runtime);
  if (goroutine.pc.value == 0 || !runtime)
    return thread_stack != nullptr ? *thread_stack : Stack{};
  const LayeredMemory memory({captured, &target.memory()});
  RegisterSet registers;
  registers.set(x86_64::return_address, goroutine.pc.value);
  registers.set(x86_64::rsp, goroutine.sp.value);
  registers.set(x86_64::rbp, goroutine.bp.value);
  GoUnwind unwinding(**runtime);
  unwinding.begin({});
  UnwindLimits limits{.keep_registers = true, .extension = &unwinding, .starts_at_return_address = true};
  const auto gap = std::ranges::find_if(reported, [](const ReportFrame &one) { return one.elided_before > 0; });
  if (gap != reported.end()) {
    // Frames are known by their numbers, and those behind the gap begin at the same one again. In a system call, where
    // the thread's frames count, too, there are none behind it.
    limits.max_frames = gap->physical;
    limits.outermost_frames = goroutine.thread == 0 ? reported.back().physical + 1 - gap->physical : 0;
    limits.max_elided = max_elided_frames;
  }
  Stack stack = unwind(registers, memory, target.modules(), limits);
  if (gap != reported.end() && goroutine.thread != 0)
    return stack;
  // In a system call the thread's own frames come first, as many as the reported stack has more.
  const std::size_t all = reported.empty() ? 0 : reported.back().physical + 1;
  if (thread_stack != nullptr && all > stack.frames.size()) {
    const std::size_t inner = std::min(all - stack.frames.size(), thread_stack->frames.size());
    stack.frames.insert(stack.frames.begin(), thread_stack->frames.begin(),
                        thread_stack->frames.begin() + static_cast<std::ptrdiff_t>(inner));
  }
  return stack;
}

Result<std::vector<WaitedChannel>> waited_channels(Target &target, const GoroutineReport &goroutine) {
  const auto runtime = target.go_runtime(goroutine.runtime);
  if (!runtime)
    return std::unexpected(runtime.error());
  std::vector<WaitedChannel> result;
  if (!waits_on_channels(goroutine))
    return result;
  const RuntimeLayout &layout = (*runtime)->layout();
  const MemoryView &memory = target.memory();
  const auto waits = channel_waits(memory, layout.sudog, goroutine);
  if (!waits)
    return std::unexpected(waits.error());
  GoRuntimeTypes types((*runtime)->images(), (*runtime)->version(), memory);
  for (const ChannelWait &wait : *waits) {
    const auto count = read_word(memory, field(wait.channel, layout.channel.count));
    const auto capacity = read_word(memory, field(wait.channel, layout.channel.capacity));
    const auto closed = read_value<std::uint32_t>(memory, field(wait.channel, layout.channel.closed));
    if (!count || !capacity || !closed)
      return std::unexpected(gone_on(goroutine));
    result.push_back({.channel = wait.channel,
                      .direction = direction_of(memory, layout, goroutine, wait),
                      .element = element_of(memory, layout, types, wait.channel),
                      .count = *count,
                      .capacity = *capacity,
                      .closed = *closed != 0});
  }
  return result;
}

Result<std::vector<std::uint32_t>> goroutines_waiting_on(Target &target, const GoReport &report, RunAddress channel) {
  const auto first = target.go_runtime();
  if (!first)
    return std::unexpected(first.error());
  const RuntimeLayout::Hchan &of_channel = (*first)->layout().channel; // these fields have never moved
  const auto count = read_word(target.memory(), field(channel, of_channel.count));
  const auto capacity = read_word(target.memory(), field(channel, of_channel.capacity));
  if (!count || !capacity || *count > *capacity)
    return std::unexpected(no_channel(channel));
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < report.goroutines.size(); ++i) {
    if (!waits_on_channels(report.goroutines[i]))
      continue;
    const auto runtime = target.go_runtime(report.goroutines[i].runtime);
    if (!runtime)
      return std::unexpected(runtime.error());
    const auto waits = channel_waits(target.memory(), (*runtime)->layout().sudog, report.goroutines[i]);
    if (waits && std::ranges::find(*waits, channel, &ChannelWait::channel) != waits->end())
      found.push_back(i);
  }
  return found;
}

Result<std::vector<DeferredCall>> deferred_calls_of(Target &target, const ProcessReport &report,
                                                    const GoroutineReport &goroutine,
                                                    std::vector<std::string> &warnings) {
  const auto runtime = target.go_runtime(goroutine.runtime);
  if (!runtime)
    return std::unexpected(runtime.error());
  const Stack stack = goroutine_stack(target, report, goroutine);
  std::vector<GoPhysicalFrame> frames;
  frames.reserve(stack.frames.size());
  for (const Frame &frame : stack.frames)
    frames.push_back({frame.lookup_address(), frame.cfa});
  const LayeredMemory memory({report.captured.get(), &target.memory()});
  std::vector<DeferredCall> calls;
  for (const GoDeferredCall &call : deferred_calls(**runtime, memory, goroutine.first_defer, frames, warnings))
    calls.push_back(described(**runtime, call, stack));
  return calls;
}

} // namespace inspect
