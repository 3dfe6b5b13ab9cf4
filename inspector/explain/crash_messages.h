// What the messages of Go's runtime and standard library mean, in plain words: what a program does wrong when it ends
// with them.
//
// Source: the messages are those of runtime/*.go (panic.go, error.go, chan.go, map.go, proc.go, stack.go, malloc.go),
// sync/*.go and testing/testing.go, Go 1.5 to 1.26.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace inspect {

/// A sentence; empty for messages of the program itself.
std::string_view meaning_of_message(std::string_view message);

/// "index out of range [5] with length 3", "slice bounds out of range [:5] with capacity 3".
struct BoundsMessage {
  std::int64_t index = 0;
  std::uint64_t bound = 0;
  bool capacity = false;
};
std::optional<BoundsMessage> read_bounds_message(std::string_view message);

/// What a signal's number, code and address mean; empty where nothing is known.
std::string meaning_of_fault(std::string_view signal, std::optional<std::uint64_t> code,
                             std::optional<std::uint64_t> address);

} // namespace inspect
