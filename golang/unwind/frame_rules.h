// How to get from a Go frame to its caller, by pc and remembered: nearly always by adding a number to the stack
// pointer. A million goroutines are parked at the same few hundred pcs.
//
//     const GoFrameRule &rule = rules.at(pc, exact, memory);
//     if (rule.way == GoFrameWay::plain) cfa = stack_pointer + rule.cfa_offset;
//
// A row of call frame information (dwarf/cfi/cfi_table.h) could say no more than the plain way, and would take several
// times the memory and three reads of the stack for one; what they share is the step's outcome, `Caller`.
//
// A few functions of the runtime, in assembly, leave their stack for another one or move the stack pointer in a way
// that the pclntab cannot tell; they are told apart here, by function id and by name, and followed by
// golang/unwind/go_unwind.
//
// Sources: runtime/traceback.go, runtime/asm_amd64.s, runtime/sys_linux_amd64.s, runtime/time_linux_amd64.s and
// runtime/cgo/asm_amd64.s, Go 1.16 to 1.27.
#pragma once

#include "golang/runtime/go_runtime.h"

#include <cstdint>
#include <vector>

namespace inspect {

enum class GoFrameWay : std::uint8_t {
  not_go,        ///< no Go function, or one without a frame table (C code in an internally linked binary)
  plain,         ///< the CFA is the stack pointer plus `cfa_offset`, the return address the word below it
  outermost,     ///< nothing called it
  system_stack,  ///< runtime.systemstack: calls on the thread's system stack
  switch_call,   ///< runtime.mcall, runtime.morestack: save the goroutine and go on on the system stack
  resume,        ///< runtime.gogo: leaves the system stack for a goroutine
  call_c,        ///< runtime.asmcgocall
  call_c_no_g,   ///< runtime.asmcgocall_no_g
  callback,      ///< runtime.cgocallback: from C on the system stack to Go on the goroutine's
  enter_from_c,  ///< crosscall2: saves the registers that C functions rely on
  signal_return, ///< runtime.sigreturn: what the kernel lets a signal handler return to
  new_thread,    ///< runtime.clone: has no caller in the new thread
  crash_stack,   ///< runtime.switchToCrashStack0: the stack before it is given up
  saved_sp,      ///< moves the stack pointer and keeps the former one in a register
  moved_sp,      ///< moves the stack pointer, nobody knows how
};

struct GoFrameRule {
  RunAddress entry;             ///< of the function
  std::int32_t cfa_offset = 0;  ///< bytes from the stack pointer at this pc
  std::int32_t body_offset = 0; ///< call_c*, saved_sp: the same at the instruction that saves the stack pointer
  GoFrameWay way = GoFrameWay::not_go;
  std::uint8_t saved_in = 0;  ///< saved_sp, call_c*: DWARF number of the register with the former stack pointer
  bool past_save = false;     ///< the pc is behind the instruction that saves the stack pointer
  bool at_entry = false;      ///< nobody called from in front of this pc: a goroutine that has not run yet
  bool injects_call = false;  ///< a signal handler made up the call: the caller's pc is not a return address
  bool frame_pointer = false; ///< the caller's is kept right below the return address, or still in its register
};

class GoFrameRules {
public:
  explicit GoFrameRules(const GoRuntime &runtime);

  /// `exact`: the instruction at `pc` is about to be executed; else `pc` is a return address. `memory` is read for the
  /// code of the few functions that move the stack pointer. Valid until the next call.
  const GoFrameRule &at(RunAddress pc, bool exact, const MemoryView &memory) {
    const Slot &slot = slots_[place_of(key_of(pc, exact))];
    return slot.key == key_of(pc, exact) ? slot.rule : add(pc, exact, memory);
  }

private:
  struct Slot {
    std::uint64_t key = 0; ///< 0: free
    GoFrameRule rule;
  };

  static std::uint64_t key_of(RunAddress pc, bool exact) { return pc.value << 1U | (exact ? 1U : 0U); }
  /// Where the key is or would be.
  std::size_t place_of(std::uint64_t key) const {
    std::size_t place = (key * 0x9e3779b97f4a7c15ULL) >> 32U & (slots_.size() - 1);
    while (slots_[place].key != 0 && slots_[place].key != key)
      place = (place + 1) & (slots_.size() - 1);
    return place;
  }
  const GoFrameRule &add(RunAddress pc, bool exact, const MemoryView &memory);
  void grow();
  GoFrameRule find(RunAddress pc, bool exact, const MemoryView &memory) const;
  void find_saved_stack_pointer(GoFrameRule &rule, const Pclntab &table, const GoFunction &function, RunAddress inside,
                                const MemoryView &memory) const;

  const GoRuntime &runtime_;
  std::vector<Slot> slots_; ///< open addressing; a power of two
  std::size_t used_ = 0;
  GoFrameRule not_go_;
};

} // namespace inspect
