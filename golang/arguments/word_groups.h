// The tokens of an argument list as a tree: one group per argument, with the parts of structures, arrays, strings,
// slices and interfaces below.
#pragma once

#include "golang/arguments/argument_words.h"

#include <cstddef>
#include <span>
#include <vector>

namespace inspect {

struct WordGroup {
  bool aggregate = false;
  std::size_t first_token = 0;
  std::size_t token_count = 0;
  std::size_t first_word = 0;
  std::size_t word_count = 0;
  bool stale = false;      ///< one of its words is
  bool incomplete = false; ///< a part of it is not printed
  std::vector<WordGroup> parts;

  /// An aggregate of exactly so many whole words.
  bool is_words(std::size_t count, const ArgumentLayout &layout) const;
};

/// Braces that do not match are closed at the end. The ellipsis that ends a list makes no group.
std::vector<WordGroup> word_groups(const ArgumentLayout &layout);

/// The tokens of `count` neighbouring groups from `first` on, as a layout.
ArgumentLayout layout_of(const ArgumentLayout &layout, std::span<const WordGroup> groups);

} // namespace inspect
