// The words and signs of an expression, of all languages at once: which of them make sense is the parser's business.
#pragma once

#include "machine/error.h"
#include "values/number.h"
#include "values/value.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct ExpressionToken {
  enum class Kind : std::uint8_t {
    name,
    quoted_name,   ///< 'ns::x', 'file.c': `characters`
    number,        ///< `number`; characters, too
    text,          ///< "…": `characters`
    register_name, ///< $rip: `characters` without the $
    sign,
    end,
  };
  Kind kind = Kind::end;
  std::string_view text = {}; ///< as it stands there
  std::size_t offset = 0;     ///< bytes from the beginning of the text
  std::string characters = {};
  Number number = {};
  bool untyped = false; ///< a number whose type the language leaves open

  bool is_sign(std::string_view sign) const { return kind == Kind::sign && text == sign; }
  bool is_name(std::string_view name) const { return kind == Kind::name && text == name; }
  std::size_t end() const { return offset + text.size(); }
};

/// The last token is `end`; the views point into `text`. usage, with the column: a sign that no language has, a
/// literal without end, or too long a text.
Result<std::vector<ExpressionToken>> expression_tokens(std::string_view text, SourceLanguage language);

} // namespace inspect
