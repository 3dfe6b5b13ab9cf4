#include "inspector/target/jit_descriptor.h"

#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/symbols/symbol_table.h"

#include <climits>
#include <cstdlib>
#include <gelf.h>
#include <optional>
#include <set>
#include <span>

namespace inspect {
namespace {

/// struct jit_descriptor and struct jit_code_entry.
struct Descriptor {
  std::uint32_t version;
  std::uint32_t action;
  std::uint64_t relevant;
  std::uint64_t first;
};
struct CodeEntry {
  std::uint64_t next;
  std::uint64_t previous;
  std::uint64_t file;
  std::uint64_t size;
};

template <typename T> std::optional<T> read_structure(const Target &target, RunAddress address) {
  T value{};
  if (!target.memory().read(address, std::as_writable_bytes(std::span(&value, 1))))
    return std::nullopt;
  return value;
}

/// Where the descriptors are: each library with a compiler in it may have its own.
std::vector<RunAddress> descriptors(Target &target) {
  std::vector<RunAddress> found;
  for (Module *module : target.modules().modules()) {
    const auto symbol = symbols_of(*module).by_name("__jit_debug_descriptor");
    if (symbol && !symbol->is_plt && !symbol->is_function)
      found.push_back(module->bias().to_run(symbol->address));
  }
  return found;
}

/// What a symbol's value counts from: in a relocatable file its section, whose address the compiler has filled in.
std::optional<std::uint64_t> base_of(const GElf_Sym &symbol, bool is_relocatable,
                                     const std::vector<ImageSection> &sections) {
  if (!is_relocatable || symbol.st_shndx == SHN_ABS)
    return 0;
  for (const ImageSection &one : sections)
    if (elf_ndxscn(one.section) == symbol.st_shndx)
      return one.header.sh_addr;
  return std::nullopt;
}

void add_symbols(const ElfImage &image, std::vector<JitSymbol> &symbols) {
  const bool is_relocatable = image.header().e_type == ET_REL;
  const std::vector<ImageSection> sections = image.sections();
  for (const ImageSection &section : sections) {
    if (section.header.sh_type != SHT_SYMTAB || section.header.sh_entsize == 0)
      continue;
    Elf_Data *data = elf_getdata(section.section, nullptr);
    const std::uint64_t count = data == nullptr ? 0 : data->d_size / section.header.sh_entsize;
    for (std::uint64_t i = 0; i < count && i < INT_MAX; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr)
        break;
      const char *name = elf_strptr(image.elf(), section.header.sh_link, symbol.st_name);
      const auto base = base_of(symbol, is_relocatable, sections);
      if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_size == 0 || name == nullptr || *name == '\0' || !base)
        continue;
      const RunAddress begin{*base + symbol.st_value};
      if (begin.value + symbol.st_size > begin.value)
        symbols.push_back({{begin, begin + symbol.st_size}, demangle(name)});
    }
  }
}

} // namespace

std::vector<JitSymbol> described_jit_symbols(Target &target) {
  std::vector<JitSymbol> symbols;
  std::uint64_t bytes_left = max_jit_bytes;
  std::set<std::uint64_t> seen;
  for (const RunAddress place : descriptors(target)) {
    const auto descriptor = read_structure<Descriptor>(target, place);
    if (!descriptor || descriptor->version != 1)
      continue;
    for (std::uint64_t at = descriptor->first; at != 0 && seen.size() < max_jit_files && seen.insert(at).second;) {
      const auto entry = read_structure<CodeEntry>(target, RunAddress{at});
      if (!entry)
        break;
      at = entry->next;
      if (entry->size == 0 || entry->size > max_jit_file_size || entry->size > bytes_left)
        continue;
      bytes_left -= entry->size;
      const auto size = static_cast<std::size_t>(entry->size);
      LazyBytes bytes(static_cast<std::byte *>(std::calloc(1, size)));
      if (!bytes || !target.memory().read(RunAddress{entry->file}, std::span(bytes.get(), size)))
        continue;
      if (const auto image = ElfImage::from_bytes(std::move(bytes), size, "a file of __jit_debug_descriptor"))
        add_symbols(*image, symbols);
    }
  }
  return symbols;
}

} // namespace inspect
