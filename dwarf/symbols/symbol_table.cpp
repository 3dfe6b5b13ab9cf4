#include "dwarf/symbols/symbol_table.h"
#include "dwarf/raw/elf/debug_pages.h"
#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/raw/elf/section_limits.h"
#include "dwarf/symbols/dynamic_symbols.h"
#include "dwarf/symbols/plt_names.h"
#include "machine/cancellation_point.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace inspect {
namespace {

/// One symbol in 24 bytes; tables of a million are common.
struct Entry {
  std::uint64_t address;
  std::uint32_t size; ///< 0: not said
  std::uint32_t name; ///< offset in its source's string table
  std::uint8_t rank;  ///< lower is better known; see rank_of
  std::uint8_t source;
  bool is_function;
  bool is_plt;

  bool covers(std::uint64_t wanted) const { return wanted - address < size && wanted >= address; }
};
static_assert(sizeof(Entry) == 24);

/// A stretch of the image in which an unsized symbol reaches to the next: a section, or without sections a segment.
struct Region {
  std::uint64_t begin;
  std::uint64_t end;
  bool executable;
};

// How far back a sized symbol that covers an address can start is known per block of entries, so that a look-up in a
// gap need not walk the whole table.
constexpr std::size_t block_size = 64;
// A table without NULs would else be searched to its end for each of its symbols.
constexpr std::size_t max_name_length = 64 << 10;

std::string_view string_at(std::span<const std::byte> names, std::uint32_t offset) {
  if (offset >= names.size())
    return {};
  const auto *text = reinterpret_cast<const char *>(names.data()) + offset;
  const std::size_t limit = std::min(names.size() - offset, max_name_length);
  const void *end = std::memchr(text, 0, limit);
  return {text, end != nullptr ? static_cast<std::size_t>(static_cast<const char *>(end) - text) : limit};
}

/// "memcpy@@GLIBC_2.14" is memcpy to people.
std::string_view without_version(std::string_view name) {
  const std::size_t at = name.find('@');
  return at == std::string_view::npos || at == 0 ? name : name.substr(0, at);
}

// Of a symbol table or its names, while they are read.
constexpr std::size_t kept_in_memory = 1 << 20;
constexpr std::size_t names_kept_in_memory = 32; // by look-ups, 64 KiB each
// A table's entries and the few that follow it are kept in one allocation: growing one of a million would double it.
constexpr std::size_t room_for_plt = 8192;

constexpr std::size_t entries_between_looks = 4096;

constexpr std::uint8_t local_rank = 1 << 7;

/// How well known a symbol is, as far as its entry tells; its name's underscores count as well, and are looked at only
/// where symbols share an address: reading every name would bring all of a large string table into memory.
std::uint8_t rank_of(const Elf64_Sym &symbol) {
  const unsigned binding = ELF64_ST_BIND(symbol.st_info);
  // glibc's public names are weak, and the global ones beside them have underscores: nanosleep, __nanosleep.
  const unsigned weak = binding == STB_WEAK ? 1 : 0;
  const unsigned unsized = symbol.st_size == 0 ? 1 : 0;
  const unsigned data = ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT ? 1 : 0;
  return static_cast<std::uint8_t>((binding == STB_LOCAL ? local_rank : 0U) | weak << 3 | unsized << 2 | data << 1);
}

std::uint8_t leading_underscores(std::string_view name) {
  return static_cast<std::uint8_t>(std::min<std::size_t>(7, std::min(name.find_first_not_of('_'), name.size())));
}

/// Its call is inlined into the sort, which halves the time for a million symbols.
constexpr auto lower_address = [](const Entry &one, const Entry &other) { return one.address < other.address; };

/// Of entries at one address: the best known first.
bool better_known(const Entry &one, const Entry &other) {
  if (one.rank != other.rank)
    return one.rank < other.rank;
  return one.source != other.source ? one.source < other.source : one.name < other.name;
}

std::vector<Region> read_regions(const ElfImage &image) {
  std::vector<Region> regions;
  const auto add = [&](std::uint64_t begin, std::uint64_t size, bool executable) {
    if (size != 0 && begin + size > begin)
      regions.push_back({begin, begin + size, executable});
  };
  for (const ImageSection &section : image.sections())
    if ((section.header.sh_flags & SHF_ALLOC) != 0 && (section.header.sh_flags & SHF_TLS) == 0)
      add(section.header.sh_addr, section.header.sh_size, (section.header.sh_flags & SHF_EXECINSTR) != 0);
  if (regions.empty())
    for (const Elf64_Phdr &segment : image.segments())
      if (segment.p_type == PT_LOAD)
        add(segment.p_vaddr, segment.p_memsz, (segment.p_flags & PF_X) != 0);
  std::ranges::sort(regions, {}, &Region::begin);
  return regions;
}

} // namespace

