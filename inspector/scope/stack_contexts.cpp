#include "inspector/scope/stack_contexts.h"

#include "dwarf/location/call_sites.h"
#include "dwarf/location/thread_local_storage.h"
#include "machine/x86_64/registers.h"

namespace inspect {
namespace {

/// How far values are looked for in callers: an entry value may be an entry value of the caller's again, but chains of
/// more than a few do not occur.
constexpr std::size_t max_callers = 32;

} // namespace

const FrameContext &StackContexts::at(std::size_t physical) {
  if (const auto known = contexts_.find(physical); known != contexts_.end())
    return known->second;
  std::size_t outermost = physical;
  while (outermost - physical < max_callers && is_called_by_next(outermost) && !contexts_.contains(outermost))
    ++outermost;
  for (std::size_t i = outermost + 1; i-- > physical;) {
    const auto [at, is_new] = contexts_.try_emplace(i, FrameContext());
    if (!is_new)
      continue;
    at->second = make(i);
    if (const auto caller = contexts_.find(i + 1); caller != contexts_.end() && is_called_by_next(i))
      at->second.caller = &caller->second;
  }
  return contexts_.at(physical);
}

const FrameContext *StackContexts::tail_caller(std::size_t physical, RunAddress behind_jump) {
  const FrameContext &frame = at(physical);
  if (frame.caller == nullptr)
    return nullptr;
  const auto [entry, is_new] = shown_tail_callers_.try_emplace({physical, behind_jump});
  auto &[shown, registers] = entry->second;
  if (!is_new)
    return shown.module != nullptr ? &shown : nullptr;
  const auto gone = tail_callers_.try_emplace(physical, frame, missing_tail_callers(frame)).first;
  const FrameContext *found = gone->second.at(behind_jump);
  if (found == nullptr)
    return nullptr;
  registers = *found->registers;
  registers.forget(x86_64::rsp);
  shown = *found;
  shown.cfa.reset();
  shown.registers = &registers;
  return &shown;
}

/// Whether the next frame called this one at the place where it stands: not where a signal interrupted it, and not
/// where it was guessed.
bool StackContexts::is_called_by_next(std::size_t physical) const {
  const auto &frames = input_.stack.frames;
  if (physical + 1 >= frames.size())
    return false;
  const Frame &next = frames[physical + 1];
  return !frames[physical].guessed() && !next.guessed() && next.pc_is_return_address && next.registers != nullptr;
}

FrameContext StackContexts::make(std::size_t physical) const {
  const Frame &frame = input_.stack.frames[physical];
  FrameContext context;
  context.module = input_.modules.find(frame.lookup_address());
  context.pc = frame.pc;
  context.lookup = frame.lookup_address();
  context.registers = frame.registers.get();
  if (frame.cfa.value != 0)
    context.cfa = frame.cfa;
  context.memory = &input_.memory;
  context.modules = &input_.modules;
  const auto &innermost = input_.stack.frames.front().registers;
  const auto thread_pointer = innermost != nullptr ? innermost->get(x86_64::fs_base) : std::nullopt;
  if (thread_pointer)
    context.thread_local_address = [this, base = RunAddress{*thread_pointer}](Module &module, std::uint64_t offset) {
      return thread_local_address(module, offset, base, input_.modules, input_.memory);
    };
  return context;
}

} // namespace inspect
