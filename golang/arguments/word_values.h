// What argument words mean: with a signature (from DWARF, or given by hand) name, type and value of every argument;
// without one, what can still be known of a word. One engine for live stacks and for crash texts.
//
// Words come in two forms. Go 1.17 and later print one word per scalar, structures and arrays in braces (ArgumentLayout
// says which); Go 1.16 and earlier print the argument area as it is in memory, eight bytes a word, small values packed,
// results after the arguments.
#pragma once

#include "golang/arguments/argument_words.h"
#include "golang/types/go_type.h"
#include "golang/types/runtime_types.h"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace inspect {

struct ValueLimits {
  std::size_t string_bytes = 64;
  std::size_t elements = 8; ///< of slices, arrays, maps
  std::size_t fields = 16;
  std::size_t depth = 2;        ///< of pointers and structures followed
  std::size_t text_bytes = 400; ///< a whole value
};

/// What is known besides the words; every part may be missing.
struct ValueContext {
  const MemoryView *memory = nullptr; ///< the target's, or the binary's read-only data
  GoRuntimeTypes *types = nullptr;
  /// A phrase for an address that nothing else explains: "heap", "stack of this goroutine", "main.config+0x10",
  /// "func main.handle"; empty: nothing known.
  std::function<std::string(RunAddress)> classify;
  GoVersion version;
  ValueLimits limits;
};

struct DecodedArgument {
  std::string name;        ///< empty: not known
  std::string type;        ///< empty: not known
  std::string value;       ///< empty: nothing is known beyond the words
  std::string words;       ///< as the runtime prints them
  bool result = false;     ///< a result: means nothing before the function returns
  bool stale = false;      ///< the spill slot may hold an older value
  bool incomplete = false; ///< the text cuts it off ("...")
};

/// Go ≥ 1.17.
std::vector<DecodedArgument> decode_words(const GoSignature &signature, const ArgumentLayout &layout,
                                          std::span<const std::uint64_t> words, const ValueContext &context);
/// Go ≤ 1.16: `cut` says that the text ended in "...".
std::vector<DecodedArgument> decode_stack_words(const GoSignature &signature, std::span<const std::uint64_t> words,
                                                bool cut, const ValueContext &context);
/// Without a signature: the receiver from the function's name, interface words through the runtime's types, pairs of
/// pointer and length that point to text, what pointers point to.
std::vector<DecodedArgument> describe_words(std::string_view function, const ArgumentLayout &layout,
                                            std::span<const std::uint64_t> words, const ValueContext &context);
/// A value of `type` at `address`, as Go's %v with type names, e.g. `[]string len: 2, cap: 4, ["a","b"]`.
std::string value_text(const GoType &type, RunAddress address, const ValueContext &context);

} // namespace inspect
