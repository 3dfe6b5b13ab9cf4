#include "values/expression/expression_cursor.h"

#include "values/expression/expression.h"
#include "values/expression/expression_literals.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>

namespace inspect {
namespace {

using TokenKind = ExpressionToken::Kind;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Letters outside ASCII are taken as they are.
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool continues_name(char c) {
  return begins_name(c) || is_digit(c);
}

// Longest first, so that the first that fits is the one meant.
constexpr auto signs = std::to_array<std::string_view>({
    "->*", "<<=", ">>=", "&^=", "...", "..=", "<<", ">>", "&^", "&&", "||", "==", "!=", "<=",
    ">=",  "->",  "::",  "..",  "++",  "--",  "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=",
    ":=",  "(",   ")",   "[",   "]",   "{",   "}",  ",",  ".",  ";",  ":",  "?",  "+",  "-",
    "*",   "/",   "%",   "&",   "|",   "^",   "~",  "!",  "<",  ">",  "=",  "@",  "#",
});

class ExpressionLexer {
public:
  ExpressionLexer(std::string_view text, SourceLanguage language) : text_(text), language_(language) {}

  Result<std::vector<ExpressionToken>> run() {
    while (true) {
      skip_blanks();
      if (at_ >= text_.size()) {
        tokens_.push_back({.kind = TokenKind::end, .text = {}, .offset = text_.size()});
        return std::move(tokens_);
      }
      ExpressionToken token;
      token.offset = at_;
      if (auto done = read(token); !done)
        return std::unexpected(at_offset(done.error(), token.offset));
      token.text = text_.substr(token.offset, at_ - token.offset);
      tokens_.push_back(std::move(token));
    }
  }

private:
  std::string_view rest() const { return text_.substr(at_); }
  char peek(std::size_t ahead) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void skip_blanks() {
    while (at_ < text_.size()) {
      if (std::string_view(" \t\r\n").contains(text_[at_]))
        ++at_;
      else if (language_ == SourceLanguage::rust && skip_lifetime())
        continue;
      else
        return;
    }
  }

  /// &'a str: lifetimes mean nothing here.
  bool skip_lifetime() {
    if (text_[at_] != '\'' || !begins_name(peek(1)))
      return false;
    std::size_t end = at_ + 1;
    while (end < text_.size() && continues_name(text_[end]))
      ++end;
    if (end < text_.size() && text_[end] == '\'')
      return false;
    at_ = end;
    return true;
  }

  /// Whether what came before can be followed by a member or an index: then a dot begins no number.
  bool after_operand() const {
    if (tokens_.empty())
      return false;
    const ExpressionToken &last = tokens_.back();
    return last.kind != TokenKind::sign || last.text == ")" || last.text == "]";
  }

  Result<void> read(ExpressionToken &token) {
    const char first = text_[at_];
    if (is_digit(first) || (first == '.' && is_digit(peek(1)) && !after_operand()))
      return read_number(token);
    if (begins_name(first))
      return read_name(token);
    if (first == '"' || first == '`' || first == '\'')
      return read_quoted(token, first);
    if (first == '$') {
      token.kind = TokenKind::register_name;
      ++at_;
      const std::size_t begin = at_;
      while (at_ < text_.size() && (continues_name(text_[at_]) || text_[at_] == '$'))
        ++at_;
      token.characters = text_.substr(begin, at_ - begin);
      return {};
    }
    token.kind = TokenKind::sign;
    const auto sign = std::ranges::find_if(signs, [this](std::string_view candidate) {
      // Rust has no such operator: a--1 is a - -1.
      const bool exists = candidate != "--" || language_ != SourceLanguage::rust;
      return exists && rest().starts_with(candidate);
    });
    if (sign == signs.end())
      return std::unexpected(Error(ErrorKind::usage, fmt::format("byte 0x{:02x} has no meaning in an expression",
                                                                 static_cast<unsigned char>(first))));
    at_ += sign->size();
    return {};
  }

