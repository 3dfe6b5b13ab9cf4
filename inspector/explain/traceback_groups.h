// Goroutines of a crash text that are alike, and their argument words folded into one stack: words that are equal for
// all are shown, others are `*` (golang/arguments/pointer_numbers.h), as `inspect stacks` does it.
#pragma once

#include "golang/arguments/pointer_numbers.h"
#include "golang/traceback/traceback_text.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace inspect {

/// Indices into the goroutines, the longest wait first.
using TracebackGroup = std::vector<std::size_t>;

/// The group of `crashed` first, then running before runnable before blocked, the longest wait, the largest group.
/// Where `group` is false each goroutine is its own, in the order of the text.
std::vector<TracebackGroup> group_traceback(const Traceback &traceback, std::optional<std::size_t> crashed, bool group);

/// The words of one frame, over all members.
struct FoldedWords {
  std::vector<FoldedWord> words; ///< nothing: they differ
  bool differ = false;           ///< one of them does, or the form does
};

FoldedWords fold_words(const Traceback &traceback, const TracebackGroup &group, std::size_t frame);

} // namespace inspect
