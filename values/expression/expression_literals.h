// Numbers, characters and strings as C, C++, Go and Rust write them.
//
// Sources: C23 6.4.4 (constants; 6.4.4.1 for the type that an integer constant gets), C++23 [lex.literal], the Go
// specification ("Integer literals" to "String literals"), the Rust reference ("Literal expressions").
#pragma once

#include "machine/error.h"
#include "values/number.h"
#include "values/value.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace inspect {

struct NumberLiteral {
  Number number;
  bool untyped = false; ///< Go's constants, Rust's without a suffix
  /// The type that a suffix of Rust's names: "u8", "usize"; lives for ever.
  std::string_view type_name = {};
};

/// "0x7bf6c", "1_000", "10ul", "5u8", "1e3", "0x1p4". Errors have no column: the caller knows where it stands.
Result<NumberLiteral> parse_number_literal(std::string_view text, SourceLanguage language);
/// What is between the quotes of a character: one code point, or one byte by its number.
Result<NumberLiteral> parse_character_literal(std::string_view body, SourceLanguage language);
/// What is between the quotes of a string, its escapes replaced; code points become UTF-8.
Result<std::string> decode_text_literal(std::string_view body);
/// Whether it is one character, as it stands or as an escape: 'a' is, 'ns::x' is a name in quotes.
bool is_one_character(std::string_view body);

} // namespace inspect
