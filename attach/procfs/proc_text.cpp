#include "attach/procfs/proc_text.h"

#include <algorithm>

namespace inspect {
namespace {

constexpr std::string_view blanks = " \t\n";

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

bool take_deleted_mark(std::string_view &name) {
  constexpr std::string_view mark = " (deleted)";
  if (!name.ends_with(mark))
    return false;
  name.remove_suffix(mark.size());
  return true;
}

bool take_deleted_mark(std::string &name) {
  std::string_view rest = name;
  const bool deleted = take_deleted_mark(rest);
  name.resize(rest.size());
  return deleted;
}

std::optional<std::uint64_t> inode_in_link(std::string_view link) {
  const std::size_t open = link.find('[');
  if (open == std::string_view::npos || !link.ends_with(']'))
    return std::nullopt;
  return whole_number<std::uint64_t>(link.substr(open + 1, link.size() - open - 2));
}

} // namespace inspect
