#include "golang/goroutines/address_classes.h"

#include "dwarf/symbols/symbol_table.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::uint64_t arena_size = 64 << 20; // heapArenaBytes on linux/amd64
constexpr std::string_view heap_name = "Go: heap";
/// Where the kernel puts mappings for which no place is asked. There neighbours are not the heap's growth, and malloc's
/// own arenas have the same size and alignment.
constexpr std::uint64_t lowest_unasked = 0x7e0000000000;
/// malloc.go, mallocinit: the heap is asked for at 0x00c000000000, 0x01c000000000, …
constexpr bool is_asked_for_heap(RunAddress address) {
  return (address.value >> 32 & 0xff) == 0xc0 && address.value < lowest_unasked;
}
/// A process has at most so many; more neighbours are not looked at.
constexpr std::size_t max_arenas = 1 << 20;

std::string with_offset(std::string_view name, std::uint64_t offset) {
  return offset == 0 ? std::string(name) : fmt::format("{}+{:#x}", name, offset);
}

/// Symbols of the linker's for whole tables: what lies in them has no name of its own.
bool names_a_table(std::string_view symbol) {
  return symbol.ends_with("*") || symbol == "runtime.rodata" || symbol == "runtime.types" ||
         symbol == "runtime.etypes" || symbol == "runtime.noptrdata" || symbol == "runtime.data" ||
         symbol == "runtime.bss" || symbol == "runtime.noptrbss";
}

template <typename Item> const Item *find_range(const std::vector<Item> &sorted, RunAddress address) {
  auto next = std::ranges::upper_bound(sorted, address, {}, [](const Item &item) { return item.range.begin; });
  if (next == sorted.begin() || !(--next)->range.contains(address))
    return nullptr;
  return &*next;
}

} // namespace

AddressClasses::AddressClasses(const std::vector<GoImage> &images, ModuleMap &modules, std::vector<MappedMemory> mapped,
                               std::vector<GoroutineStackRange> stacks)
    : images_(images), modules_(modules), mapped_(std::move(mapped)), stacks_(std::move(stacks)) {
  const auto begin = [](const auto &item) { return item.range.begin; };
  std::ranges::sort(mapped_, {}, begin);
  std::ranges::sort(stacks_, {}, begin);
  find_arenas();
}

const MappedMemory *AddressClasses::mapping(RunAddress address) const {
  return find_range(mapped_, address);
}

const GoroutineStackRange *AddressClasses::stack(RunAddress address) const {
  return find_range(stacks_, address);
}

/// Filled from end to end with anonymous mappings, readable or only reserved.
bool AddressClasses::is_whole_arena(std::uint64_t number) const {
  RunAddress at{number * arena_size};
  const RunAddress end = at + arena_size;
  while (at < end) {
    const MappedMemory *next = mapping(at);
    if (!next || (!next->name.empty() && !next->name.starts_with("[anon")))
      return false;
    at = next->range.end;
  }
  return true;
}

void AddressClasses::find_arenas() {
  for (const GoroutineStackRange &stack : stacks_) {
    const std::uint64_t number = stack.range.begin.value / arena_size;
    if ((arenas_.empty() || arenas_.back() != number) && mapping(stack.range.begin))
      arenas_.push_back(number);
  }
  std::vector<std::uint64_t> neighbours;
  const auto grow = [&](std::uint64_t number, int direction) {
    while (neighbours.size() < max_arenas && number > 0) {
      number = direction > 0 ? number + 1 : number - 1;
      if (number * arena_size >= lowest_unasked || std::ranges::binary_search(arenas_, number) ||
          !is_whole_arena(number))
        return;
      neighbours.push_back(number);
    }
  };
  for (const std::uint64_t number : arenas_) {
    grow(number, 1);
    grow(number, -1);
  }
  arenas_.insert(arenas_.end(), neighbours.begin(), neighbours.end());
  std::ranges::sort(arenas_);
}

bool AddressClasses::in_heap(RunAddress address, const MappedMemory &mapping) const {
  return mapping.name.contains(heap_name) || std::ranges::binary_search(arenas_, address.value / arena_size);
}

std::string AddressClasses::phrase(RunAddress address) const {
  if (Module *module = modules_.find(address))
    return module_phrase(*module, address);
  if (const GoroutineStackRange *found = stack(address))
    return fmt::format("stack of goroutine {}", found->goroutine);
  if (mapped_.empty())
    return is_asked_for_heap(address) ? "heap" : "";
  const MappedMemory *found = mapping(address);
  if (!found || !found->readable)
    return {};
  if (in_heap(address, *found))
    return "heap";
  if (found->name == "[stack]")
    return "stack of the main thread";
  if (found->name == "[heap]")
    return "C heap";
  return found->name.empty() || found->name.starts_with("[anon") ? "memory outside the heap" : found->name;
}

std::string AddressClasses::module_phrase(Module &module, RunAddress address) const {
  for (const GoImage &image : images_) {
    if (image.module != &module || !image.data.text.contains(address))
      continue;
    if (const auto function = image.table->find(address))
      return function->entry == address ? fmt::format("func {}", function->name)
                                        : with_offset(function->name, address - function->entry);
  }
  const LinkAddress link = module.bias().to_link(address);
  const auto symbol = symbols_of(module).at(link);
  if (!symbol || names_a_table(symbol->name))
    return data_phrase(module, address);
  const std::string name = demangle(symbol->name);
  return symbol->is_function && symbol->address == link ? "func " + name : with_offset(name, link - symbol->address);
}

std::string AddressClasses::data_phrase(const Module &module, RunAddress address) const {
  std::string_view kind;
  if (const MappedMemory *found = mapping(address); found && !found->readable)
    return {};
  else if (found)
    kind = found->writable ? "global data" : "read-only data";
  std::string of = fmt::format(" of {}", module.name());
  for (const GoImage &image : images_) {
    if (image.module != &module)
      continue;
    of.clear(); // what a Go program's own addresses are usually about
    const ModuleData &data = image.data;
    if (data.types.contains(address))
      kind = "type data";
    else if (data.data.contains(address) || data.bss.contains(address) || data.pointer_free_data.contains(address) ||
             data.pointer_free_bss.contains(address))
      kind = "global data";
    else if (kind.empty())
      kind = "read-only data";
  }
  return kind.empty() ? std::string(module.name()) : fmt::format("{}{}", kind, of);
}

} // namespace inspect