struct SymbolTable::State {
  std::vector<Region> regions;
  std::vector<std::span<const std::byte>> sources; ///< string tables
  std::vector<Entry> entries;
  std::size_t names_read = 0;                ///< by look-ups
  std::uint64_t seen = 0;                    ///< entries of all tables
  bool only_exported = false;                ///< no full table: static functions lie between the symbols, unseen
  std::vector<std::uint64_t> block_end;      ///< highest end of a symbol in the block
  std::vector<std::uint64_t> block_end_upto; ///< and in it and all blocks before

  void load(Module &module);
  bool load_sections(const ElfImage &image, std::uint32_t type, std::uint64_t offset);
  void load_symbols(std::span<const std::byte> symbols, std::span<const std::byte> names, std::uint64_t offset);
  void load_symbol(const Elf64_Sym &symbol, std::uint8_t source, std::uint64_t offset);
  void load_plt(const ElfImage &image);
  void order_shared();
  void give_back_names() const;
  void drop_repeated();
  void index_blocks();
  const Region *region_of(std::uint64_t address) const;
  const Entry *sized_at(std::uint64_t address, std::size_t after) const;
  const Entry *unsized_at(std::uint64_t address, std::size_t after) const;
  std::string_view name_of(const Entry &entry) const {
    return without_version(string_at(sources[entry.source], entry.name));
  }
  Symbol symbol_of(const Entry &entry) const {
    return {name_of(entry), LinkAddress{entry.address}, entry.size, entry.is_function, entry.is_plt};
  }
};

void SymbolTable::State::load(Module &module) {
  const ElfImage &image = module.image();
  regions = read_regions(image);
  bool full = load_sections(image, SHT_SYMTAB, 0);
  if (!full)
    if (const ElfImage *debug = module.separate_debug_image())
      full = load_sections(*debug, SHT_SYMTAB, module.debug_offset());
  if (!full)
    if (const ElfImage *mini = module.mini_debug_image())
      full = load_sections(*mini, SHT_SYMTAB, 0);
  only_exported = !full;
  if (!load_sections(image, SHT_DYNSYM, 0))
    if (const auto dynamic = find_dynamic_symbols(image, module.bias()))
      load_symbols(dynamic->symbols, dynamic->names, 0);
  std::sort(entries.begin(), entries.end(), lower_address);
  load_plt(image);
  order_shared();
  drop_repeated();
  give_back_names();
  index_blocks();
}

bool SymbolTable::State::load_sections(const ElfImage &image, std::uint32_t type, std::uint64_t offset) {
  const std::size_t before = entries.size();
  const std::vector<ImageSection> sections = image.sections();
  for (const ImageSection &section : sections) {
    if (section.header.sh_type != type)
      continue;
    const auto names = std::ranges::find(sections, section.header.sh_link,
                                         [](const ImageSection &one) { return elf_ndxscn(one.section); });
    if (names != sections.end())
      load_symbols(image.content(section), image.content(*names), offset);
  }
  return entries.size() != before;
}

void SymbolTable::State::load_symbols(std::span<const std::byte> symbols, std::span<const std::byte> names,
                                      std::uint64_t offset) {
  if (sources.size() > 250)
    return; // a file with hundreds of symbol tables is a hostile one
  const auto source = static_cast<std::uint8_t>(sources.size());
  sources.push_back(names);
  // All tables of a file share what one may have.
  const std::size_t count =
      std::min<std::size_t>(symbols.size() / sizeof(Elf64_Sym), max_symbols - std::min(max_symbols, seen));
  seen += count;
  entries.reserve(entries.size() + count + room_for_plt);
  std::size_t given_back = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Elf64_Sym symbol;
    const std::size_t at = i * sizeof symbol;
    std::memcpy(&symbol, symbols.data() + at, sizeof symbol);
    load_symbol(symbol, source, offset);
    if (i % entries_between_looks == 0)
      cancellation_point();
    if (at - given_back >= kept_in_memory) {
      give_back_pages(symbols.subspan(given_back, at - given_back));
      given_back = at;
    }
  }
  give_back_pages(symbols.subspan(given_back));
}

