#include "allocators/other_allocators.h"

#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/symbols/dynamic_symbols.h"
#include "dwarf/symbols/named_symbols.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <elf.h>
#include <optional>
#include <string_view>

namespace inspect {
namespace {

struct AllocatorName {
  std::string_view allocator;
  std::string_view name;
};

constexpr auto library_names = std::to_array<AllocatorName>({
    {"jemalloc", "libjemalloc.so"},
    {"tcmalloc", "libtcmalloc"},
    {"mimalloc", "libmimalloc"},
    {"musl", "ld-musl-"},
    {"musl", "libc.musl-"},
});

constexpr auto symbol_names = std::to_array<AllocatorName>({
    {"jemalloc", "mallctl"},
    {"jemalloc", "je_mallctl"},
    {"jemalloc", "_rjem_mallctl"},
    {"tcmalloc", "tc_malloc"},
    {"tcmalloc", "MallocExtension_GetNumericProperty"},
    {"tcmalloc", "MallocExtension_Internal_GetNumericProperty"},
    {"mimalloc", "mi_malloc"},
    // Local names in executables that musl is linked into: of its present malloc, and of the one before 1.2.1.
    {"musl", "__malloc_alloc_meta"},
    {"musl", "__malloc_donate"},
});

void add(std::vector<std::string_view> &found, std::string_view allocator) {
  if (std::ranges::find(found, allocator) == found.end())
    found.push_back(allocator);
}

std::string_view name_at(std::span<const std::byte> names, std::uint64_t offset) {
  if (offset >= names.size())
    return {};
  const char *text = reinterpret_cast<const char *>(names.data() + offset);
  return {text, ::strnlen(text, names.size() - offset)};
}

/// One pass over what a library exports; imports are not its own.
void find_exports(const Module &module, std::vector<std::string_view> &found) {
  const auto table = find_dynamic_symbols(module.image(), module.bias());
  if (!table)
    return;
  for (std::size_t at = 0; at + sizeof(Elf64_Sym) <= table->symbols.size(); at += sizeof(Elf64_Sym)) {
    Elf64_Sym symbol;
    std::memcpy(&symbol, table->symbols.data() + at, sizeof symbol);
    if (symbol.st_shndx == SHN_UNDEF)
      continue;
    const std::string_view name = name_at(table->names, symbol.st_name);
    for (const AllocatorName &one : symbol_names)
      if (name == one.name)
        add(found, one.allocator);
  }
}

void find_in_executable(Module &module, std::vector<std::string_view> &found) {
  std::array<std::string_view, symbol_names.size()> names;
  std::ranges::transform(symbol_names, names.begin(), &AllocatorName::name);
  const std::vector<LinkAddress> places = find_named_symbols(module, names);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (places[i] != LinkAddress{})
      add(found, symbol_names[i].allocator);
}

} // namespace

std::vector<OtherAllocator> find_other_allocators(ModuleMap &modules) {
  std::vector<OtherAllocator> all;
  for (Module *module : modules.modules()) {
    std::vector<std::string_view> found;
    for (const AllocatorName &one : library_names)
      if (module->name().starts_with(one.name))
        add(found, one.allocator);
    // musl's library under the name by which it is installed beside glibc.
    if (module->name() == "libc.so")
      add(found, "musl");
    if (module->image().is_executable())
      find_in_executable(*module, found);
    else if (found.empty())
      find_exports(*module, found);
    for (const std::string_view allocator : found)
      all.push_back({std::string(allocator), module->path()});
  }
  return all;
}

} // namespace inspect
