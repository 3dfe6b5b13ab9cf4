#include "golang/image/go_image.h"

#include "dwarf/raw/elf/elf_image.h"
#include "golang/image/build_info.h"
#include "golang/image/image_search.h"
#include "golang/pclntab/function_data_search.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

Error not_go(const Module &module) {
  return Error(ErrorKind::not_found, fmt::format("{} is not a Go program", module.path()));
}

/// Tries places for a moduledata until one holds one.
class ModuleDataFinder {
public:
  ModuleDataFinder(Module &module, const MemoryView &memory) : module_(module), memory_(memory) {}

  bool try_at(RunAddress address) {
    auto data = read_module_data(memory_, address);
    if (data && is_code(data->text) && module_.contains(data->header)) {
      found_ = *data;
      return true;
    }
    // The most telling of the failures: what is unsupported is so for certain.
    if (!data && (!error_ || data.error().kind() == ErrorKind::unsupported))
      error_ = data.error();
    return false;
  }

  void try_symbols(ModuleMap &modules) {
    SymbolTable *symbols = modules.symbols(module_);
    for (const char *name : {"runtime.firstmoduledata", "local.moduledata"})
      if (const auto symbol = symbols != nullptr ? symbols->by_name(name) : std::nullopt)
        if (try_at(module_.bias().to_run(symbol->address)))
          return;
  }

  /// Where one of the function tables at `tables` is pointed to.
  void try_pointers_to(const std::vector<RunAddress> &tables) {
    search_words(module_, memory_, tables, [this](RunAddress place) { return !try_at(place); });
  }

  const std::optional<ModuleData> &found() const { return found_; }
  const std::optional<Error> &error() const { return error_; }

private:
  bool is_code(RunRange range) const {
    const auto holds = [&](const GElf_Phdr &segment) {
      const LinkAddress begin = module_.bias().to_link(range.begin);
      return segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0 && begin.value >= segment.p_vaddr &&
             begin.value - segment.p_vaddr < segment.p_memsz &&
             range.size() <= segment.p_memsz - (begin.value - segment.p_vaddr);
    };
    return std::ranges::any_of(module_.image().segments(), holds);
  }

  Module &module_;
  const MemoryView &memory_;
  std::optional<ModuleData> found_;
  std::optional<Error> error_;
};

/// Why the function tables at these places cannot be used, where one says so itself.
std::optional<Error> unsupported_table(const std::vector<RunAddress> &tables, const MemoryView &memory) {
  for (const RunAddress table : tables) {
    std::array<std::byte, pclntab_header_size> bytes;
    if (!memory.read(table, bytes))
      continue;
    if (const auto header = read_pclntab_header(bytes); !header && header.error().kind() == ErrorKind::unsupported)
      return header.error();
  }
  return std::nullopt;
}

Error packed(const Module &module) {
  return Error(ErrorKind::unsupported, fmt::format("{} is packed with UPX", module.path()),
               fmt::format("unpack it with upx -d and start it again"));
}

/// Why nothing was found, most telling first.
Error why_not(const Module &module, const GoSections &sections, const std::vector<RunAddress> &tables,
              const std::optional<Error> &error, const MemoryView &memory) {
  if (auto unsupported = unsupported_table(tables, memory))
    return unsupported->while_doing(module.path());
  if (tables.empty() && is_packed_by_upx(module))
    return packed(module);
  if (!sections.go && !go_version_text(module, memory))
    return not_go(module);
  return error ? error->while_doing(module.path())
               : Error(ErrorKind::corrupt,
                       fmt::format("{} is a Go program whose function table is not found", module.path()));
}

Result<ModuleData> find_module_data(Module &module, ModuleMap &modules, const MemoryView &memory) {
  const GoSections sections = go_sections(module);
  // The Go linker always leaves a section of its own: only where the headers are gone is a search needed.
  if (sections.any && !sections.go)
    return std::unexpected(why_not(module, sections, {}, {}, memory));
  ModuleDataFinder finder(module, memory);
  for (const RunAddress address : sections.module_data)
    if (finder.try_at(address))
      return *finder.found();
  // The scan comes before the symbols: it takes a millisecond, sorting the symbols of a large program a hundred.
  std::vector<RunAddress> tables = sections.pclntab;
  finder.try_pointers_to(tables);
  if (!finder.found()) {
    tables = search_pclntab(module);
    finder.try_pointers_to(tables);
  }
  if (!finder.found() && sections.go)
    finder.try_symbols(modules);
  if (finder.found())
    return *finder.found();
  return std::unexpected(why_not(module, sections, tables, finder.error(), memory));
}

/// In a version that is not known yet the last field may have moved.
void correct_function_data(GoImage &image, const MemoryView &memory) {
  if (image.version <= newest_known_go || inlined_calls_make_sense(*image.table))
    return;
  ModuleData data = image.data;
  for (const RunAddress address : other_function_data(image.data, memory)) {
    data.function_data = address;
    if (!image.module->contains(address))
      continue;
    auto table = Pclntab::read(data, image.version, memory, image.module);
    if (!table || !inlined_calls_make_sense(**table))
      continue;
    image.data = data;
    image.table = std::move(*table);
    return;
  }
}

} // namespace

Result<GoImage> open_go_image(Module &module, ModuleMap &modules, const MemoryView &memory) {
  GoImage image;
  image.module = &module;
  auto data = find_module_data(module, modules, memory);
  if (!data)
    return std::unexpected(data.error());
  image.data = *data;
  auto text = go_version_text(module, memory);
  if (!text)
    text = go_version_by_symbol(module, modules, memory);
  image.version_text = text.value_or("");
  image.version = parse_go_version(image.version_text).value_or(GoVersion{});
  auto table = Pclntab::read(image.data, image.version, memory, &module);
  if (!table)
    return std::unexpected(table.error().while_doing(module.path()));
  image.table = std::move(*table);
  correct_function_data(image, memory);
  return image;
}

} // namespace inspect