void SymbolTable::State::load_symbol(const Elf64_Sym &symbol, std::uint8_t source, std::uint64_t offset) {
  const unsigned type = ELF64_ST_TYPE(symbol.st_info);
  const bool is_function = type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE;
  if ((!is_function && type != STT_OBJECT) || symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS)
    return;
  const auto names = sources[source];
  if (symbol.st_name == 0 || symbol.st_name >= names.size())
    return;
  const std::uint64_t address = symbol.st_value - offset;
  const Region *region = region_of(address);
  // A label without a type is code where it lies in code; elsewhere it marks some linker's boundary.
  if (region == nullptr || (type == STT_NOTYPE && !region->executable))
    return;
  const std::uint64_t size = std::min({symbol.st_size, region->end - address, std::uint64_t{UINT32_MAX}});
  entries.push_back(
      {address, static_cast<std::uint32_t>(size), symbol.st_name, rank_of(symbol), source, is_function, false});
}

void SymbolTable::State::load_plt(const ElfImage &image) {
  PltNames plt = read_plt_names(image);
  if (plt.entries.empty())
    return;
  const auto source = static_cast<std::uint8_t>(sources.size());
  sources.push_back(plt.names);
  const std::size_t symbols = entries.size(); // sorted so far
  for (const PltEntry &entry : plt.entries) {
    Entry named{entry.address.value, entry.size, entry.name, 0, source, true, true};
    if (entry.name == 0) {
      const auto known = std::span(entries).first(symbols);
      const auto target = std::ranges::lower_bound(known, entry.target.value, {}, &Entry::address);
      if (target == known.end() || target->address != entry.target.value)
        continue;
      named.name = target->name;
      named.source = target->source;
    }
    entries.push_back(named);
  }
  const auto middle = entries.begin() + static_cast<std::ptrdiff_t>(symbols);
  std::sort(middle, entries.end(), lower_address);
  std::inplace_merge(entries.begin(), middle, entries.end(), lower_address);
}

/// Among symbols at one address the best known first, for which their names are looked at. They are read in the order
/// in which they lie in their table, so that little of it is in memory at a time.
void SymbolTable::State::order_shared() {
  const auto is_shared = [&](std::size_t i) {
    return (i > 0 && entries[i - 1].address == entries[i].address) ||
           (i + 1 < entries.size() && entries[i + 1].address == entries[i].address);
  };
  std::vector<std::uint32_t> shared;
  for (std::size_t i = 0; i < entries.size() && i <= UINT32_MAX; ++i)
    if (!entries[i].is_plt && is_shared(i))
      shared.push_back(static_cast<std::uint32_t>(i));
  std::ranges::sort(shared, {}, [&](std::uint32_t i) { return std::pair(entries[i].source, entries[i].name); });
  std::uint32_t given_back = 0;
  for (const std::uint32_t i : shared) {
    cancellation_point();
    Entry &entry = entries[i];
    entry.rank = static_cast<std::uint8_t>(entry.rank | leading_underscores(name_of(entry)) << 4);
    if (entry.name - given_back >= kept_in_memory) { // wraps, harmlessly, where the next table begins
      give_back_names();
      given_back = entry.name;
    }
  }
  for (std::size_t begin = 0; begin < entries.size();) {
    std::size_t end = begin + 1;
    while (end < entries.size() && entries[end].address == entries[begin].address)
      ++end;
    if (end - begin > 1)
      std::sort(entries.begin() + static_cast<std::ptrdiff_t>(begin),
                entries.begin() + static_cast<std::ptrdiff_t>(end), better_known);
    begin = end;
  }
}

void SymbolTable::State::give_back_names() const {
  for (const std::span<const std::byte> names : sources)
    give_back_pages(names);
}

/// .dynsym repeats what .symtab has; no table repeats itself.
void SymbolTable::State::drop_repeated() {
  constexpr std::size_t max_compared = 16;
  std::size_t kept = 0;
  std::size_t group = 0;
  for (const Entry entry : entries) { // a copy: what is kept moves down over what was dropped
    cancellation_point();
    if (kept != 0 && entries[kept - 1].address != entry.address)
      group = kept;
    bool repeated = false;
    for (std::size_t other = std::max(group, kept - std::min(kept, max_compared)); other < kept && !repeated; ++other)
      repeated = entries[other].source != entry.source && entries[other].size == entry.size &&
                 name_of(entries[other]) == name_of(entry);
    if (!repeated)
      entries[kept++] = entry;
  }
  entries.resize(kept);
}

