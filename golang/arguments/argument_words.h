// The argument words that the runtime prints in a traceback: a byte program per function says where they are, and a
// liveness table which of the spill slots hold their value at a pc.
//
// Sources: internal/abi/funcdata.go ("TraceArgs"), runtime/traceback.go printArgs, Go 1.17 to 1.26; for 1.16 the
// words of the arguments' area as they are.
#pragma once

#include "golang/image/go_image.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace inspect {

struct ArgumentToken {
  enum class Kind : std::uint8_t {
    word,
    open,             ///< {
    close,            ///< }
    ellipsis,         ///< ...
    offset_too_large, ///< _
  };
  Kind kind = Kind::word;
  std::uint8_t offset = 0; ///< bytes from the argument area, which begins at the frame's CFA
  std::uint8_t size = 8;   ///< bytes: 1, 2, 4 or 8; of a larger slot (a vector, 1.26) the first 8 are printed
  bool stale = false;      ///< the spill slot was not (or no longer) written at this pc: printed with `?`
};

/// Of one pc. `known` is false where there is no description: assembly, for which the runtime since 1.17 prints nothing
/// between the parentheses, as for a function without arguments. (For an inlined call it prints `...`.)
struct ArgumentLayout {
  std::vector<ArgumentToken> tokens;
  bool known = false;

  std::size_t word_count() const;
};

/// For a return address pass it minus one byte. The physical function's; inlined calls have none.
ArgumentLayout argument_layout(const GoImage &image, const GoFunction &function, RunAddress pc,
                               const MemoryView &memory);

/// The words in the order of the layout's word tokens, zero-extended; false where some are not readable: those are 0.
bool read_argument_words(const ArgumentLayout &layout, RunAddress cfa, const MemoryView &memory,
                         std::vector<std::uint64_t> &into);

/// As the runtime prints them between the parentheses: "0xc000012120, {0x4c3839, 0x7}, 0x1?". `words` has
/// layout.word_count() of them.
std::string argument_text(const ArgumentLayout &layout, std::span<const std::uint64_t> words);

/// One argument, or a part of a structure, an array, a string, a slice or an interface.
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

/// The tokens of an argument list as a tree: one group per argument. Braces that do not match are closed at the end.
/// The ellipsis that ends a list makes no group.
std::vector<WordGroup> word_groups(const ArgumentLayout &layout);

/// The tokens of `count` neighbouring groups from `first` on, as a layout.
ArgumentLayout layout_of(const ArgumentLayout &layout, std::span<const WordGroup> groups);

} // namespace inspect
