#include "golang/signatures/declaration_tokens.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

using Kind = DeclarationToken::Kind;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Letters outside ASCII are taken as they are.
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

class Lexer {
public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<DeclarationToken>> run() {
    while (true) {
      skip_blanks();
      DeclarationToken token;
      token.offset = at_;
      token.after_line_end = line_end_;
      line_end_ = false;
      if (at_ < text_.size()) {
        const auto length = token_length(token.kind);
        if (!length)
          return std::unexpected(length.error());
        token.text = text_.substr(at_, *length);
        at_ += *length;
      }
      tokens_.push_back(token);
      if (token.kind == Kind::end)
        return std::move(tokens_);
    }
  }

private:
  std::string_view rest() const { return text_.substr(at_); }

  void skip_blanks() {
    while (at_ < text_.size()) {
      if (rest().starts_with("//")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (rest().starts_with("/*")) {
        const std::size_t end = text_.find("*/", at_ + 2);
        at_ = end == std::string_view::npos ? text_.size() : end + 2;
      } else if (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n') {
        line_end_ = line_end_ || text_[at_] == '\n';
        ++at_;
      } else {
        return;
      }
    }
  }

  template <typename Predicate> std::size_t run_of(Predicate holds) const {
    const auto stop = std::ranges::find_if_not(rest(), holds);
    return static_cast<std::size_t>(stop - rest().begin());
  }

  Result<std::size_t> token_length(Kind &kind) const {
    const char first = text_[at_];
    if (begins_name(first) || is_digit(first)) {
      kind = begins_name(first) ? Kind::name : Kind::number;
      return run_of([](char c) { return begins_name(c) || is_digit(c); });
    }
    if (first == '"' || first == '`' || first == '\'') {
      kind = Kind::text;
      std::size_t end = at_ + 1;
      while (end < text_.size() && text_[end] != first)
        end += first != '`' && text_[end] == '\\' ? 2 : 1;
      if (end >= text_.size())
        return std::unexpected(Error(ErrorKind::usage, place_in_text(text_, at_) + ": a string without end"));
      return end + 1 - at_;
    }
    kind = Kind::sign;
    for (const std::string_view sign : {"...", "<-"})
      if (rest().starts_with(sign))
        return sign.size();
    if (std::string_view("()[]{},;.*=~|&:+-/<>!%^@#$?").contains(first))
      return 1;
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("{}: byte 0x{:02x} has no meaning in a Go declaration",
                                            place_in_text(text_, at_), static_cast<unsigned char>(first))));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool line_end_ = false;
  std::vector<DeclarationToken> tokens_;
};

} // namespace

Result<std::vector<DeclarationToken>> declaration_tokens(std::string_view text) {
  return Lexer(text).run();
}

std::string place_in_text(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const std::size_t line_start = before.rfind('\n') + 1; // npos + 1 is 0
  const std::size_t column = before.size() - line_start + 1;
  if (text.find('\n') == std::string_view::npos)
    return fmt::format("column {}", column);
  return fmt::format("line {}, column {}", std::ranges::count(before, '\n') + 1, column);
}

} // namespace inspect
