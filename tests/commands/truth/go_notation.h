// When two texts of a Go value mean the same: what dlv and `inspect` write in different ways on purpose.
#pragma once

#include <optional>
#include <string>

namespace inspect::test {

/// Without line ends and the blanks that only lay it out; texts in quotes stay as they are.
std::string go_value_on_one_line(const std::string &text);

/// Entries of maps in the order of their texts, channels without their elements, functions without what they have
/// captured: as the program itself writes values.
std::string as_go_tells_it(const std::string &text);

/// By which rules, in words, dlv's text says what ours says; an empty one where they are equal as they are, nothing
/// where they are not the same value.
std::optional<std::string> same_go_value(const std::string &ours, const std::string &of_dlv);

/// Numbers of floating point may be written in two ways, and durations as a number.
bool same_go_numbers(const std::string &one, const std::string &other);

} // namespace inspect::test
