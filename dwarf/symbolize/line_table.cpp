#include "dwarf/symbolize/line_table.h"

#include "dwarf/die/die.h"
#include "machine/cancellation_point.h"

#include <algorithm>
#include <climits>
#include <dwarf.h>

namespace inspect {

/// Runs a line number program, and keeps what it says in a table.
class LineProgram {
public:
  LineProgram(LineHeader &header, LineTable &table) : header_(header), table_(table), program_(header.program) {}

  void run(LineBudget &budget) {
    const std::uint64_t max_rows = std::min(max_line_rows, budget.rows);
    const std::uint64_t size = program_.left();
    const std::uint64_t unread = size - std::min({size, max_line_program, budget.bytes});
    for (std::size_t done = 0; !program_.at_end(); ++done) {
      if (done % operations_between_looks == 0)
        cancellation_point();
      // A byte is a row at most, but one of an older row's address replaces it.
      if (table_.rows_.size() >= max_rows || program_.left() < unread) {
        table_.cut_short_ = true;
        break;
      }
      const std::uint8_t opcode = program_.byte();
      if (opcode >= header_.opcode_base)
        special(opcode);
      else if (opcode == 0)
        extended();
      else
        standard(opcode);
    }
    table_.rows_.resize(first_row_); // a sequence without an end: nobody knows where it stops
    table_.rows_.shrink_to_fit();
    budget.bytes -= std::min(budget.bytes, size - program_.left());
    budget.rows -= std::min<std::uint64_t>(budget.rows, table_.rows_.size());
  }

private:
  static constexpr std::size_t operations_between_looks = 4096;

  void advance(std::uint64_t operations) {
    const std::uint64_t per_instruction = header_.operations_per_instruction;
    const std::uint64_t sum = operation_ + operations;
    address_ += header_.minimum_instruction_length * (sum / per_instruction);
    operation_ = sum % per_instruction;
  }

  void special(std::uint8_t opcode) {
    const unsigned adjusted = opcode - header_.opcode_base;
    advance(adjusted / header_.line_range);
    line_ += static_cast<std::uint32_t>(header_.line_base + static_cast<int>(adjusted % header_.line_range));
    add_row();
  }

  void standard(std::uint8_t opcode) {
    switch (opcode) {
    case DW_LNS_copy:
      return add_row();
    case DW_LNS_advance_pc:
      return advance(program_.unsigned_leb());
    case DW_LNS_advance_line:
      line_ += static_cast<std::uint32_t>(program_.signed_leb());
      return;
    case DW_LNS_set_file:
      file_ = program_.unsigned_leb();
      return;
    case DW_LNS_set_column:
      column_ = program_.unsigned_leb();
      return;
    case DW_LNS_const_add_pc:
      return advance((255U - header_.opcode_base) / header_.line_range);
    case DW_LNS_fixed_advance_pc:
      address_ += program_.number(2);
      operation_ = 0;
      return;
    default:
      for (unsigned i = 0; i < header_.operand_counts[opcode]; ++i)
        program_.unsigned_leb();
    }
  }

  void extended() {
    ByteReader operands = program_.part(program_.unsigned_leb());
    switch (operands.byte()) {
    case DW_LNE_end_sequence:
      return end_sequence();
    case DW_LNE_set_address:
      address_ = operands.number(std::min<std::size_t>(operands.left(), 8));
      operation_ = 0;
      return;
    case DW_LNE_define_file: {
      const std::string_view name = operands.string();
      if (header_.files.size() < max_line_files)
        header_.files.push_back({name, operands.unsigned_leb()});
      return;
    }
    default:
      return;
    }
  }

