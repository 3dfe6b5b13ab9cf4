// What the mere shape of argument words suggests, when nothing else is known: a pair of pointer and small number may be
// a string, three words with two ordered small numbers a slice. Every guess says "perhaps".
#pragma once

#include "golang/arguments/argument_words.h"
#include "golang/arguments/word_values.h"

#include <span>
#include <string_view>
#include <vector>

namespace inspect {

/// For the words of a text that groups them by braces (Go 1.17 and later).
std::vector<DecodedArgument> shapes_of_groups(std::string_view function, const ArgumentLayout &layout,
                                              std::span<const std::uint64_t> words);
/// For a text that does not.
std::vector<DecodedArgument> shapes_of_stack_words(std::string_view function, std::span<const std::uint64_t> words);

} // namespace inspect
