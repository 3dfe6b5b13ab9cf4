// Argument words of a human-readable dump: a pointer that stands in several places gets a number where it is first
// shown, "#1=0xc000012120", and is "#1" from then on, so that one sees what goroutines have in common; words that
// differ among goroutines which are shown as one are `*`.
//
//     PointerNumbers numbers;
//     for (…all that will be shown…) numbers.note(words);
//     for (…in the same order…) text += numbers.text(layout, words);
#pragma once

#include "golang/arguments/argument_words.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

namespace inspect {

/// Nothing: the word differs among those that are shown as one.
using FoldedWord = std::optional<std::uint64_t>;

class PointerNumbers {
public:
  void note(std::span<const FoldedWord> words);
  /// What stands between the parentheses. Words that are missing at the end are shown as ones that differ.
  std::string text(const ArgumentLayout &layout, std::span<const FoldedWord> words);

private:
  struct Pointer {
    bool in_several_places = false;
    std::uint32_t number = 0; ///< 0: not shown yet
  };
  std::string word_text(std::uint64_t word);

  std::unordered_map<std::uint64_t, Pointer> pointers_;
  std::uint32_t last_number_ = 0;
};

} // namespace inspect
