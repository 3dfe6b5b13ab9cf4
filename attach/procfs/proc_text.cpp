#include "attach/procfs/proc_text.h"

namespace inspect {

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
