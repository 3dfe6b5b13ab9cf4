#include "dwarf/raw/names/name_table.h"

#include "dwarf/raw/elf/debug_pages.h"
#include "dwarf/raw/names/name_spelling.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace inspect {
namespace {

constexpr std::size_t text_piece = 1 << 20;
/// A program has a handful.
constexpr std::size_t max_inline_namespaces = 64;
/// Of one name: functions that every file of a C program has its own of.
constexpr std::uint32_t max_of_one_name = 500;

} // namespace

std::string_view NameTableBuilder::keep(std::string_view text) {
  if (texts_.empty() || texts_.back().capacity() - texts_.back().size() < text.size()) {
    texts_.emplace_back();
    texts_.back().reserve(std::max(text_piece, text.size()));
  }
  std::string &piece = texts_.back();
  piece.append(text);
  return std::string_view(piece).substr(piece.size() - text.size());
}

/// Type units, and partial units of dwz, repeat a namespace around what they have, but not that it is an inline one.
void NameTableBuilder::learn_inline_namespaces(const NameRecord &record) {
  if (record.kind == NameKind::constant) // whose enumerations are marked for another reason
    return;
  for (std::size_t mark = record.name.find(transparent_mark); mark != std::string_view::npos;
       mark = record.name.find(transparent_mark, mark + 1)) {
    const std::size_t end = record.name.find("::", mark);
    if (end == std::string_view::npos || record.name[mark + 1] == '(' ||
        inline_namespaces_.size() >= max_inline_namespaces)
      return;
    inline_namespaces_.insert(shown_name(record.name.substr(0, end + 2)));
  }
}

void NameTableBuilder::mark_inline_namespaces() {
  struct Renamed {
    std::string name;
    std::uint32_t first;
  };
  std::vector<Renamed> renamed;
  for (const std::string &scope : inline_namespaces_) {
    // Where the last of its parts begins.
    const std::size_t outer = scope.rfind("::", scope.size() - 3);
    const std::size_t at = outer == std::string::npos ? 0 : outer + 2;
    std::erase_if(chains_, [&](const auto &chain) {
      if (!chain.first.starts_with(scope))
        return false;
      renamed.push_back({std::string(chain.first).insert(at, 1, transparent_mark), chain.second.first});
      return true;
    });
  }
  inline_namespaces_.clear();
  for (const Renamed &chain : renamed)
    for (std::uint32_t at = chain.first; at != no_candidate;) {
      const Candidate candidate = candidates_[at];
      at = candidate.next;
      add({chain.name, candidate.kind, candidate.section, candidate.flags, candidate.die, candidate.unit,
           candidate.identity});
    }
}

void NameTableBuilder::add(const NameRecord &record) {
  if (record.name.find('\0') != std::string_view::npos || candidates_.size() >= max_name_table_entries)
    return;
  auto known = chains_.find(record.name);
  if (known == chains_.end())
    learn_inline_namespaces(record);
  if (known == chains_.end())
    known = chains_.emplace(keep(record.name), Chain{no_candidate, 0}).first;
  const bool declaration = (record.flags & name_is_declaration) != 0;
  const bool has_code = (record.flags & name_has_code) != 0;
  for (std::uint32_t at = known->second.first; at != no_candidate; at = candidates_[at].next) {
    Candidate &other = candidates_[at];
    if (other.kind != record.kind)
      continue;
    const bool other_is_declaration = (other.flags & name_is_declaration) != 0;
    const bool other_has_code = (other.flags & name_has_code) != 0;
    const bool same = other.identity == record.identity;
    if (declaration || (same && !has_code && !other_is_declaration) ||
        (same && has_code && other_has_code && other.die == record.die && other.unit == record.unit))
      return; // something that says as much is there
    if (other_is_declaration || (same && has_code && !other_has_code)) {
      other = {record.die, record.unit, record.identity, other.next, record.kind, record.section, record.flags};
      return;
    }
  }
  if (known->second.count >= max_of_one_name)
    return;
  candidates_.push_back(
      {record.die, record.unit, record.identity, known->second.first, record.kind, record.section, record.flags});
  known->second.first = static_cast<std::uint32_t>(candidates_.size() - 1);
  ++known->second.count;
}

