#include "golang/unwind/frame_rules.h"

#include "golang/unwind/x86_64/saved_stack_pointer.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace inspect {
namespace {

constexpr std::size_t first_slots = 1024;
/// A program has at most some ten million pcs, a sound process stands at a few thousand of them; a hostile stack must
/// not fill the memory.
constexpr std::size_t max_rules = std::size_t{1} << 20U;
/// The functions that move the stack pointer are shorter.
constexpr std::size_t max_assembly_length = 1024;
constexpr std::int32_t return_address_size = 8;
/// What a table may say at most; the runtime's limit for a stack on 64-bit systems is 1 GB (runtime/proc.go).
constexpr std::int32_t max_frame_size = 1 << 30;

struct NamedWay {
  std::string_view name;
  GoFrameWay way;
};

constexpr auto named_ways = std::to_array<NamedWay>({
    {"crosscall2", GoFrameWay::enter_from_c},
    {"gogo", GoFrameWay::resume}, // the part of runtime.gogo that switches, since 1.17
    {"runtime.asmcgocall_no_g", GoFrameWay::call_c_no_g},
    {"runtime.clone", GoFrameWay::new_thread},
    {"runtime.cgoSigtramp", GoFrameWay::plain},
    {"runtime.sigprofNonGoWrapper", GoFrameWay::plain},
    {"runtime.sigreturn", GoFrameWay::signal_return},
    {"runtime.sigreturn__sigaction", GoFrameWay::signal_return}, // since 1.21
    {"runtime.sigtramp", GoFrameWay::plain}, // marked as outermost since 1.19, but a signal frame called it
    {"runtime.switchToCrashStack0", GoFrameWay::crash_stack},
});

/// Go 1.16 does not mark the functions that move the stack pointer.
constexpr auto stack_pointer_writers = std::to_array<std::string_view>({
    "runtime.callCgoMmap",
    "runtime.callCgoMunmap",
    "runtime.callCgoSigaction",
    "runtime.msancall",
    "runtime.nanotime1",
    "runtime.racecall",
    "runtime.sigfwd",
    "runtime.walltime1",
});

GoFrameWay way_of(const GoFunction &function, GoVersion version) {
  switch (function.func_id) {
  case GoFuncId::goexit:
  case GoFuncId::mstart:
  case GoFuncId::rt0_go:
    return GoFrameWay::outermost;
  case GoFuncId::systemstack:
    return GoFrameWay::system_stack;
  case GoFuncId::mcall:
  case GoFuncId::morestack:
    return GoFrameWay::switch_call;
  case GoFuncId::gogo:
    return GoFrameWay::resume;
  case GoFuncId::asmcgocall:
    return GoFrameWay::call_c;
  case GoFuncId::cgocallback:
    return GoFrameWay::callback;
  case GoFuncId::wrapper: // a compiled one may have the name of the assembly function that it calls
    return GoFrameWay::plain;
  default:
    break;
  }
  if (const auto *named = std::ranges::find(named_ways, function.name, &NamedWay::name); named != named_ways.end())
    return named->way;
  if (function.top_frame)
    return GoFrameWay::outermost;
  const bool unmarked = version < GoVersion{1, 17} && std::ranges::count(stack_pointer_writers, function.name) > 0;
  return function.writes_stack_pointer || unmarked ? GoFrameWay::moved_sp : GoFrameWay::plain;
}

bool injects_call(GoFuncId func_id) {
  return func_id == GoFuncId::sigpanic || func_id == GoFuncId::async_preempt || func_id == GoFuncId::debug_call;
}

/// The distance of the CFA from the stack pointer.
std::optional<std::int32_t> cfa_offset(const Pclntab &table, const GoFunction &function, RunAddress pc) {
  const auto delta = table.stack_delta(function, pc);
  if (!delta || *delta < 0 || *delta > max_frame_size)
    return std::nullopt;
  return *delta + return_address_size;
}

} // namespace

GoFrameRules::GoFrameRules(const GoRuntime &runtime) : runtime_(runtime), slots_(first_slots) {}

const GoFrameRule &GoFrameRules::add(RunAddress pc, bool exact, const MemoryView &memory) {
  const std::uint64_t key = key_of(pc, exact);
  if (key <= 1)
    return not_go_;
  if (used_ * 2 >= slots_.size())
    grow();
  Slot &slot = slots_[place_of(key)];
  slot = {key, find(pc, exact, memory)};
  ++used_;
  return slot.rule;
}

void GoFrameRules::grow() {
  if (used_ >= max_rules) {
    slots_.assign(first_slots, {});
    used_ = 0;
    return;
  }
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
  for (const Slot &slot : old)
    if (slot.key != 0)
      slots_[place_of(slot.key)] = slot;
}

GoFrameRule GoFrameRules::find(RunAddress pc, bool exact, const MemoryView &memory) const {
  GoFrameRule rule;
  const GoImage *image = runtime_.find(exact ? pc : pc - 1);
  if (image == nullptr || image->table == nullptr || !runtime_.runs(*image))
    return rule;
  auto function = image->table->find(pc);
  if (function && function->entry == pc)
    rule.at_entry = !exact;
  else if (!exact)
    function = image->table->find(pc - 1);
  if (!function)
    return rule;
  // As the runtime does, at a return address, too, the frame's size is looked up where the function goes on: a panic
  // that is recovered makes it go on in front of a call.
  const RunAddress inside = pc < function->end ? pc : pc - 1;
  const auto offset = cfa_offset(*image->table, *function, inside);
  rule.entry = function->entry;
  rule.way = way_of(*function, runtime_.version());
  const bool needs_offset = rule.way != GoFrameWay::outermost && rule.way != GoFrameWay::signal_return;
  if (!offset && needs_offset)
    return {};
  rule.cfa_offset = rule.body_offset = offset.value_or(return_address_size);
  rule.injects_call = injects_call(function->func_id);
  // Go 1.16 does not mark assembly; its assembler keeps the frame pointer like the compiler where there is a frame.
  rule.frame_pointer = !function->assembly;
  const bool may_save =
      rule.way == GoFrameWay::moved_sp || rule.way == GoFrameWay::call_c || rule.way == GoFrameWay::call_c_no_g;
  if (may_save)
    find_saved_stack_pointer(rule, *image->table, *function, inside, memory);
  return rule;
}

void GoFrameRules::find_saved_stack_pointer(GoFrameRule &rule, const Pclntab &table, const GoFunction &function,
                                            RunAddress inside, const MemoryView &memory) const {
  std::array<std::byte, max_assembly_length> code;
  const std::size_t size = std::min<std::uint64_t>(code.size(), function.end - function.entry);
  if (!memory.read(function.entry, std::span(code).first(size)))
    return;
  const auto saved = x86_64::find_saved_stack_pointer(std::span(code).first(size));
  if (!saved)
    return;
  const auto offset = cfa_offset(table, function, function.entry + saved->offset);
  if (!offset)
    return;
  rule.saved_in = static_cast<std::uint8_t>(saved->saved_in);
  rule.body_offset = *offset;
  rule.past_save = inside >= function.entry + saved->end;
  if (rule.way == GoFrameWay::moved_sp)
    rule.way = GoFrameWay::saved_sp;
}

} // namespace inspect
