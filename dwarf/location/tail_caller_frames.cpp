#include "dwarf/location/tail_caller_frames.h"

#include "machine/x86_64/registers.h"

#include <algorithm>

namespace inspect {

TailCallerFrames::TailCallerFrames(const FrameContext &frame, std::span<const RunAddress> behind_jumps)
    : registers_(frame.caller->registers != nullptr ? *frame.caller->registers : RegisterSet()),
      frames_(behind_jumps.size(), *frame.caller) {
  if (frame.cfa) // before a jump the return address is on top of the stack
    registers_.set(x86_64::rsp, frame.cfa->value - 8);
  else
    registers_.forget(x86_64::rsp);
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    FrameContext &gone = frames_[i];
    gone.module = frame.module;
    gone.pc = behind_jumps[i];
    gone.lookup = gone.pc - 1;
    gone.cfa = frame.cfa;
    gone.registers = &registers_;
    gone.caller = i + 1 == frames_.size() ? frame.caller : &frames_[i + 1];
  }
}

const FrameContext *TailCallerFrames::at(RunAddress behind_jump) const {
  const auto found = std::ranges::find(frames_, behind_jump, &FrameContext::pc);
  return found == frames_.end() ? nullptr : &*found;
}

} // namespace inspect