  Result<void> read_number(ExpressionToken &token) {
    const std::size_t begin = at_;
    token.kind = TokenKind::number;
    // Of x.0.1 each number is a member's: only digits.
    if (!tokens_.empty() && tokens_.back().is_sign(".") && tokens_.back().end() == at_) {
      while (at_ < text_.size() && is_digit(text_[at_]))
        ++at_;
    } else {
      scan_number();
    }
    const auto literal = parse_number_literal(text_.substr(begin, at_ - begin), language_);
    if (!literal)
      return std::unexpected(literal.error());
    token.number = literal->number;
    token.untyped = literal->untyped;
    token.type_name = literal->type_name;
    return {};
  }

  void scan_number() {
    const bool hexadecimal = peek(0) == '0' && (peek(1) == 'x' || peek(1) == 'X');
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const bool exponent = hexadecimal ? c == 'p' || c == 'P' : c == 'e' || c == 'E';
      if (exponent && (peek(1) == '+' || peek(1) == '-') && is_digit(peek(2)))
        at_ += 2;
      else if (continues_name(c) || (c == '.' && peek(1) != '.' && !begins_name(peek(1))) ||
               (c == '\'' && is_digit(peek(1)) && at_ > 0 && is_digit(text_[at_ - 1])))
        ++at_;
      else
        return;
    }
  }

  Result<void> read_name(ExpressionToken &token) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && continues_name(text_[at_]))
      ++at_;
    const std::string_view name = text_.substr(begin, at_ - begin);
    constexpr std::array<std::string_view, 8> prefixes = {"L", "u", "U", "u8", "b", "c", "r", "br"};
    const char quote = peek(0);
    if ((quote == '"' || quote == '\'') && std::ranges::find(prefixes, name) != prefixes.end()) {
      const bool raw = name.ends_with('r');
      const auto done = read_quoted(token, quote, raw);
      // b'a' is a byte, whatever the language's characters are.
      if (done && token.kind == TokenKind::number && name == "b") {
        token.number = {.kind = Number::Kind::unsigned_integer, .integer = token.number.integer, .real = 0, .size = 1};
        token.type_name = language_ == SourceLanguage::rust ? "u8" : "";
      }
      constexpr std::array<std::pair<std::string_view, std::string_view>, 4> wide = {
          {{"L", "wchar_t"}, {"u", "char16_t"}, {"U", "char32_t"}, {"u8", "char8_t"}}};
      const auto *const found = std::ranges::find(wide, name, [](const auto &entry) { return entry.first; });
      if (done && token.kind == TokenKind::number && found != wide.end())
        token.type_name = found->second;
      token.is_bytes = name == "b" || name == "br";
      return done;
    }
    token.kind = TokenKind::name;
    return {};
  }

  Result<void> read_quoted(ExpressionToken &token, char quote, bool raw = false) {
    raw = raw || quote == '`';
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != quote)
      at_ += !raw && text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) {
      at_ = text_.size();
      return std::unexpected(Error(ErrorKind::usage, fmt::format("the {} has no end", quote)));
    }
    const std::string_view body = text_.substr(begin, at_ - begin);
    ++at_;
    if (quote == '\'') {
      if (!is_one_character(body) && !body.starts_with('\\') && !body.empty()) {
        token.kind = TokenKind::quoted_name;
        token.characters = body;
        return {};
      }
      token.kind = TokenKind::number;
      const auto literal = parse_character_literal(body, language_);
      if (!literal)
        return std::unexpected(literal.error());
      token.number = literal->number;
      token.untyped = literal->untyped;
      return {};
    }
    token.kind = TokenKind::text;
    auto decoded = raw ? Result<std::string>(body) : decode_text_literal(body);
    if (!decoded)
      return std::unexpected(decoded.error());
    token.characters = std::move(*decoded);
    return {};
  }

  std::string_view text_;
  SourceLanguage language_;
  std::size_t at_ = 0;
  std::vector<ExpressionToken> tokens_;
};

} // namespace

Result<std::vector<ExpressionToken>> expression_tokens(std::string_view text, SourceLanguage language) {
  if (text.size() > max_expression_length)
    return std::unexpected(Error(ErrorKind::usage, fmt::format("the expression has {} characters; at most {} are read",
                                                               text.size(), max_expression_length)));
  return ExpressionLexer(text, language).run();
}

} // namespace inspect
