// The selection and grouping words of `goroutines`, as dlv has them: -with and -without conditions, -group keys, and
// -waiting with a duration.
//
//     -with userloc REGEX | curloc REGEX | goloc REGEX | startloc REGEX      the frame's function or file matches
//     -with label KEY | label KEY=VALUE | running | user
//     -group userloc | curloc | goloc | startloc | running | user | label KEY
//     -waiting '>5m'
#pragma once

#include "commands/cli/command_spec.h"
#include "inspector/stacks/goroutine_report.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// Which place of a goroutine is meant.
enum class GoroutineLocation : std::uint8_t {
  user,    ///< program_frame(): the innermost frame outside the standard library, where there is one
  current, ///< the innermost frame
  created, ///< the go statement
  start,   ///< the function that the go statement called
};

/// "userloc"; nothing for a word that is none.
std::optional<GoroutineLocation> location_named(std::string_view name);

/// "main.handle at svc.go:41", unescaped; empty: not known.
std::string location_text(const GoReport &report, const GoroutineReport &goroutine, GoroutineLocation location);

using GoroutineTest = std::function<bool(const GoReport &, const GoroutineReport &)>;
using GoroutineKey = std::function<std::string(const GoReport &, const GoroutineReport &)>;

/// "userloc main\..*", "label tenant=7", "running"; usage says what may stand there.
Result<GoroutineTest> parse_goroutine_condition(std::string_view text);
/// "userloc", "label tenant".
Result<GoroutineKey> parse_goroutine_key(std::string_view text);
/// ">5m", ">=90s", "<2h", "10m" (the same as >=). A goroutine whose wait time is not known does not match `>`.
Result<GoroutineTest> parse_goroutine_wait(std::string_view text);

} // namespace inspect
