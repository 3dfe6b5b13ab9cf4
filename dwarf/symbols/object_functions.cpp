#include "dwarf/symbols/object_functions.h"

#include "dwarf/symbols/symbol_table.h"

#include <climits>
#include <gelf.h>
#include <optional>

namespace inspect {
namespace {

std::optional<std::uint64_t> base_of(const GElf_Sym &symbol, bool is_relocatable,
                                     const std::vector<ImageSection> &sections) {
  if (!is_relocatable || symbol.st_shndx == SHN_ABS)
    return 0;
  for (const ImageSection &one : sections)
    if (elf_ndxscn(one.section) == symbol.st_shndx)
      return one.header.sh_addr;
  return std::nullopt;
}

} // namespace

std::vector<ObjectFunction> functions_of_object(LazyBytes bytes, std::size_t size) {
  std::vector<ObjectFunction> functions;
  const auto image = ElfImage::from_bytes(std::move(bytes), size, "an object in memory");
  if (!image)
    return functions;
  const bool is_relocatable = image->header().e_type == ET_REL;
  const std::vector<ImageSection> sections = image->sections();
  for (const ImageSection &section : sections) {
    if (section.header.sh_type != SHT_SYMTAB || section.header.sh_entsize == 0)
      continue;
    Elf_Data *data = elf_getdata(section.section, nullptr);
    const std::uint64_t count = data == nullptr ? 0 : data->d_size / section.header.sh_entsize;
    for (std::uint64_t i = 0; i < count && i < INT_MAX; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr)
        break;
      const char *name = elf_strptr(image->elf(), section.header.sh_link, symbol.st_name);
      const auto base = base_of(symbol, is_relocatable, sections);
      if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_size == 0 || name == nullptr || *name == '\0' || !base)
        continue;
      const RunAddress begin{*base + symbol.st_value};
      if (begin.value + symbol.st_size > begin.value)
        functions.push_back({{begin, begin + symbol.st_size}, demangle(name)});
    }
  }
  return functions;
}

} // namespace inspect
