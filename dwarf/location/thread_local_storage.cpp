#include "dwarf/location/thread_local_storage.h"

#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/symbols/symbol_table.h"

#include <algorithm>
#include <elf.h>
#include <fmt/format.h>
#include <optional>

namespace inspect {
namespace {

/// Modules that a process has loaded; a list of more runs in a circle.
constexpr unsigned max_link_maps = 65'536;
constexpr std::uint64_t max_relocations = 10'000'000;
/// Below the thread pointer: all of the blocks of all modules.
constexpr std::uint64_t max_static_blocks = 1 << 30;

std::unexpected<Error> not_found(std::string what) {
  return std::unexpected(Error(ErrorKind::not_found, std::move(what)));
}

struct DynamicTable {
  std::uint64_t debug_at = 0; ///< link-time address of the DT_DEBUG entry's value; 0: none
  std::uint64_t relocations = 0;
  std::uint64_t relocations_size = 0;
  std::uint64_t symbols = 0;
};

DynamicTable dynamic_table(const Module &module) {
  DynamicTable table;
  const Elf64_Phdr *segment = find_segment(module.image().segments(), PT_DYNAMIC);
  const std::vector<Elf64_Dyn> entries = module.image().dynamic_entries();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Elf64_Dyn &entry = entries[i];
    if (entry.d_tag == DT_DEBUG)
      table.debug_at = segment->p_vaddr + i * sizeof entry + offsetof(Elf64_Dyn, d_un);
    else if (entry.d_tag == DT_RELA)
      table.relocations = entry.d_un.d_ptr;
    else if (entry.d_tag == DT_RELASZ)
      table.relocations_size = entry.d_un.d_val;
    else if (entry.d_tag == DT_SYMTAB)
      table.symbols = entry.d_un.d_ptr;
  }
  return table;
}

/// What the module's own relocations made the dynamic linker write down.
struct RelocatedWords {
  std::optional<std::uint64_t> module_number;
  std::optional<std::uint64_t> block_offset; ///< from the thread pointer to the block, modulo 2^64
};

RelocatedWords relocated_words(const Module &module, const DynamicTable &table, const MemoryView &memory) {
  RelocatedWords words;
  const auto relocations = module.image().dynamic_bytes(table.relocations, module.bias());
  const auto symbols = module.image().dynamic_bytes(table.symbols, module.bias());
  const std::uint64_t count = std::min(max_relocations, table.relocations_size / sizeof(Elf64_Rela));
  for (std::uint64_t i = 0; i < count && !words.module_number; ++i) {
    const auto entry = value_at<Elf64_Rela>(relocations, i * sizeof(Elf64_Rela));
    if (!entry)
      break;
    const unsigned type = ELF64_R_TYPE(entry->r_info);
    if (type != R_X86_64_DTPMOD64 && type != R_X86_64_TPOFF64)
      continue;
    std::uint64_t symbol_value = 0;
    if (const std::uint64_t number = ELF64_R_SYM(entry->r_info); number != 0) {
      const auto symbol = value_at<Elf64_Sym>(symbols, number * sizeof(Elf64_Sym));
      // One that another module may define instead tells nothing of this one.
      if (!symbol || symbol->st_shndx == SHN_UNDEF || ELF64_ST_BIND(symbol->st_info) != STB_LOCAL)
        continue;
      symbol_value = symbol->st_value;
    }
    const auto word = read_word(memory, module.bias().to_run(LinkAddress{entry->r_offset}));
    if (!word)
      continue;
    if (type == R_X86_64_DTPMOD64)
      words.module_number = *word;
    else
      words.block_offset = *word - symbol_value - static_cast<std::uint64_t>(entry->r_addend);
  }
  return words;
}

/// What glibc's link_map says of one module.
class LinkMaps {
public:
  LinkMaps(ModuleMap &modules, const MemoryView &memory) : modules_(modules), memory_(memory) {}

  std::optional<RunAddress> find(const Module &wanted) const;
  /// A field that glibc describes for debuggers: bits, number of elements, offset.
  std::optional<std::uint64_t> field(RunAddress link_map, std::string_view name) const;

private:
  std::optional<RunAddress> first() const;

