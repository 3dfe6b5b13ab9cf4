// A value of the target's program: its type, and where its bytes are. Everything that prints, evaluates or sets works
// on Values; what language they are of decides how.
//
//     const Value value = frame.variable("count");
//     if (!value.source) … value.missing says why, "optimized out" …
//     else … value.source->unsigned_at(0, 4) …
//
// There are two worlds of types: what DWARF says (C, C++, Rust and everything else), and Go's, which may also come from
// the runtime's own type data. ValueOperations (values/value_operations.h) hides which one a value is of.
#pragma once

#include "dwarf/types/type_reader.h"
#include "golang/types/go_type.h"
#include "machine/value_source.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace inspect {

enum class SourceLanguage : std::uint8_t {
  unknown, ///< treated as C
  c,
  cpp,
  rust,
  go,
};

struct ValueType {
  TypeHandle native;          ///< unless `go` is there
  const GoType *go = nullptr; ///< owned by the GoTypePool or GoRuntimeTypes of the ValueEnvironment
};

/// Bits of a value, the lowest first, from the start of its bytes.
struct BitRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct Value {
  ValueType type;
  SourceLanguage language = SourceLanguage::unknown;
  /// The bytes, as far as they are known; none: `missing` says why, as one clause.
  std::optional<ValueSource> source;
  std::string missing = {};
  std::optional<BitRange> bits = {}; ///< of a bit-field
  /// The whole value is in this register (by its DWARF number) of its frame; what `set` writes to.
  std::optional<unsigned> register_number = {};
  /// As the function's caller passed it: the variable itself may have changed since.
  bool at_entry = false;
  /// Of a Go function or method that was named, not one that a variable holds: `source` is where its code begins.
  std::string function_name = {};
  /// Of a literal that is composed of others, Go's T{1, "a"}: its fields or elements, which may be nowhere in memory.
  std::shared_ptr<const std::vector<Value>> parts = {};
};

inline Value missing_value(ValueType type, SourceLanguage language, std::string why) {
  return {.type = type, .language = language, .source = std::nullopt, .missing = std::move(why)};
}

} // namespace inspect
