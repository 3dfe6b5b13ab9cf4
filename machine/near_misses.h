// Names that somebody who mistyped may have meant.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// At most three, nearest first: those that begin with `word`, and those within a third of its length in letters added,
/// lost, changed or swapped.
std::vector<std::string> near_misses(std::string_view word, std::span<const std::string> candidates);

/// "; did you mean 'stacks' or 'stop'?", or empty where nothing is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

} // namespace inspect
