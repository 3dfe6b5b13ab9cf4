// The index files that inspect-dwarfindex writes, with checksums that fit.
// Whoever may write to the cache may have written them.
#include "dwarf/raw/names/name_table.h"
#include "dwarf/unit_index/unit_index.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

#include <cstring>

namespace inspect::test {
namespace {

/// As somebody would write it who means harm: with a checksum that fits.
std::vector<std::byte> forged_names(std::vector<std::byte> bytes) {
  NameTableHeader header;
  if (bytes.size() < sizeof header)
    return bytes;
  std::memcpy(&header, bytes.data(), sizeof header);
  header.checksum = name_table_checksum(header, std::span(bytes).subspan(sizeof header));
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

std::vector<std::byte> forged_units(std::vector<std::byte> bytes) {
  UnitIndexHeader header;
  if (bytes.size() < sizeof header)
    return bytes;
  std::memcpy(&header, bytes.data(), sizeof header);
  std::vector<UnitIndexRecord> records((bytes.size() - sizeof header) / sizeof(UnitIndexRecord));
  if (!records.empty())
    std::memcpy(records.data(), bytes.data() + sizeof header, records.size() * sizeof(UnitIndexRecord));
  header.checksum = unit_index_checksum(header, records);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

bool read_names(std::vector<std::byte> bytes) {
  const auto table = NameTable::of(std::move(bytes));
  if (!table)
    return false;
  std::size_t length = 0;
  std::size_t entries = 0;
  table->all([&](const NameRecord &record) {
    length += record.name.size();
    return ++entries < 10'000 && length < 1'000'000;
  });
  fuzz_check(entries <= table->size(), "a table has as many names as it says");
  for (const std::uint32_t key : {0U, 1U, 0x7fffffffU, ~0U})
    table->each(key, [&](const NameRecord &record) { length += record.name.size(); });
  return true;
}

bool run_index_files(std::span<const std::byte> bytes) {
  FuzzInput input(bytes);
  const bool names = input.number(1) % 2 == 0;
  std::vector<std::byte> file = as_byte_vector(input.rest());
  if (names) {
    read_names(file);
    return read_names(forged_names(std::move(file)));
  }
  static_cast<void>(UnitIndex::parse(file));
  const auto index = UnitIndex::parse(forged_units(std::move(file)));
  if (!index)
    return false;
  fuzz_check(index->unit_ranges().size() == index->records().size(), "every record is a range");
  for (const UnitRange &range : index->unit_ranges())
    fuzz_check(range.unit_offset < index->header().debug_info_size, "a unit lies in .debug_info");
  return true;
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

std::vector<std::string> index_file_seeds() {
  NameTableBuilder builder;
  std::uint64_t number = 0;
  for (const std::string_view name : {"ns::first", "ns::second", "main.third", "\x01hidden::fourth", "Enum::one"}) {
    const auto kind = static_cast<NameKind>(number % 4);
    builder.add({name, kind, NameSection::info, name_has_code, ++number * 16, 11, number});
  }
  const std::vector<UnitIndexRecord> records{{0x1000, 0x1100, 11}, {0x1100, 0x1180, 11}, {0x1200, 0x1300, 99}};
  UnitIndexHeader header;
  header.debug_info_size = 200;
  header.record_count = records.size();
  header.build_id_size = 4;
  header.checksum = unit_index_checksum(header, records);
  const std::string units = text_of(std::as_bytes(std::span(&header, 1))) + text_of(std::as_bytes(std::span(records)));
  return {FuzzSeed().number(0, 1).raw(text_of(builder.finish({}))).text(), FuzzSeed().number(1, 1).raw(units).text()};
}

const RegisteredFuzzTarget index_files_target{
    {.name = "index-files", .run = run_index_files, .seeds = index_file_seeds, .rounds = 1000, .max_size = 2048}};

} // namespace
} // namespace inspect::test