void SymbolTable::State::index_blocks() {
  std::uint64_t highest = 0;
  for (std::size_t begin = 0; begin < entries.size(); begin += block_size) {
    std::uint64_t end = 0;
    for (std::size_t i = begin; i < std::min(begin + block_size, entries.size()); ++i)
      end = std::max(end, entries[i].address + entries[i].size);
    block_end.push_back(end);
    block_end_upto.push_back(highest = std::max(highest, end));
  }
}

const Region *SymbolTable::State::region_of(std::uint64_t address) const {
  auto after = std::ranges::upper_bound(regions, address, {}, &Region::begin);
  if (after == regions.begin())
    return nullptr;
  --after;
  return address < after->end ? &*after : nullptr;
}

/// Of the symbols that cover the address the one that starts last, and of several there the best known. `after` is the
/// first entry beyond the address.
const Entry *SymbolTable::State::sized_at(std::uint64_t address, std::size_t after) const {
  const Entry *found = nullptr;
  for (std::size_t i = after; i-- > 0;) {
    if (found != nullptr && entries[i].address != found->address)
      break;
    if ((i + 1) % block_size == 0 || i + 1 == after) {
      if (found == nullptr && block_end_upto[i / block_size] <= address)
        break;
      if (found == nullptr && block_end[i / block_size] <= address) {
        i -= i % block_size;
        continue;
      }
    }
    if (entries[i].covers(address))
      found = &entries[i];
  }
  return found;
}

const Entry *SymbolTable::State::unsized_at(std::uint64_t address, std::size_t after) const {
  const Region *region = region_of(address);
  if (region == nullptr)
    return nullptr;
  const Entry *found = nullptr;
  // A stripped musl exports memset without a size; the system call stubs behind it are not memset.
  if (only_exported && after != 0 && entries[after - 1].address != address)
    return nullptr;
  // A label inside a sized function ends where the function does.
  const bool is_inside = after != 0 && sized_at(entries[after - 1].address, after) != nullptr;
  for (std::size_t i = after; !is_inside && i-- > 0 && entries[i].address == entries[after - 1].address;)
    if (entries[i].size == 0 && entries[i].address >= region->begin)
      found = &entries[i];
  // glibc's signal trampoline: a frame's return address leads to its first byte, so that one byte less, where callers
  // are looked up, lies in the padding before it.
  if (found == nullptr && after < entries.size() && entries[after].address == address + 1 && entries[after].size == 0 &&
      region->executable)
    found = &entries[after];
  return found;
}

SymbolTable::SymbolTable(Module &module) : state_(std::make_unique<State>()) {
  state_->load(module);
}
SymbolTable::~SymbolTable() = default;

std::optional<Symbol> SymbolTable::at(LinkAddress address) {
  const auto after = std::ranges::upper_bound(state_->entries, address.value, {}, &Entry::address);
  const auto index = static_cast<std::size_t>(after - state_->entries.begin());
  const Entry *found = state_->sized_at(address.value, index);
  if (found == nullptr)
    found = state_->unsized_at(address.value, index);
  // Each name brings the pages around it into memory.
  if (found != nullptr && ++state_->names_read % names_kept_in_memory == 0)
    state_->give_back_names();
  return found != nullptr ? std::optional(state_->symbol_of(*found)) : std::nullopt;
}

std::optional<Symbol> SymbolTable::by_name(std::string_view name) {
  for (const Entry &entry : state_->entries) {
    cancellation_point();
    const auto names = state_->sources[entry.source];
    if (entry.is_plt || names.size() - entry.name < name.size() ||
        std::memcmp(names.data() + entry.name, name.data(), name.size()) != 0)
      continue;
    if (state_->name_of(entry) == name)
      return state_->symbol_of(entry);
  }
  return std::nullopt;
}

void SymbolTable::each(const std::function<bool(const Symbol &)> &visit) {
  for (const Entry &entry : state_->entries)
    if (!visit(state_->symbol_of(entry)))
      return;
}

SymbolTable &symbols_of(Module &module) {
  return module.reader<SymbolTable>();
}

} // namespace inspect