  ModuleMap &modules_;
  const MemoryView &memory_;
};

std::optional<RunAddress> LinkMaps::first() const {
  for (const Module *module : modules_.modules()) {
    const DynamicTable table = dynamic_table(*module);
    if (table.debug_at == 0)
      continue;
    const auto debug = read_word(memory_, module->bias().to_run(LinkAddress{table.debug_at}));
    if (!debug || *debug == 0)
      continue;
    if (const auto head = read_word(memory_, RunAddress{*debug} + 8)) // r_debug.r_map
      return RunAddress{*head};
  }
  return std::nullopt;
}

std::optional<RunAddress> LinkMaps::find(const Module &wanted) const {
  const Elf64_Phdr *dynamic = find_segment(wanted.image().segments(), PT_DYNAMIC);
  const auto head = first();
  if (dynamic == nullptr || !head)
    return std::nullopt;
  const RunAddress table = wanted.bias().to_run(LinkAddress{dynamic->p_vaddr});
  RunAddress map = *head;
  for (unsigned count = 0; count < max_link_maps && map.value != 0; ++count) {
    const auto its_table = read_word(memory_, map + 16); // l_ld
    const auto next = read_word(memory_, map + 24);      // l_next
    if (!its_table || !next)
      return std::nullopt;
    if (*its_table == table.value)
      return map;
    map = RunAddress{*next};
  }
  return std::nullopt;
}

std::optional<std::uint64_t> LinkMaps::field(RunAddress link_map, std::string_view name) const {
  for (Module *module : modules_.modules()) {
    if (!module->name().starts_with("libc") && !module->name().starts_with("libpthread"))
      continue;
    const auto symbol = symbols_of(*module).by_name(name);
    const auto descriptor =
        symbol ? read_value<std::array<std::uint32_t, 3>>(memory_, module->bias().to_run(symbol->address))
               : std::unexpected(Error(ErrorKind::not_found, "no descriptor"));
    if (descriptor && (*descriptor)[0] == 64 && (*descriptor)[2] < 65'536)
      if (const auto value = read_word(memory_, link_map + (*descriptor)[2]))
        return *value;
  }
  return std::nullopt;
}

bool is_musl(const Module &module) {
  return module.name().starts_with("ld-musl") || module.name().starts_with("libc.musl") || module.name() == "libc.so";
}

/// One question.
class Search {
public:
  Search(Module &module, RunAddress thread_pointer, ModuleMap &modules, const MemoryView &memory)
      : module_(module), thread_pointer_(thread_pointer), memory_(memory), maps_(modules, memory),
        musl_(std::ranges::any_of(modules.modules(), [](const Module *one) { return is_musl(*one); })),
        table_(dynamic_table(module)) {}

  Result<RunAddress> block(const Elf64_Phdr &segment) const;

private:
  RunAddress static_block(const Elf64_Phdr &segment) const;
  Result<RunAddress> block_of_number(std::uint64_t number) const;

  Module &module_;
  RunAddress thread_pointer_;
  const MemoryView &memory_;
  LinkMaps maps_;
  bool musl_;
  DynamicTable table_;
};

/// The executable's: the first below the thread pointer, aligned as its segment is.
RunAddress Search::static_block(const Elf64_Phdr &segment) const {
  const std::uint64_t alignment = std::max<std::uint64_t>(segment.p_align, 1);
  const std::uint64_t padding = (0 - segment.p_vaddr - segment.p_memsz) % alignment;
  return thread_pointer_ - (segment.p_memsz + padding);
}

Result<RunAddress> Search::block_of_number(std::uint64_t number) const {
  const auto vector = read_word(memory_, thread_pointer_ + 8);
  if (!vector)
    return std::unexpected(vector.error());
  const std::uint64_t entry_size = musl_ ? 8 : 16;
  // musl counts in the vector's first entry, glibc in the one before it.
  const auto count = read_word(memory_, musl_ ? RunAddress{*vector} : RunAddress{*vector} - entry_size);
  if (!count)
    return std::unexpected(count.error());
  constexpr std::uint64_t unallocated = ~std::uint64_t{0};
  const auto block = number <= *count && number < max_link_maps
                         ? read_word(memory_, RunAddress{*vector} + number * entry_size)
                         : Result<std::uint64_t>(unallocated);
  if (!block)
    return std::unexpected(block.error());
  if (*block == unallocated || *block == 0)
    return not_found(fmt::format("the thread has not used a thread-local variable of {} yet", module_.name()));
  return RunAddress{*block};
}

Result<RunAddress> Search::block(const Elf64_Phdr &segment) const {
  // The ABI: the thread pointer points to itself.
  const auto itself = read_word(memory_, thread_pointer_);
  if (!itself || *itself != thread_pointer_.value)
    return not_found("the thread has no thread-local variables");
  if (module_.image().is_executable())
    return static_block(segment);
  const RelocatedWords words = relocated_words(module_, table_, memory_);
  std::optional<std::uint64_t> number = words.module_number;
  std::optional<std::uint64_t> below;
  if (const auto map = maps_.find(module_); map && !musl_) {
    if (const auto known = maps_.field(*map, "_thread_db_link_map_l_tls_modid"); known && *known != 0)
      number = known;
    below = maps_.field(*map, "_thread_db_link_map_l_tls_offset");
  }
  if (below && *below != 0 && *below < max_static_blocks)
    return thread_pointer_ - *below;
  if (words.block_offset && 0 - *words.block_offset < max_static_blocks)
    return thread_pointer_ + *words.block_offset;
  if (!number || *number == 0)
    return std::unexpected(Error(ErrorKind::unsupported,
                                 fmt::format("which number the dynamic linker gave the thread-local variables of {} "
                                             "is not known",
                                             module_.name())));
  return block_of_number(*number);
}

} // namespace

Result<RunAddress> thread_local_address(Module &module, std::uint64_t offset, RunAddress thread_pointer,
                                        ModuleMap &modules, const MemoryView &memory) {
  const Elf64_Phdr *segment = find_segment(module.image().segments(), PT_TLS);
  if (segment == nullptr)
    return not_found(fmt::format("{} has no thread-local variables", module.name()));
  // GCC with -gsplit-dwarf writes the variable's address into .debug_addr where its offset belongs (seen of GCC 12).
  if (offset >= segment->p_memsz && offset >= segment->p_vaddr && offset - segment->p_vaddr < segment->p_memsz)
    offset -= segment->p_vaddr;
  if (offset >= std::max<std::uint64_t>(segment->p_memsz, 1))
    return std::unexpected(Error(
        ErrorKind::corrupt, fmt::format("{:#x} is outside the thread-local variables of {}", offset, module.name())));
  const auto block = Search(module, thread_pointer, modules, memory).block(*segment);
  if (!block)
    return block;
  return *block + offset;
}

} // namespace inspect