  void add_row() {
    const LineTable::Row row{LinkAddress{address_}, line_,
                             static_cast<std::uint32_t>(std::min<std::uint64_t>(file_, (1U << 20) - 1)) & 0xfffffU,
                             static_cast<std::uint32_t>(column_ < 4096 ? column_ : 0) & 0xfffU};
    std::vector<LineTable::Row> &rows = table_.rows_;
    if (rows.size() > first_row_) {
      LineTable::Row &last = rows.back();
      sorted_ = sorted_ && last.address <= row.address;
      // Of several rows with one address the last has the instruction; those before it are views of the program's state
      // between instructions.
      if (last.address == row.address) {
        last = row;
        return;
      }
      if (last.line == row.line && last.file == row.file && last.column == row.column)
        return;
    }
    rows.push_back(row);
  }

  void end_sequence() {
    std::vector<LineTable::Row> &rows = table_.rows_;
    const auto first = rows.begin() + static_cast<std::ptrdiff_t>(first_row_);
    if (!sorted_)
      std::stable_sort(first, rows.end(),
                       [](const auto &one, const auto &other) { return one.address < other.address; });
    // A sequence at address 0 is code that the linker threw away.
    if (first != rows.end() && first->address.value != 0 && first->address < LinkAddress{address_})
      table_.sequences_.add({first->address, LinkAddress{address_}}, {first_row_, rows.size()});
    else
      rows.resize(first_row_);
    first_row_ = rows.size();
    address_ = operation_ = column_ = 0;
    file_ = line_ = 1;
    sorted_ = true;
  }

  LineHeader &header_;
  LineTable &table_;
  ByteReader program_;
  std::size_t first_row_ = 0; ///< of the present sequence
  bool sorted_ = true;
  std::uint64_t address_ = 0;
  std::uint64_t operation_ = 0;
  std::uint64_t file_ = 1;
  std::uint32_t line_ = 1;
  std::uint64_t column_ = 0;
};

namespace {

std::string compilation_directory(Dwarf_Die &root) {
  const char *directory = string_attribute(root, DW_AT_comp_dir);
  return directory ? directory : "";
}

std::optional<LineHeader> header_of(Dwarf_Die &root, const LineSections &sections) {
  const std::optional<std::uint64_t> offset = unsigned_attribute(root, DW_AT_stmt_list);
  return offset ? LineHeader::read(sections, *offset) : std::nullopt;
}

} // namespace

LineTable::LineTable(Dwarf_Die root, const LineSections &sections, LineBudget &budget)
    : compilation_directory_(inspect::compilation_directory(root)), header_(header_of(root, sections)) {
  if (header_)
    LineProgram(*header_, *this).run(budget);
}

std::optional<SourceLine> LineTable::at(LinkAddress address) {
  const auto *sequence = sequences_.find(address);
  if (!sequence)
    return std::nullopt;
  const auto [first, end] = sequence->value;
  const auto after = std::upper_bound(rows_.begin() + static_cast<std::ptrdiff_t>(first),
                                      rows_.begin() + static_cast<std::ptrdiff_t>(end), address,
                                      [](LinkAddress wanted, const Row &row) { return wanted < row.address; });
  const Row &row = *std::prev(after); // the sequence begins with its first row
  const bool plausible = row.line <= INT_MAX;
  return SourceLine{file(row.file), plausible ? static_cast<int>(row.line) : 0, static_cast<int>(row.column)};
}

std::string LineTable::file(std::uint64_t number) const {
  return header_ ? header_->path(number, compilation_directory_) : std::string();
}

std::string absolute_path(const char *file, const std::string &compilation_directory) {
  if (!file)
    return {};
  std::string path = file;
  if (path.empty() || path.front() == '/' || compilation_directory.empty())
    return path;
  return compilation_directory + (compilation_directory.back() == '/' ? "" : "/") + path;
}

std::vector<std::string> source_files(Dwarf_Die root, const LineSections &sections) {
  std::vector<std::string> paths;
  const std::optional<LineHeader> header = header_of(root, sections);
  const std::string directory = inspect::compilation_directory(root);
  for (std::uint64_t file = 0; header && file <= header->files.size(); ++file)
    if (std::string path = header->path(file, directory); !path.empty())
      paths.push_back(std::move(path));
  return paths;
}

} // namespace inspect
