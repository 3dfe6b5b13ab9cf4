// How a value is to be written, in any language: in which format its numbers, and how much of it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace inspect {

enum class NumberFormat : std::uint8_t {
  natural,
  hexadecimal,        ///< %x, /x; of strings and byte arrays: their bytes
  padded_hexadecimal, ///< /z: with the zeros in front
  decimal,            ///< %d, /d: signed
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
  /// Go, for a line of a dump: errors by what their Error() says, bytes that are text as text, times without their
  /// fields, and addresses with what is known of them. Otherwise as dlv has it.
  bool brief = false;
};

} // namespace inspect
