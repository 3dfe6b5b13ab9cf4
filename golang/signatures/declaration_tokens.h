// The words and signs of Go declarations, with the places they stand at: what golang/signatures/declaration_parser.cpp
// reads.
//
// Source: go.dev/ref/spec, "Lexical elements". Line ends are kept as a mark on the token after them, because they end
// a declaration where a semicolon could stand.
#pragma once

#include "machine/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct DeclarationToken {
  enum class Kind : std::uint8_t { name, number, text, sign, end };
  Kind kind = Kind::end;
  std::string_view text;
  std::size_t offset = 0; ///< in the whole text
  bool after_line_end = false;

  bool is(std::string_view what) const { return (kind == Kind::sign || kind == Kind::name) && text == what; }
};

/// The last token is `end`. Comments are left out. usage: a sign that Go does not have, a string without end.
Result<std::vector<DeclarationToken>> declaration_tokens(std::string_view text);

/// "column 7", or "line 2, column 7" where the text has several lines; both count from 1.
std::string place_in_text(std::string_view text, std::size_t offset);

} // namespace inspect
