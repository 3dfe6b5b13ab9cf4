#include "dwarf/symbols/named_symbols.h"

#include "dwarf/raw/elf/elf_image.h"
#include "machine/cancellation_point.h"

#include <algorithm>
#include <cstring>

namespace inspect {
namespace {

/// Whether the string at `offset` is exactly `name`.
bool is_named(std::span<const std::byte> names, std::uint64_t offset, std::string_view name) {
  return offset < names.size() && names.size() - offset > name.size() &&
         std::memcmp(names.data() + offset, name.data(), name.size()) == 0 &&
         names[offset + name.size()] == std::byte{0};
}

void search(std::span<const std::byte> symbols, std::span<const std::byte> strings, std::uint64_t debug_offset,
            std::span<const std::string_view> names, std::vector<LinkAddress> &found) {
  for (std::size_t at = 0; at + sizeof(Elf64_Sym) <= symbols.size(); at += sizeof(Elf64_Sym)) {
    cancellation_point();
    Elf64_Sym symbol;
    std::memcpy(&symbol, symbols.data() + at, sizeof symbol);
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS || symbol.st_value == 0)
      continue;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (found[i] == LinkAddress{} && is_named(strings, symbol.st_name, names[i]))
        found[i] = LinkAddress{symbol.st_value - debug_offset};
  }
}

void search(const ElfImage &image, std::uint64_t debug_offset, std::span<const std::string_view> names,
            std::vector<LinkAddress> &found) {
  const std::vector<ImageSection> sections = image.sections();
  for (const ImageSection &section : sections) {
    if (section.header.sh_type != SHT_SYMTAB && section.header.sh_type != SHT_DYNSYM)
      continue;
    const auto strings = std::ranges::find(sections, section.header.sh_link,
                                           [](const ImageSection &one) { return elf_ndxscn(one.section); });
    if (strings != sections.end())
      search(image.content(section), image.content(*strings), debug_offset, names, found);
  }
}

} // namespace

std::vector<LinkAddress> find_named_symbols(Module &module, std::span<const std::string_view> names) {
  std::vector<LinkAddress> found(names.size());
  search(module.image(), 0, names, found);
  if (std::ranges::find(found, LinkAddress{}) != found.end())
    if (const ElfImage *debug = module.separate_debug_image())
      search(*debug, module.debug_offset(), names, found);
  return found;
}

} // namespace inspect
