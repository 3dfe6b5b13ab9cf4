#include "golang/image/go_image.h"

#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/symbols/symbol_table.h"
#include "golang/image/build_info.h"
#include "golang/pclntab/function_data_search.h"
#include "golang/pclntab/pclntab_header.h"
#include "machine/cancellation_point.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <functional>
#include <string_view>
#include <vector>

namespace inspect {
namespace {

constexpr std::size_t chunk_size = 1 << 20;
constexpr std::uint64_t max_scanned = std::uint64_t{4} << 30;
// A damaged or hostile file can repeat the magic number everywhere.
constexpr std::size_t max_candidates = 64;
// The first eight bytes but the lowest, which tells the formats apart: the rest of the magic number, the padding, the
// quantum 1 and the pointer size 8.
constexpr std::uint64_t header_word = 0x08010000ffffff00;

bool is_data(const Elf64_Phdr &segment, bool writable) {
  return segment.p_type == PT_LOAD && (segment.p_flags & PF_X) == 0 && ((segment.p_flags & PF_W) != 0) == writable;
}

/// A word at a time: the header is aligned.
void search_headers(std::span<const std::byte> bytes, RunAddress begin, std::vector<RunAddress> &found) {
  for (std::size_t at = (8 - begin.value % 8) % 8; at + 8 <= bytes.size() && found.size() < max_candidates; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    if ((word & ~std::uint64_t{0xff}) != header_word)
      continue;
    const auto header = read_pclntab_header(bytes.subspan(at));
    if (header || header.error().kind() == ErrorKind::unsupported)
      found.push_back(begin + at);
  }
}

/// False: `visit` has seen enough.
bool search_range(RunRange range, const MemoryView &memory, const std::vector<RunAddress> &values,
                  const std::function<bool(RunAddress)> &visit) {
  std::vector<std::uint64_t> words(chunk_size / sizeof(std::uint64_t));
  for (RunAddress at = range.begin; at < range.end; at = at + chunk_size) {
    cancellation_point();
    const auto count = std::min<std::uint64_t>(words.size(), (range.end - at) / sizeof(std::uint64_t));
    const auto chunk = std::span(words).first(count);
    if (count == 0 || !memory.read(at, std::as_writable_bytes(chunk)))
      continue;
    for (std::size_t i = 0; i < chunk.size(); ++i)
      if (std::ranges::find(values, RunAddress{chunk[i]}) != values.end() && !visit(at + i * sizeof(std::uint64_t)))
        return false;
  }
  return true;
}

/// What the section headers tell of an image.
struct GoSections {
  bool any = false; ///< there are section headers
  bool go = false;  ///< one of them is the Go linker's
  std::vector<RunAddress> pclntab;
  std::vector<RunAddress> module_data;
};

GoSections go_sections(const Module &module) {
  GoSections found;
  for (const ImageSection &section : module.image().sections()) {
    const RunAddress address = module.bias().to_run(LinkAddress{section.header.sh_addr});
    found.any = true;
    if (section.name == ".gopclntab" || section.name == ".data.rel.ro.gopclntab")
      found.pclntab.push_back(address);
    else if (section.name == ".go.module")
      found.module_data.push_back(address);
    else if (section.name != ".go.buildinfo" && section.name != ".note.go.buildid")
      continue;
    found.go = true;
  }
  return found;
}

/// Addresses that a pclntab header of any version is at, those older than Go 1.16 included: by its magic number.
std::vector<RunAddress> search_pclntab(const Module &module) {
  std::vector<RunAddress> found;
  for (const bool writable : {false, true})
    for (const Elf64_Phdr &segment : module.image().segments())
      if (is_data(segment, writable))
        search_headers(module.image().bytes_from(LinkAddress{segment.p_vaddr}),
                       module.bias().to_run(LinkAddress{segment.p_vaddr}), found);
  return found;
}

/// Calls `visit` with the place of each word in the image's data (as it is in memory) that is one of `values`, until it
/// returns false.
void search_words(const Module &module, const MemoryView &memory, const std::vector<RunAddress> &values,
                  const std::function<bool(RunAddress)> &visit) {
  if (values.empty())
    return;
  for (const bool writable : {true, false})
    for (const Elf64_Phdr &segment : module.image().segments()) {
      if (!is_data(segment, writable))
        continue;
      const RunAddress begin = module.bias().to_run(LinkAddress{(segment.p_vaddr + 7) / 8 * 8});
      const std::uint64_t size = std::min(segment.p_filesz, max_scanned);
      if (!search_range({begin, begin + size}, memory, values, visit))
        return;
    }
}

/// The file was packed by UPX: it has its mark.
bool is_packed_by_upx(const Module &module) {
  const auto bytes = module.image().bytes();
  const std::string_view text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  // Behind the program headers, and again in the last bytes of the file.
  constexpr std::size_t near = 512;
  constexpr std::string_view mark = "UPX!";
  return text.substr(0, near).find(mark) != std::string_view::npos ||
         text.substr(text.size() - std::min(text.size(), near)).find(mark) != std::string_view::npos;
}

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

  void try_symbols() {
    for (const char *name : {"runtime.firstmoduledata", "local.moduledata"})
      if (const auto symbol = symbols_of(module_).by_name(name))
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
    const auto holds = [&](const Elf64_Phdr &segment) {
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

Result<ModuleData> find_module_data(Module &module, const MemoryView &memory) {
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
    finder.try_symbols();
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

/// What looks damaged in a version that is not known yet may only be laid out in another way.
Error blamed_on_version(Error error, const Module &module, const GoImage &image) {
  if (error.kind() != ErrorKind::corrupt || image.version <= newest_known_go)
    return error;
  return Error(
      ErrorKind::unsupported,
      fmt::format("{} of {} is newer than this program knows, and what the runtime needs is not laid out as in "
                  "Go {}.{} ({})",
                  image.version_text, module.path(), newest_known_go.major, newest_known_go.minor, error.message()),
      "use a newer inspect, or look at the threads with --threads");
}

void read_version(GoImage &image, const MemoryView &memory) {
  auto text = go_version_text(*image.module, memory);
  if (!text)
    text = go_version_by_symbol(*image.module, memory);
  image.version_text = text.value_or("");
  image.version = parse_go_version(image.version_text).value_or(GoVersion{});
}

} // namespace

Result<GoImage> open_go_image(Module &module, const MemoryView &memory) {
  GoImage image;
  image.module = &module;
  auto data = find_module_data(module, memory);
  if (!data && data.error().kind() != ErrorKind::corrupt)
    return std::unexpected(data.error());
  read_version(image, memory);
  if (!data)
    return std::unexpected(blamed_on_version(data.error(), module, image));
  image.data = *data;
  auto table = Pclntab::read(image.data, image.version, memory, &module);
  if (!table)
    return std::unexpected(blamed_on_version(table.error().while_doing(module.path()), module, image));
  image.table = std::move(*table);
  correct_function_data(image, memory);
  return image;
}

} // namespace inspect
