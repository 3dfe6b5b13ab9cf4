// Prints a value: Go values as dlv prints them, C++ as gdb prints them with its standard-library printers, Rust as its
// own {:?} would as far as that is unambiguous.
//
// Everything read may be nonsense: variables that are not initialised yet, structures that another thread is changing.
// Lengths are checked before they are believed, what is followed is bounded by PrintLimits, circles are cut.
#pragma once

#include "values/value.h"
#include "values/value_environment.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace inspect {

enum class NumberFormat : std::uint8_t {
  natural,
  hexadecimal, ///< %x, /x; of strings and byte arrays: their bytes
  decimal,     ///< %d, /d: signed
  unsigned_decimal,
  octal,
  binary,
  character, ///< %c, /c
  address,   ///< %p, /a: with the symbol
  floating,  ///< %f, /f
  text,      ///< %s, /s: without quotes
  quoted,    ///< %q
};

/// The limits as dlv's config names them.
struct PrintLimits {
  std::size_t string_bytes = 64;   ///< max-string-len
  std::size_t elements = 64;       ///< max-array-values
  std::size_t recursion = 1;       ///< max-variable-recurse: how many pointers and structures deep
  std::size_t fields = SIZE_MAX;   ///< max-struct-fields
  std::size_t text_bytes = 65'536; ///< the whole text
};

struct PrintOptions {
  PrintLimits limits;
  NumberFormat format = NumberFormat::natural;
  bool bare = false;      ///< Go's %x, %o, %b without #: no 0x before the digits
  bool with_types = true; ///< %v leaves Go's type names out, %+v … as dlv; natural print has them
  /// C and C++: whether a pointer, a reference or a polymorphic object that is the whole value is headed by its type,
  /// as gdb's print does: "(Foo *) 0x…". Its lists of locals and arguments do not.
  bool headed = false;
};

/// One line without a line end, but where the value's own text has one it is escaped. Of a missing value
/// "<optimized out>" and the like.
std::string value_text(const Value &value, ValueEnvironment &environment, const PrintOptions &options);

/// The halves that value_text chooses between.
std::string native_value_text(const Value &value, ValueEnvironment &environment, const PrintOptions &options);
std::string go_value_text(const Value &value, ValueEnvironment &environment, const PrintOptions &options);

} // namespace inspect
