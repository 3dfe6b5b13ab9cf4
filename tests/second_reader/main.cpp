// second_reader FILE: what libdwarf says of the file's units, one fact per line:
//
//     unit OFFSET LANGUAGE NAME
//     range UNIT LOW HIGH
//     line ADDRESS LINE FILE          (and "end ADDRESS" for the end of a sequence)
//     function OFFSET LOW NAME
//
// Numbers are hexadecimal, except line numbers.
#include "dwarf/indexer/unit_range_reader.h"

#include <array>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <vector>

namespace inspect {
namespace {

class Reader {
public:
  explicit Reader(const LibdwarfFile &file) : file_(file), debug_(file.debug()) {}

  Result<void> run() {
    LibdwarfUnits units(file_);
    while (true) {
      auto unit = units.next();
      if (!unit)
        return std::unexpected(unit.error());
      if (!*unit)
        return {};
      if ((*unit)->root.get() == nullptr)
        continue;
      if (auto done = describe(**unit); !done)
        return done;
    }
  }

private:
  Result<void> describe(const LibdwarfUnit &unit) {
    Dwarf_Unsigned language = 0;
    Dwarf_Error error = nullptr;
    auto read = file_.checked(dwarf_srclang(unit.root.get(), &language, &error), error, "reading a language");
    if (!read)
      return std::unexpected(read.error());
    fmt::print("unit {:x} {:x} {}\n", offset_of(unit.root.get()), *read ? language : 0, name_of(unit.root.get(), 0));
    auto ranges = ranges_of_unit(file_, unit);
    if (!ranges)
      return std::unexpected(ranges.error());
    for (const UnitIndexRecord &range : *ranges)
      fmt::print("range {:x} {:x} {:x}\n", range.unit_offset, range.low, range.high);
    if (auto lines = print_lines(unit); !lines)
      return lines;
    return print_functions(unit.root.get());
  }

  std::uint64_t offset_of(Dwarf_Die die) const {
    Dwarf_Off offset = 0;
    Dwarf_Error error = nullptr;
    return file_.checked(dwarf_dieoffset(die, &offset, &error), error, "reading an offset") ? offset : 0;
  }

  std::string own_name(Dwarf_Die die) const {
    char *name = nullptr;
    Dwarf_Error error = nullptr;
    const auto found = file_.checked(dwarf_diename(die, &name, &error), error, "reading a name");
    return found && *found ? name : "";
  }

  /// Its own, or that of the DIE it is an instance or a definition of.
  std::string name_of(Dwarf_Die die, int depth) const {
    std::string name = own_name(die);
    for (const Dwarf_Half link : std::to_array<Dwarf_Half>({DW_AT_abstract_origin, DW_AT_specification})) {
      if (!name.empty() || depth > 16)
        break;
      Dwarf_Attribute attribute = nullptr;
      Dwarf_Error error = nullptr;
      if (const auto found = file_.checked(dwarf_attr(die, link, &attribute, &error), error, "reading a link");
          !found || !*found)
        continue;
      Dwarf_Off target = 0;
      Dwarf_Die other = nullptr;
      if (file_.checked(dwarf_global_formref(attribute, &target, &error), error, "following a link") &&
          file_.checked(dwarf_offdie_b(debug_, target, true, &other, &error), error, "following a link") &&
          other != nullptr) {
        const LibdwarfDie owner(debug_, other);
        name = name_of(other, depth + 1);
      }
      dwarf_dealloc(debug_, attribute, DW_DLA_ATTR);
    }
    return name;
  }

  Result<void> print_lines(const LibdwarfUnit &unit) {
    Dwarf_Unsigned version = 0;
    Dwarf_Small tables = 0;
    Dwarf_Line_Context context = nullptr;
    Dwarf_Error error = nullptr;
    auto found = file_.checked(dwarf_srclines_b(unit.root.get(), &version, &tables, &context, &error), error,
                               "reading a line table");
    if (!found)
      return std::unexpected(found.error());
    if (!*found)
      return {};
    Dwarf_Line *lines = nullptr;
    Dwarf_Signed count = 0;
    auto read =
        file_.checked(dwarf_srclines_from_linecontext(context, &lines, &count, &error), error, "decoding a line table");
    for (Dwarf_Signed index = 0; read && index < count; ++index)
      print_line(lines[index]);
    dwarf_srclines_dealloc_b(context);
    if (!read)
      return std::unexpected(read.error());
    return {};
  }

  void print_line(Dwarf_Line line) {
    Dwarf_Addr address = 0;
    Dwarf_Unsigned number = 0;
    Dwarf_Bool end = 0;
    char *source = nullptr;
    Dwarf_Error error = nullptr;
    const std::string_view what = "reading a row of a line table";
    if (!file_.checked(dwarf_lineaddr(line, &address, &error), error, what) ||
        !file_.checked(dwarf_lineno(line, &number, &error), error, what) ||
        !file_.checked(dwarf_lineendsequence(line, &end, &error), error, what))
      return;
    if (end) {
      fmt::print("end {:x}\n", address);
      return;
    }
    const auto named = file_.checked(dwarf_linesrc(line, &source, &error), error, what);
    const std::string path = named && *named ? source : "";
    if (source != nullptr)
      dwarf_dealloc(debug_, source, DW_DLA_STRING);
    fmt::print("line {:x} {} {}\n", address, number, std::filesystem::path(path).lexically_normal().string());
  }

  Result<void> print_functions(Dwarf_Die root) {
    Dwarf_Die child = nullptr;
    Dwarf_Error error = nullptr;
    auto has = file_.checked(dwarf_child(root, &child, &error), error, "descending in the tree of entries");
    if (!has)
      return std::unexpected(has.error());
    while (child != nullptr) {
      const LibdwarfDie owner(debug_, child);
      print_if_function(child);
      if (auto below = print_functions(child); !below)
        return below;
      Dwarf_Die next = nullptr;
      auto more = file_.checked(dwarf_siblingof_b(debug_, child, true, &next, &error), error, "walking along entries");
      if (!more)
        return std::unexpected(more.error());
      child = next;
    }
    return {};
  }

  void print_if_function(Dwarf_Die die) {
    Dwarf_Half tag = 0;
    Dwarf_Addr low = 0;
    Dwarf_Error error = nullptr;
    if (!file_.checked(dwarf_tag(die, &tag, &error), error, "reading a tag") || tag != DW_TAG_subprogram)
      return;
    const auto has_code = file_.checked(dwarf_lowpc(die, &low, &error), error, "reading a function's address");
    if (has_code && *has_code)
      fmt::print("function {:x} {:x} {}\n", offset_of(die), low, name_of(die, 0));
  }

  const LibdwarfFile &file_;
  Dwarf_Debug debug_;
};

int run(const char *path) {
  const int descriptor = ::open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    std::perror(path);
    return 1;
  }
  auto file = LibdwarfFile::open(descriptor);
  Result<void> done = file ? Reader(*file).run() : std::unexpected(file.error());
  if (done)
    return 0;
  fmt::print(stderr, "{}: {}\n", path, done.error().message());
  return 1;
}

} // namespace
} // namespace inspect

int main(int count, char **words) {
  if (count != 2) {
    std::fputs("usage: second_reader FILE\n", stderr);
    return 2;
  }
  return inspect::run(words[1]);
}
