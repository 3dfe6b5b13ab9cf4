#include "dwarf/raw/units/package_index.h"

#include "dwarf/raw/elf/byte_reader.h"

namespace inspect {
namespace {

/// What both versions call columns of the tables; 5 and 8 are of other sections in version 2, read as version 5's.
enum Column : std::uint32_t {
  column_info = 1,
  column_types = 2,
  column_abbreviations = 3,
  column_lines = 4,
  column_locations = 5,
  column_string_offsets = 6,
  column_ranges = 8,
};

constexpr std::uint32_t max_columns = 16;

std::optional<DebugSections::Bytes> slice(DebugSections::Bytes section, std::uint64_t offset, std::uint64_t size) {
  if (offset > section.size() || size > section.size() - offset)
    return std::nullopt;
  return section.subspan(offset, size);
}

} // namespace

PackageIndex::PackageIndex(const DebugSections &package) : package_(package) {
  read(package.unit_index, units_);
  read(package.type_index, types_);
}

void PackageIndex::read(DebugSections::Bytes index, Rows &rows) {
  ByteReader header(index);
  const auto version = header.number(2); // of version 2 it is four bytes long, the upper two being 0
  header.skip(2);
  const std::uint64_t columns = header.number(4), units = header.number(4), slots = header.number(4);
  if (!header.ok() || (version != 2 && version != 5) || columns == 0 || columns > max_columns ||
      slots > index.size() / 12 || units > slots)
    return;
  ByteReader ids = header.part(slots * 8);
  ByteReader numbers = header.part(slots * 4);
  std::vector<std::uint64_t> kinds;
  for (std::uint64_t column = 0; column < columns; ++column)
    kinds.push_back(header.number(4));
  const std::uint64_t table_size = units * columns * 4;
  const auto offsets = slice(index, header.position(), table_size);
  const auto sizes = slice(index, header.position() + table_size, table_size);
  if (!header.ok() || !ids.ok() || !numbers.ok() || !offsets || !sizes)
    return;
  for (std::uint64_t slot = 0; slot < slots; ++slot) {
    const std::uint64_t id = ids.number(8), number = numbers.number(4);
    if (number == 0 || number > units)
      continue;
    const std::size_t at = (number - 1) * columns * 4;
    ByteReader row_offsets(offsets->subspan(at)), row_sizes(sizes->subspan(at));
    Row row;
    for (const std::uint64_t kind : kinds) {
      const Part part{static_cast<std::uint32_t>(row_offsets.number(4)),
                      static_cast<std::uint32_t>(row_sizes.number(4)), true};
      switch (kind) {
      case column_info:
        row.info = part;
        break;
      case column_types:
        row.types = part;
        break;
      case column_abbreviations:
        row.abbreviations = part;
        break;
      case column_lines:
        row.lines = part;
        break;
      case column_locations:
        row.locations = part;
        break;
      case column_string_offsets:
        row.string_offsets = part;
        break;
      case column_ranges:
        if (version == 5)
          row.ranges = part;
        break;
      default:
        break;
      }
    }
    rows.emplace(id, row);
  }
}

std::optional<DebugSections> PackageIndex::part(const Rows &rows, std::uint64_t id) const {
  const auto found = rows.find(id);
  if (found == rows.end())
    return std::nullopt;
  const Row &row = found->second;
  DebugSections parts;
  parts.split = true;
  parts.strings = package_.strings;
  bool sound = true;
  const auto take = [&](DebugSections::Bytes &into, DebugSections::Bytes from, const Part &part) {
    // Of a section that is not there, or that the caller did not read, there are no parts.
    const auto taken = part.present && !from.empty() ? slice(from, part.offset, part.size) : DebugSections::Bytes();
    sound = sound && taken.has_value();
    into = taken.value_or(DebugSections::Bytes());
  };
  take(parts.info, package_.info, row.info);
  take(parts.types, package_.types, row.types);
  take(parts.abbreviations, package_.abbreviations, row.abbreviations);
  take(parts.lines, package_.lines, row.lines);
  take(parts.locations, package_.locations, row.locations);
  take(parts.string_offsets, package_.string_offsets, row.string_offsets);
  take(parts.ranges, package_.ranges, row.ranges);
  return sound && (!parts.info.empty() || !parts.types.empty()) ? std::optional(parts) : std::nullopt;
}

std::vector<std::uint64_t> PackageIndex::type_signatures() const {
  std::vector<std::uint64_t> signatures;
  for (const auto &[signature, row] : types_)
    signatures.push_back(signature);
  return signatures;
}

} // namespace inspect
