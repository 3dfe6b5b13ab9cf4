#include "golang/values/value_layout.h"

#include <array>
#include <fmt/format.h>
#include <set>

namespace inspect {
namespace {

constexpr std::uint64_t slots_of_group = 8;    ///< of a bucket, too
constexpr std::uint64_t max_inline_size = 128; ///< bytes; a larger key or value is stored behind a pointer
constexpr std::uint64_t max_entries = 1ULL << 40;

bool is_indirect(const GoType &type) {
  return type.size > max_inline_size;
}

class MapReader {
public:
  MapReader(const GoType &map, const MemoryView &memory, int max_groups, const MapVisitor &visit)
      : map_(map), memory_(memory), max_groups_(max_groups), visit_(visit) {
    GoType word;
    word.size = word.alignment = 8;
    slot_.fields = {{"key", is_indirect(*map.key) ? &word : map.key, 0},
                    {"elem", is_indirect(*map.element) ? &word : map.element, 0}};
    lay_out_structure(slot_);
    for (GoField &field : slot_.fields)
      field.type = nullptr; // only its place is of use
  }

  /// Sets the count; false where the header is not one of this layout.
  bool read_tables(RunAddress header);
  bool read_buckets(RunAddress header);

  std::uint64_t count() const { return count_; }
  bool reached_end() const { return !stopped_ && visited_ < max_groups_; }

private:
  std::optional<std::uint64_t> number(RunAddress address, std::size_t size) const {
    return ValueSource::in_memory(memory_, address, size).unsigned_at(0, size);
  }
  bool done() const { return stopped_ || visited_ >= max_groups_; }
  void add(RunAddress key, RunAddress value);
  void group(RunAddress address);
  void table(RunAddress address);
  void bucket_chain(RunAddress address, bool old);
  void bucket_array(RunAddress address, std::uint64_t count, bool old);

