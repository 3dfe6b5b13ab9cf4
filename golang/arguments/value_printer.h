// Prints a Go value as dlv does ("main.T {a: 1, s: []string len: 2, cap: 4, [\"a\",\"b\"]}"), from memory or from
// argument words of which some may be missing. What golang/arguments/word_values.h offers is made of this.
//
// Everything it reads may be nonsense: a variable that is not initialised yet, a stale word, a structure that another
// thread is changing. Lengths are checked before they are believed, and what is followed is bounded by ValueLimits.
#pragma once

#include "golang/arguments/word_values.h"
#include "machine/value_source.h"

#include <string>
#include <string_view>

namespace inspect {

class ValuePrinter {
public:
  explicit ValuePrinter(const ValueContext &context) : context_(context) {}

  /// The whole value. "…" stands for parts that are not known.
  std::string print(const GoType &type, const ValueSource &source);

private:
  /// How much of what leads away from a value is still followed, and whether its type is told.
  struct Manner {
    std::size_t levels = 0; ///< of structures
    int nesting = 0;        ///< of anything
    bool with_type = true;
  };

  bool full() const { return out_.size() >= context_.limits.text_bytes; }
  void value(const GoType &type, const ValueSource &source, Manner manner);
  void by_kind(const GoType &type, const ValueSource &source, Manner manner);
  bool scalar(const GoType &type, const ValueSource &source);
  bool library_value(const GoType &type, const ValueSource &source);
  void string(const ValueSource &source);
  void text_at(RunAddress address, std::uint64_t length);
  void slice(const GoType &type, const ValueSource &source, Manner manner);
  void array(const GoType &type, const ValueSource &source, Manner manner);
  void elements(const GoType &element, const ValueSource &first, std::uint64_t count, Manner manner);
  bool bytes_as_text(const ValueSource &first, std::uint64_t count);
  void structure(const GoType &type, const ValueSource &source, Manner manner);
  void pointer(const GoType &type, const ValueSource &source, Manner manner);
  void plain_pointer(const GoType &type, std::uint64_t address);
  void interface(const GoType &type, const ValueSource &source, Manner manner);
  void dynamic_value(const GoType &type, std::uint64_t data, Manner manner);
  void map(const GoType &type, const ValueSource &source, Manner manner);
  void channel(const GoType &type, const ValueSource &source);
  void function(const GoType &type, const ValueSource &source);
  std::string described(RunAddress address) const;
  void unknown_part(const ValueSource &source);

  const ValueContext &context_;
  std::string out_;
};

} // namespace inspect