std::vector<std::byte> NameTableBuilder::finish(NameTableHeader header) {
  struct Named {
    std::uint32_t key;
    std::string_view name;
    std::uint32_t first;
  };
  mark_inline_namespaces();
  std::vector<Named> order;
  order.reserve(chains_.size());
  for (const auto &[name, chain] : chains_) {
    const bool go = chain.first != no_candidate && (candidates_[chain.first].flags & name_is_go) != 0;
    order.push_back({name_key(name, go), name, chain.first});
  }
  chains_.clear();
  std::ranges::sort(order, [](const Named &one, const Named &other) {
    return one.key != other.key ? one.key < other.key : one.name < other.name;
  });
  std::vector<std::uint64_t> units;
  for (const Candidate &candidate : candidates_)
    units.push_back(candidate.unit);
  std::ranges::sort(units);
  units.erase(std::ranges::unique(units).begin(), units.end());
  std::vector<NameTableEntry> entries;
  entries.reserve(candidates_.size());
  std::string texts;
  for (const Named &named : order) {
    if (texts.size() + named.name.size() >= max_name_table_text_size)
      break;
    for (std::uint32_t at = named.first; at != no_candidate; at = candidates_[at].next) {
      const Candidate &candidate = candidates_[at];
      const auto unit = std::ranges::lower_bound(units, candidate.unit) - units.begin();
      entries.push_back({named.key, static_cast<std::uint32_t>(texts.size()), candidate.die,
                         static_cast<std::uint32_t>(unit), candidate.kind, candidate.section, candidate.flags, 0});
    }
    texts.append(named.name).push_back('\0');
  }
  header.entry_count = entries.size();
  header.unit_count = units.size();
  header.text_size = texts.size();
  const auto part = [](const auto &values) { return std::as_bytes(std::span(values)); };
  std::vector<std::byte> bytes(sizeof header);
  bytes.reserve(sizeof header + part(entries).size() + part(units).size() + texts.size());
  for (const std::span<const std::byte> piece : {part(entries), part(units), part(texts)})
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  header.checksum = name_table_checksum(header, std::span(bytes).subspan(sizeof header));
  std::memcpy(bytes.data(), &header, sizeof header);
  candidates_ = {};
  texts_.clear();
  return bytes;
}

Result<NameTable> NameTable::of(std::vector<std::byte> bytes) {
  const auto kept = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  return check(kept, *kept);
}

Result<NameTable> NameTable::map(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0)
    return std::unexpected(Error::from_errno(errno, "looking at a table of names"));
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size < sizeof(NameTableHeader))
    return std::unexpected(Error(ErrorKind::corrupt, "the table of names is shorter than its header"));
  void *mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (mapped == MAP_FAILED)
    return std::unexpected(Error::from_errno(errno, "mapping a table of names"));
  const std::shared_ptr<const void> owner(mapped, [size](void *bytes) { ::munmap(bytes, size); });
  const std::span bytes(static_cast<const std::byte *>(mapped), size);
  auto table = check(owner, bytes);
  give_back_pages(bytes); // the checksum brought all of it in
  return table;
}

Result<NameTable> NameTable::check(std::shared_ptr<const void> owner, std::span<const std::byte> bytes) {
  const auto wrong = [](std::string_view what) {
    return std::unexpected(Error(ErrorKind::corrupt, fmt::format("the table of names {}", what)));
  };
  NameTable table;
  NameTableHeader &header = table.header_;
  if (bytes.size() < sizeof header)
    return wrong("is shorter than its header");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != name_table_magic)
    return wrong("does not begin as one");
  if (header.version != name_table_version || header.byte_order != name_table_byte_order)
    return wrong("is of another version or byte order");
  if (header.entry_count > max_name_table_entries || header.unit_count > max_name_table_entries ||
      header.text_size > max_name_table_text_size || header.build_id_size > max_name_table_build_id_size)
    return wrong("claims more than a table can hold");
  const std::uint64_t entries_size = header.entry_count * sizeof(NameTableEntry);
  const std::uint64_t units_size = header.unit_count * sizeof(std::uint64_t);
  const std::span<const std::byte> rest = bytes.subspan(sizeof header);
  if (rest.size() != entries_size + units_size + header.text_size)
    return wrong("has another length than it says");
  if (header.checksum != name_table_checksum(header, rest))
    return wrong("has a wrong checksum");
  // Both begin at multiples of 8 in a mapping or in a vector's memory.
  table.entries_ = {reinterpret_cast<const NameTableEntry *>(rest.data()), header.entry_count};
  table.units_ = {reinterpret_cast<const std::uint64_t *>(rest.data() + entries_size), header.unit_count};
  table.texts_ = rest.subspan(entries_size + units_size);
  if (!table.texts_.empty() && table.texts_.back() != std::byte{0})
    return wrong("has a text without an end");
  if (!std::ranges::is_sorted(table.entries_, {}, &NameTableEntry::key))
    return wrong("is not in order");
  table.owner_ = std::move(owner);
  return table;
}

bool NameTable::read(const NameTableEntry &entry, NameRecord &record) const {
  if (entry.text >= texts_.size() || entry.unit >= units_.size() || entry.kind > NameKind::constant ||
      entry.section > NameSection::package_type)
    return false;
  // The texts end with a NUL, so that this one ends as well.
  record.name = reinterpret_cast<const char *>(texts_.data()) + entry.text;
  record.kind = entry.kind;
  record.section = entry.section;
  record.flags = entry.flags;
  record.die = entry.die;
  record.unit = units_[entry.unit];
  return true;
}

void NameTable::each(std::uint32_t key, const std::function<void(const NameRecord &)> &visit) const {
  NameRecord record;
  for (const NameTableEntry &entry : std::ranges::equal_range(entries_, key, {}, &NameTableEntry::key))
    if (read(entry, record))
      visit(record);
}

void NameTable::all(const std::function<bool(const NameRecord &)> &visit) const {
  NameRecord record;
  for (const NameTableEntry &entry : entries_)
    if (read(entry, record) && !visit(record))
      return;
}

} // namespace inspect