  const GoType &map_;
  const MemoryView &memory_;
  int max_groups_;
  const MapVisitor &visit_;
  GoType slot_; ///< of the tables of Go 1.24 and later
  int visited_ = 0;
  bool stopped_ = false;
  std::uint64_t count_ = 0;
};

void MapReader::add(RunAddress key, RunAddress value) {
  if (is_indirect(*map_.key))
    key.value = number(key, 8).value_or(0);
  if (is_indirect(*map_.element))
    value.value = number(value, 8).value_or(0);
  stopped_ = !visit_({key, value});
}

/// internal/runtime/maps/group.go: eight control bytes, then the slots; the high bit of a control byte is set where
/// the slot is empty or deleted.
void MapReader::group(RunAddress address) {
  const auto controls = number(address, 8);
  ++visited_;
  if (!controls)
    return;
  for (std::uint64_t i = 0; i < slots_of_group && !done(); ++i) {
    if ((*controls >> (8 * i) & 0x80) != 0)
      continue;
    const RunAddress place = address + 8 + i * slot_.size;
    add(place, place + slot_.fields[1].offset);
  }
}

/// internal/runtime/maps/table.go: used u16, capacity u16, growthLeft u16, localDepth u8, index int, then the groups'
/// address and the number of them minus one.
void MapReader::table(RunAddress address) {
  const auto groups = number(address + 16, 8);
  const auto mask = number(address + 24, 8);
  if (!groups || !mask || *mask >= max_entries)
    return;
  for (std::uint64_t i = 0; i <= *mask && !done(); ++i)
    group(RunAddress{*groups} + i * (8 + slots_of_group * slot_.size));
}

/// internal/runtime/maps/map.go: used u64, seed, dirPtr, dirLen, globalDepth u8.
bool MapReader::read_tables(RunAddress header) {
  const ValueSource source = ValueSource::in_memory(memory_, header, 40);
  const auto used = source.unsigned_at(0, 8);
  const auto directory = source.unsigned_at(16, 8);
  const auto length = source.unsigned_at(24, 8);
  const auto depth = source.unsigned_at(32, 1);
  if (!used || !directory || !length || !depth || *used > max_entries || *depth > 48)
    return false;
  if (*length != (*length == 0 ? 0 : 1ULL << *depth) || (*length == 0 && (*used > slots_of_group || *depth != 0)))
    return false;
  count_ = *used;
  if (*used == 0)
    return true;
  if (*length == 0) {
    group(RunAddress{*directory});
    return true;
  }
  std::set<std::uint64_t> seen; // a table stands several times where others were split more often
  for (std::uint64_t i = 0; i < *length && !done(); ++i, ++visited_)
    if (const auto place = number(RunAddress{*directory} + 8 * i, 8); place && seen.insert(*place).second)
      table(RunAddress{*place});
  return true;
}

/// runtime/map.go, bmap: eight marks, keys, values, overflow. A mark of 5 or more is a filled slot; 2 to 4 say that
/// the bucket's entries have moved.
void MapReader::bucket_chain(RunAddress address, bool old) {
  const std::uint64_t key_size = is_indirect(*map_.key) ? 8 : map_.key->size;
  const std::uint64_t value_size = is_indirect(*map_.element) ? 8 : map_.element->size;
  while (address.value != 0 && !done()) {
    ++visited_;
    const auto marks = number(address, 8);
    if (!marks)
      return;
    const std::uint64_t first_mark = *marks & 0xff;
    if (old && first_mark >= 2 && first_mark <= 4)
      return;
    for (std::uint64_t i = 0; i < slots_of_group && !done(); ++i) {
      if ((*marks >> (8 * i) & 0xff) < 5)
        continue;
      add(address + 8 + i * key_size, address + 8 + slots_of_group * key_size + i * value_size);
    }
    address.value = number(address + 8 + slots_of_group * (key_size + value_size), 8).value_or(0);
  }
}

void MapReader::bucket_array(RunAddress address, std::uint64_t count, bool old) {
  const std::uint64_t key_size = is_indirect(*map_.key) ? 8 : map_.key->size;
  const std::uint64_t value_size = is_indirect(*map_.element) ? 8 : map_.element->size;
  for (std::uint64_t i = 0; i < count && address.value != 0 && !done(); ++i)
    bucket_chain(address + i * (16 + slots_of_group * (key_size + value_size)), old);
}

/// runtime/map.go, hmap: count, flags u8, B u8, noverflow u16, hash0 u32, buckets, oldbuckets.
bool MapReader::read_buckets(RunAddress header) {
  const ValueSource source = ValueSource::in_memory(memory_, header, 40);
  const auto count = source.unsigned_at(0, 8);
  const auto flags = source.unsigned_at(8, 1);
  const auto logarithm = source.unsigned_at(9, 1);
  const auto buckets = source.unsigned_at(16, 8);
  const auto old_buckets = source.unsigned_at(24, 8);
  if (!count || !flags || !logarithm || !buckets || !old_buckets)
    return false;
  // Of the flags only the low four mean something.
  if (*count > max_entries || *flags > 15 || *logarithm > 48 || (*count > 0 && *buckets == 0))
    return false;
  count_ = *count;
  if (*count == 0)
    return true;
  bucket_array(RunAddress{*buckets}, 1ULL << *logarithm, false);
  const bool same_size = (*flags & 8) != 0;
  if (*old_buckets != 0)
    bucket_array(RunAddress{*old_buckets}, 1ULL << (same_size || *logarithm == 0 ? *logarithm : *logarithm - 1), true);
  return true;
}

} // namespace

Result<MapWalk> walk_map(const GoType &map, RunAddress header, GoVersion version, const MemoryView &memory,
                         int max_groups, const MapVisitor &visit) {
  MapReader reader(map, memory, max_groups, visit);
  const bool has_tables = version >= GoVersion{1, 24};
  const bool understood = has_tables
                              ? reader.read_tables(header) || reader.read_buckets(header)
                              : reader.read_buckets(header) || (version.major == 0 && reader.read_tables(header));
  if (understood)
    return MapWalk{.count = reader.count(), .complete = reader.reached_end()};
  if (!read_word(memory, header))
    return std::unexpected(unreadable_at(header));
  return std::unexpected(
      Error(ErrorKind::corrupt, fmt::format("no map header at {:#x}: not initialised?", header.value)));
}

} // namespace inspect
