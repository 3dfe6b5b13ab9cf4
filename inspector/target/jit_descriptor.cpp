#include "inspector/target/jit_descriptor.h"

#include "dwarf/symbols/object_functions.h"
#include "dwarf/symbols/symbol_table.h"

#include <cstdlib>
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

} // namespace

std::vector<JitSymbol> described_jit_symbols(Target &target) {
  std::vector<JitSymbol> symbols;
  std::uint64_t bytes_left = max_jit_bytes;
  std::set<std::uint64_t> seen;
  for (const RunAddress place : descriptors(target)) {
    const auto descriptor = read_value<Descriptor>(target.memory(), place);
    if (!descriptor || descriptor->version != 1)
      continue;
    for (std::uint64_t at = descriptor->first; at != 0 && seen.size() < max_jit_files && seen.insert(at).second;) {
      const auto entry = read_value<CodeEntry>(target.memory(), RunAddress{at});
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
      for (ObjectFunction &function : functions_of_object(std::move(bytes), size))
        symbols.push_back({function.range, std::move(function.name)});
    }
  }
  return symbols;
}

} // namespace inspect
