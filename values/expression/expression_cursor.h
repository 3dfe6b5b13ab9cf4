// The words and signs of an expression, of all languages at once, and a place among them, which the parsers of
// expressions and of types share. Which of them may stand where is the parsers' business.
#pragma once

#include "machine/error.h"
#include "values/expression/expression.h"
#include "values/number.h"
#include "values/value.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
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
  bool untyped = false;            ///< a number whose type the language leaves open
  std::string_view type_name = {}; ///< of a number whose suffix says it, Rust's 1u8
  bool is_bytes = false;           ///< a text of Rust's that is an array of bytes, b"…"

  bool is_sign(std::string_view sign) const { return kind == Kind::sign && text == sign; }
  bool is_name(std::string_view name) const { return kind == Kind::name && text == name; }
  std::size_t end() const { return offset + text.size(); }
};

/// The last token is `end`; the views point into `text`. usage, with the column: a sign that no language has, a
/// literal without end, or too long a text.
Result<std::vector<ExpressionToken>> expression_tokens(std::string_view text, SourceLanguage language);

class ExpressionCursor {
public:
  /// `tokens` ends with the end token, and is changed where a >> turns out to be two >. Both outlive the cursor.
  ExpressionCursor(std::string_view text, std::vector<ExpressionToken> &tokens) : text_(text), tokens_(tokens) {
    // References to tokens stay good: a sign has at most three characters, and is split at most twice.
    tokens_.reserve(tokens_.size() * 3);
  }

  std::string_view text() const { return text_; }
  const ExpressionToken &peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const ExpressionToken &next() {
    const ExpressionToken &token = peek();
    at_ = std::min(at_ + 1, tokens_.size() - 1);
    return token;
  }
  bool accept(std::string_view sign) {
    if (!peek().is_sign(sign))
      return false;
    next();
    return true;
  }
  bool accept_name(std::string_view name) {
    if (!peek().is_name(name))
      return false;
    next();
    return true;
  }
  Result<void> expect(std::string_view sign) {
    if (accept(sign))
      return {};
    return std::unexpected(expected(fmt::format("'{}'", sign)));
  }
  Error expected(std::string_view what) const {
    const ExpressionToken &token = peek();
    if (token.kind == ExpressionToken::Kind::end)
      return expression_error(token.offset, fmt::format("expected {}, and the text ends", what));
    return expression_error(token.offset, fmt::format("expected {}, not '{}'", what, token.text));
  }
  /// No blank between what came last and what is next.
  bool adjacent() const { return at_ > 0 && at_ < tokens_.size() && tokens_[at_ - 1].end() == tokens_[at_].offset; }
  /// Makes one > and what remains of a sign that begins with one, until the cursor is rewound.
  void split_angle() {
    ExpressionToken &token = tokens_[at_];
    if (token.kind != ExpressionToken::Kind::sign || token.text.size() < 2 || token.text.front() != '>')
      return;
    ExpressionToken rest = token;
    rest.text.remove_prefix(1);
    ++rest.offset;
    token.text = token.text.substr(0, 1);
    tokens_.insert(tokens_.begin() + static_cast<std::ptrdiff_t>(at_) + 1, std::move(rest));
    splits_.push_back(at_);
  }

  struct Position {
    std::size_t token = 0;
    std::size_t splits = 0;

    friend bool operator==(Position, Position) = default;
  };
  Position position() const { return {at_, splits_.size()}; }
  void rewind(Position position) {
    at_ = position.token;
    while (splits_.size() > position.splits) {
      ExpressionToken &token = tokens_[splits_.back()];
      token.text = text_.substr(token.offset, token.text.size() + tokens_[splits_.back() + 1].text.size());
      tokens_.erase(tokens_.begin() + static_cast<std::ptrdiff_t>(splits_.back()) + 1);
      splits_.pop_back();
    }
  }
  std::size_t last_end() const { return at_ == 0 ? 0 : tokens_[at_ - 1].end(); }

private:
  std::string_view text_;
  std::vector<ExpressionToken> &tokens_;
  std::size_t at_ = 0;
  std::vector<std::size_t> splits_;
};

} // namespace inspect
