// What `goroutines` is asked for, in dlv's words.
#pragma once

#include "commands/frames/goroutine_selection.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace inspect {

struct GoroutineRequest {
  GoroutineLocation location = GoroutineLocation::user;
  std::vector<GoroutineTest> conditions; ///< all must hold
  std::optional<GoroutineKey> group_by;
  std::optional<GoroutineLocation> group_place; ///< the place that they are grouped by
  std::string channel;                          ///< an expression; empty: any
  bool stacks = false;
  std::size_t depth = 0; ///< lines of a stack; 0: the session's setting
  bool labels = false;
  bool internal = false;
  bool by_wait = false;             ///< a condition on the wait time is among them
  std::vector<std::string> command; ///< to be run for each
  bool command_says_which = false;  ///< its output begins with the goroutine's title

  bool accepts(const GoReport &report, const GoroutineReport &goroutine) const;
};

/// usage says what is wrong with which word.
Result<GoroutineRequest> parse_goroutine_request(std::span<const std::string> words);

} // namespace inspect
