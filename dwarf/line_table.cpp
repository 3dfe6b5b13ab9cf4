#include "dwarf/line_table.h"

#include "dwarf/die.h"

#include <dwarf.h>

namespace inspect {
namespace {

LinkAddress address_of(Dwarf_Lines *lines, std::size_t index) {
  Dwarf_Addr address = 0;
  dwarf_lineaddr(dwarf_onesrcline(lines, index), &address);
  return LinkAddress{address};
}

} // namespace

LineTable::LineTable(Dwarf_Die root) {
  if (const char *directory = string_attribute(root, DW_AT_comp_dir))
    compilation_directory_ = directory;
  if (dwarf_getsrclines(&root, &lines_, &count_) != 0) {
    lines_ = nullptr;
    count_ = 0;
  }
}

std::optional<SourceLine> LineTable::at(LinkAddress address) const {
  // libdw sorts by address, the end of a sequence before what starts there. Of several rows with one address the last
  // has the instruction; those before it are views of the program's state between instructions.
  std::size_t low = 0;
  std::size_t high = count_;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (address_of(lines_, middle) <= address)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0)
    return std::nullopt;
  Dwarf_Line *row = dwarf_onesrcline(lines_, low - 1);
  bool ends_sequence = false;
  if (!row || dwarf_lineendsequence(row, &ends_sequence) != 0 || ends_sequence)
    return std::nullopt;
  SourceLine found;
  found.file = absolute_path(dwarf_linesrc(row, nullptr, nullptr), compilation_directory_);
  dwarf_lineno(row, &found.line);
  dwarf_linecol(row, &found.column);
  return found;
}

std::string absolute_path(const char *file, const std::string &compilation_directory) {
  if (!file)
    return {};
  const std::string path = file;
  if (path.empty() || path.front() == '/' || compilation_directory.empty())
    return path;
  return compilation_directory + (compilation_directory.back() == '/' ? "" : "/") + path;
}

} // namespace inspect
