// What argument words mean: with a signature (from DWARF, or given by hand) name, type and value of every argument;
// without one, what can still be known of a word. One engine for live stacks and for crash texts.
//
// Words come in two forms. Go 1.17 and later print one word per scalar, structures and arrays in braces (ArgumentLayout
// says which); Go 1.16 and earlier print the argument area as it is in memory, eight bytes a word, small values packed,
// results after the arguments.
#pragma once

#include "golang/arguments/argument_words.h"
#include "golang/types/go_type.h"
#include "golang/values/value_layout.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct DecodedArgument {
  std::string name;        ///< empty: not known
  std::string type;        ///< empty: not known
  std::string value;       ///< empty: nothing is known beyond the words
  std::string words;       ///< as the runtime prints them
  bool result = false;     ///< a result: means nothing before the function returns
  bool stale = false;      ///< the spill slot may hold an older value
  bool incomplete = false; ///< the words end before it does ("...")
  /// The value was read from where the debug information says, and not all of it is among the words.
  bool beyond_words = false;
};

/// What is said in place of a value, which depends on where the words are from.
struct MissingWordPhrases {
  std::string_view cut_off;  ///< the words end in "..." before the argument
  std::string_view no_words; ///< the signature has more arguments than there are words
  std::string_view beyond;   ///< the words go on behind the signature's last argument
};
/// Of a process: what there are words for is in the runtime's tables (funcdata 5), which go no further than ten words.
inline constexpr MissingWordPhrases process_phrases{"not among the words that Go's tables describe",
                                                    "not among the words that Go's tables describe",
                                                    "not in the signature"};
/// Of a crash text.
inline constexpr MissingWordPhrases text_phrases{"truncated in the text", "the text has no words for it",
                                                 "beyond the signature"};

/// Go ≥ 1.17.
std::vector<DecodedArgument> decode_words(const GoSignature &signature, const ArgumentLayout &layout,
                                          std::span<const std::uint64_t> words, const ValueContext &context,
                                          const MissingWordPhrases &phrases = process_phrases);
/// Go ≤ 1.16: `cut` says that the words ended in "...".
std::vector<DecodedArgument> decode_stack_words(const GoSignature &signature, std::span<const std::uint64_t> words,
                                                bool cut, const ValueContext &context,
                                                const MissingWordPhrases &phrases = process_phrases);
/// Without a signature: the receiver from the function's name, interface words through the runtime's types, pairs of
/// pointer and length that point to text, what pointers point to.
std::vector<DecodedArgument> describe_words(std::string_view function, const ArgumentLayout &layout,
                                            std::span<const std::uint64_t> words, const ValueContext &context);

} // namespace inspect
