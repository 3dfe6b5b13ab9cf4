#include "machine/words.h"

#include <algorithm>

namespace inspect {
namespace {

constexpr std::string_view blanks = " \t\n\v\f\r";

} // namespace

std::string_view take_until(std::string_view &rest, char separator) {
  const std::string_view found = rest.substr(0, rest.find(separator));
  rest.remove_prefix(std::min(found.size() + 1, rest.size()));
  return found;
}

std::string_view take_word(std::string_view &rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(blanks));
  rest.remove_prefix(word.size());
  return word;
}

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

} // namespace inspect
