#include "dwarf/symbols/dynamic_symbols.h"

#include "dwarf/raw/elf/section_limits.h"

#include <algorithm>

namespace inspect {
namespace {

struct DynamicTable {
  std::uint64_t symbols = 0;
  std::uint64_t names = 0;
  std::uint64_t names_size = 0;
  std::uint64_t hash = 0;
  std::uint64_t gnu_hash = 0;
};

DynamicTable read_table(const ElfImage &image) {
  DynamicTable table;
  for (const Elf64_Dyn &entry : image.dynamic_entries()) {
    switch (entry.d_tag) {
    case DT_SYMTAB:
      table.symbols = entry.d_un.d_ptr;
      break;
    case DT_STRTAB:
      table.names = entry.d_un.d_ptr;
      break;
    case DT_STRSZ:
      table.names_size = entry.d_un.d_val;
      break;
    case DT_HASH:
      table.hash = entry.d_un.d_ptr;
      break;
    case DT_GNU_HASH:
      table.gnu_hash = entry.d_un.d_ptr;
      break;
    default:
      break;
    }
  }
  return table;
}

/// The highest symbol number in the chains, plus one; chains end at a set lowest bit.
std::uint64_t count_by_gnu_hash(std::span<const std::byte> table) {
  const auto buckets = value_at<std::uint32_t>(table, 0);
  const auto first_hashed = value_at<std::uint32_t>(table, 4);
  const auto bloom_words = value_at<std::uint32_t>(table, 8);
  if (!buckets || !first_hashed || !bloom_words)
    return 0;
  const std::uint64_t buckets_at = 16 + std::uint64_t{*bloom_words} * 8;
  const std::uint64_t chains_at = buckets_at + std::uint64_t{*buckets} * 4;
  if (chains_at > table.size() || *buckets > max_symbols)
    return 0;
  std::uint32_t highest = 0;
  for (std::uint64_t i = 0; i < *buckets; ++i)
    highest = std::max(highest, value_at<std::uint32_t>(table, buckets_at + i * 4).value_or(0));
  if (highest < *first_hashed)
    return *first_hashed;
  for (std::uint64_t number = highest; number - highest <= max_symbols; ++number) {
    const auto link = value_at<std::uint32_t>(table, chains_at + (number - *first_hashed) * 4);
    if (!link)
      return number;
    if ((*link & 1) != 0)
      return number + 1;
  }
  return 0;
}

} // namespace

std::optional<DynamicSymbols> find_dynamic_symbols(const ElfImage &image, LoadBias bias) {
  const DynamicTable table = read_table(image);
  const auto symbols = image.dynamic_bytes(table.symbols, bias);
  const auto names = image.dynamic_bytes(table.names, bias);
  const auto hash = image.dynamic_bytes(table.hash, bias);
  // DT_HASH: nbucket, nchain; there is a chain entry for each symbol.
  std::uint64_t count = value_at<std::uint32_t>(hash, 4).value_or(0);
  if (count == 0)
    count = count_by_gnu_hash(image.dynamic_bytes(table.gnu_hash, bias));
  count = std::min<std::uint64_t>(count, symbols.size() / sizeof(Elf64_Sym));
  if (count == 0 || count > max_symbols || names.empty())
    return std::nullopt;
  return DynamicSymbols{symbols.first(count * sizeof(Elf64_Sym)),
                        names.first(std::min<std::uint64_t>(names.size(), table.names_size))};
}

} // namespace inspect
