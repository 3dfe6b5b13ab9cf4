// Who waits for whom in a crash text, as far as the words of its calls show it: goroutines that wait for the same lock,
// channel, wait group or condition, and those that have it, or what it lies in, among the words of other calls.
#pragma once

#include "golang/traceback/traceback_text.h"
#include "inspector/explain/frame_decoder.h"

#include <string>
#include <vector>

namespace inspect {

/// Sentences, the most telling first; empty where nothing waits.
std::vector<std::string> explain_waiting(const Traceback &traceback, FrameDecoder &decoder);

} // namespace inspect
