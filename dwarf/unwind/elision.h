// What is left out in the middle of a stack that is deeper than anybody reads: the innermost frames say what it does,
// the outermost ones how it began. Go's runtime prints 50 of each ("...additional frames elided...").
#pragma once

#include "dwarf/unwind/unwinder.h"

namespace inspect {

/// Before a frame is added to the stack: false where there is to be no further one. Past the limit the frames before
/// the last UnwindLimits::outermost_frames are dropped now and then.
bool make_room_for_frame(Stack &stack, const UnwindLimits &limits);

/// When the walk is over: drops what is between the innermost and the outermost frames. Where the walk was given up,
/// the last frames are none of the outermost, and go.
void finish_elision(Stack &stack, const UnwindLimits &limits);

} // namespace inspect
