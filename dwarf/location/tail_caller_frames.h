// Functions that left for a frame's function by tail calls, as frames of their own: each as it stood at its jump. The
// registers that calls keep were its caller's again by then; its part of the stack was gone.
//
//     const TailCallerFrames gone(frame, missing_tail_callers(frame));
//     auto location = locate_at_entry(parameter, *gone.at(behind_jump));
#pragma once

#include "dwarf/location/frame_context.h"

#include <span>
#include <vector>

namespace inspect {

class TailCallerFrames {
public:
  /// What each of them left behind: the addresses behind their jumps, the innermost first. The frame needs a caller; it
  /// and its callers must outlive the object.
  TailCallerFrames(const FrameContext &frame, std::span<const RunAddress> behind_jumps);
  TailCallerFrames(const TailCallerFrames &) = delete;
  TailCallerFrames &operator=(const TailCallerFrames &) = delete;

  /// Null where none of them left in front of the address.
  const FrameContext *at(RunAddress behind_jump) const;
  /// The one that left for the frame itself; there is one.
  const FrameContext &innermost() const { return frames_.front(); }

private:
  RegisterSet registers_;
  std::vector<FrameContext> frames_; ///< innermost first; they point at each other
};

} // namespace inspect
