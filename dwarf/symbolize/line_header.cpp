#include "dwarf/symbolize/line_header.h"

#include "dwarf/raw/elf/elf_image.h"

#include <dwarf.h>
#include <utility>

namespace inspect {
namespace {

struct EntryField {
  std::uint64_t content;
  std::uint64_t form;
};

std::string_view string_at(std::span<const std::byte> section, std::uint64_t offset) {
  return offset < section.size() ? ByteReader(section.subspan(offset)).string() : std::string_view{};
}

/// Reads the tables of one header, which differ by version.
class HeaderReader {
public:
  HeaderReader(const LineSections &sections, ByteReader reader, std::size_t offset_size)
      : sections_(sections), reader_(reader), offset_size_(offset_size) {}

  bool read_old_tables(LineHeader &header) {
    for (std::string_view name = reader_.string(); reader_.ok() && !name.empty(); name = reader_.string()) {
      if (header.directories.size() == max_line_files)
        return false;
      header.directories.push_back(name);
    }
    for (std::string_view name = reader_.string(); reader_.ok() && !name.empty(); name = reader_.string()) {
      if (header.files.size() == max_line_files)
        return false;
      header.files.push_back({name, reader_.unsigned_leb()});
      reader_.unsigned_leb(); // time of last modification
      reader_.unsigned_leb(); // size
    }
    return reader_.ok();
  }

  bool read_new_tables(LineHeader &header) {
    return read_entries([&](LineFile entry) { header.directories.push_back(entry.name); }) &&
           read_entries([&](LineFile entry) { header.files.push_back(entry); });
  }

private:
  template <typename Add> bool read_entries(Add add) {
    std::vector<EntryField> fields(reader_.byte());
    for (EntryField &field : fields) {
      field.content = reader_.unsigned_leb();
      field.form = reader_.unsigned_leb();
    }
    const std::uint64_t count = reader_.unsigned_leb();
    if (count > reader_.left() || count > max_line_files || (fields.empty() && count > 0))
      return false; // every entry takes a byte at least
    for (std::uint64_t i = 0; i < count && reader_.ok(); ++i) {
      LineFile entry;
      for (const EntryField &field : fields)
        if (!read_field(field, entry))
          return false;
      add(entry);
    }
    return reader_.ok();
  }

  bool read_field(const EntryField &field, LineFile &entry) {
    std::string_view text;
    std::uint64_t number = 0;
    switch (field.form) {
    case DW_FORM_string:
      text = reader_.string();
      break;
    case DW_FORM_line_strp:
      text = string_at(sections_.line_strings, reader_.number(offset_size_));
      break;
    case DW_FORM_strp:
      text = string_at(sections_.strings, reader_.number(offset_size_));
      break;
    case DW_FORM_udata:
      number = reader_.unsigned_leb();
      break;
    case DW_FORM_data1:
      number = reader_.number(1);
      break;
    case DW_FORM_data2:
      number = reader_.number(2);
      break;
    case DW_FORM_data4:
      number = reader_.number(4);
      break;
    case DW_FORM_data8:
      number = reader_.number(8);
      break;
    case DW_FORM_data16: // MD5
      reader_.skip(16);
      break;
    case DW_FORM_block:
      reader_.skip(reader_.unsigned_leb());
      break;
    default:
      return false;
    }
    if (field.content == DW_LNCT_path)
      entry.name = text;
    else if (field.content == DW_LNCT_directory_index)
      entry.directory = number;
    return reader_.ok();
  }

  const LineSections &sections_;
  ByteReader reader_;
  std::size_t offset_size_;
};

void join(std::string &path, std::string_view part) {
  if (!path.empty() && path.back() != '/')
    path += '/';
  path += part;
}

} // namespace

namespace {

/// Those whose names end in `suffix`; without one, none of split DWARF.
LineSections line_sections(Dwarf *dwarf, std::string_view suffix) {
  LineSections found;
  for (const ImageSection &section : sections_of(dwarf_getelf(dwarf))) {
    std::string_view name = section.header.sh_type != SHT_NOBITS ? section.name : "";
    if (!name.ends_with(suffix))
      continue;
    name.remove_suffix(suffix.size());
    const bool old_compression = name.starts_with(".zdebug_");
    if (!old_compression && !name.starts_with(".debug_"))
      continue;
    const std::string_view rest = name.substr(old_compression ? 8 : 7);
    std::span<const std::byte> *wanted = rest == "line"       ? &found.line
                                         : rest == "line_str" ? &found.line_strings
                                         : rest == "str"      ? &found.strings
                                                              : nullptr;
    // libdw has uncompressed it in place by now.
    const Elf_Data *data = wanted ? elf_getdata(section.section, nullptr) : nullptr;
    if (data && data->d_buf)
      *wanted = {static_cast<const std::byte *>(data->d_buf), data->d_size};
  }
  return found;
}

} // namespace

LineSections LineSections::of(Dwarf *dwarf) {
  return line_sections(dwarf, "");
}

LineSections LineSections::split_of(Dwarf *dwarf) {
  return line_sections(dwarf, ".dwo");
}

std::optional<LineHeader> LineHeader::read(const LineSections &sections, std::uint64_t offset) {
  if (offset >= sections.line.size())
    return std::nullopt;
  ByteReader start(sections.line.subspan(offset));
  std::uint64_t length = start.number(4);
  const std::size_t offset_size = length == 0xffff'ffff ? 8 : 4;
  if (offset_size == 8)
    length = start.number(8);
  ByteReader unit = start.part(length);
  LineHeader header;
  header.version = static_cast<std::uint16_t>(unit.number(2));
  if (header.version < 2 || header.version > 5)
    return std::nullopt;
  if (header.version >= 5)
    unit.skip(2); // sizes of an address and of a segment selector
  ByteReader tables = unit.part(unit.number(offset_size));
  header.program = unit;
  header.minimum_instruction_length = tables.byte();
  header.operations_per_instruction = header.version >= 4 ? tables.byte() : 1;
  tables.skip(1); // default of is_stmt
  header.line_base = static_cast<std::int8_t>(tables.byte());
  header.line_range = tables.byte();
  header.opcode_base = tables.byte();
  for (unsigned opcode = 1; opcode < header.opcode_base; ++opcode)
    header.operand_counts[opcode] = tables.byte();
  if (!unit.ok() || !tables.ok() || header.line_range == 0 || header.operations_per_instruction == 0)
    return std::nullopt;
  HeaderReader reader(sections, tables, offset_size);
  const bool understood = header.version >= 5 ? reader.read_new_tables(header) : reader.read_old_tables(header);
  return understood ? std::optional(std::move(header)) : std::nullopt;
}

std::string LineHeader::path(std::uint64_t file, const std::string &compilation_directory) const {
  const std::uint64_t first = version >= 5 ? 0 : 1;
  if (file < first || file - first >= files.size())
    return {};
  const LineFile &entry = files[file - first];
  if (entry.name.empty() || entry.name.front() == '/')
    return std::string(entry.name);
  // Directory 0 of older versions is the compilation directory.
  std::string_view directory;
  if (entry.directory >= first && entry.directory - first < directories.size())
    directory = directories[entry.directory - first];
  std::string path;
  // Directory 0 of version 5 is the compilation directory itself, also where that is relative (-ffile-prefix-map).
  const bool is_compilation_directory = version >= 5 && entry.directory == 0 && directory == compilation_directory;
  if (!directory.starts_with('/') && !is_compilation_directory)
    path = compilation_directory;
  if (!directory.empty())
    join(path, directory);
  join(path, entry.name);
  return path;
}

} // namespace inspect
