#include "allocators/malloc_search.h"

#include "allocators/malloc_parameters.h"
#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/symbols/named_symbols.h"

#include <algorithm>
#include <array>
#include <elf.h>
#include <fmt/format.h>
#include <ranges>
#include <unordered_map>
#include <unordered_set>

namespace inspect {
namespace {

/// glibc makes eight for each core unless it is told otherwise.
constexpr std::size_t max_arenas = 65'536;
/// Of one module; a C library has some tens of thousands, an executable that is linked statically all of its own.
constexpr std::uint64_t max_data = 256ULL << 20U;
constexpr std::uint64_t read_step = 1ULL << 20U;
/// Empty bins that are followed up: those of the first arena in the data suffice.
constexpr std::size_t max_empty_bins = 64;

bool is_glibc(const Module &module) {
  return module.name() == "libc.so.6" || (module.name().starts_with("libc-2.") && module.name().ends_with(".so"));
}

/// Linked with glibc's startup files, which note the kernel that they need: crt1.o, ".note.ABI-tag".
bool notes_linux(const Module &module) {
  const auto section = module.image().section(".note.ABI-tag");
  return section.has_value() || module.image().sections().empty();
}

/// Those that may contain malloc, likeliest first.
std::vector<Module *> candidates(ModuleMap &modules) {
  std::vector<Module *> found;
  for (Module *module : modules.modules())
    if (is_glibc(*module))
      found.push_back(module);
  if (!found.empty())
    return found;
  for (Module *module : modules.modules())
    if (notes_linux(*module))
      found.push_back(module);
  return found;
}

std::vector<RunRange> written_ranges(const Module &module) {
  std::vector<RunRange> ranges;
  std::uint64_t left = max_data;
  for (const Elf64_Phdr &segment : module.image().segments()) {
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) == 0)
      continue;
    const std::uint64_t size = std::min<std::uint64_t>(segment.p_memsz, left);
    const RunAddress begin = module.bias().to_run(LinkAddress{segment.p_vaddr});
    ranges.push_back({begin, begin + size});
    left -= size;
  }
  return ranges;
}

/// Calls `visit` with each aligned word of the range that can be read and its place, and the word after it.
template <typename Visit> void each_word(const MemoryView &memory, RunRange range, Visit visit) {
  std::vector<std::uint64_t> words;
  const RunAddress begin{(range.begin.value + 7) & ~std::uint64_t{7}};
  for (RunAddress at = begin; at < range.end; at = at + read_step) {
    // One word more, so that pairs across the border are seen.
    words.resize((std::min(read_step + 8, range.end - at)) / 8);
    if (!memory.read(at, std::as_writable_bytes(std::span(words))))
      continue;
    for (std::size_t i = 0; i + 1 < words.size(); ++i)
      if (!visit(at + 8 * i, words[i], words[i + 1]))
        return;
  }
}

class Search {
public:
  Search(Module &module, const MemoryView &memory)
      : module_(module), memory_(memory), version_(glibc_version(module)), layouts_(layouts_to_try()) {}

  Result<MallocPlace> find();

private:
  std::vector<MallocLayout> layouts_to_try();
  bool accept(RunAddress main_arena, const MallocLayout &layout);
  bool accept_any(RunAddress main_arena);
  bool accept_described(RunAddress main_arena);
  bool find_by_bins();
  bool find_untouched();
  void find_parameters(RunAddress symbol);

  Module &module_;
  const MemoryView &memory_;
  GlibcVersion version_;
  std::vector<MallocLayout> layouts_;
  std::optional<MallocPlace> found_;
  std::string problem_;
};

/// That of the version first. The earlier ones follow: it is the memory that decides. Debug information is asked for
/// versions only that are not in the table, because to open that of libc takes a hundred times as long as all else
/// here.
std::vector<MallocLayout> Search::layouts_to_try() {
  std::vector<MallocLayout> layouts;
  for (const MallocLayout &layout : std::views::reverse(known_malloc_layouts()))
    if (version_ == GlibcVersion{} || layout.since <= version_)
      layouts.push_back(layout);
  if (version_ > newest_verified_glibc || layouts.empty())
    if (auto described = described_malloc_layout(module_, version_))
      layouts.insert(layouts.begin(), *described);
  return layouts;
}

bool Search::accept(RunAddress main_arena, const MallocLayout &layout) {
  auto circle = read_arena_circle(memory_, main_arena, layout.state);
  if (!circle) {
    problem_ = circle.error().message();
    return false;
  }
  found_ = MallocPlace{&module_, version_, layout, links_are_protected(version_), main_arena, {}, {}};
  for (const ArenaCopy &arena : *circle)
    found_->arenas.push_back(arena.address());
  return true;
}

bool Search::accept_any(RunAddress main_arena) {
  return std::ranges::any_of(layouts_, [&](const MallocLayout &layout) { return accept(main_arena, layout); });
}

/// For a libc that somebody has changed.
bool Search::accept_described(RunAddress main_arena) {
  const auto described = described_malloc_layout(module_, version_);
  if (!described || !accept(main_arena, *described))
    return false;
  layouts_ = {*described};
  return true;
}

/// An empty bin's two words are the same: where its header would begin, two words before. Which bin it is of which
/// layout is tried out.
bool Search::find_by_bins() {
  std::size_t followed = 0;
  const auto try_bin = [&](RunAddress bin) {
    for (const MallocLayout &layout : layouts_)
      for (std::uint64_t number = 0; number < malloc_bin_count && !found_; ++number)
        accept(bin - 16 * number - layout.state.bins, layout);
    return !found_ && ++followed < max_empty_bins;
  };
  for (const RunRange &range : written_ranges(module_)) {
    if (found_ || followed >= max_empty_bins)
      break;
    each_word(memory_, range, [&](RunAddress at, std::uint64_t word, std::uint64_t next) {
      return word != at.value - 16 || next != word || try_bin(at);
    });
  }
  return found_.has_value();
}

/// Before the first call of malloc the arena has nothing but the circle that it forms with itself, and one thread.
bool Search::find_untouched() {
  const auto try_next = [&](RunAddress at, std::uint64_t word) {
    for (const MallocLayout &layout : layouts_) {
      const RunAddress arena = at - layout.state.next;
      if (found_ || word != arena.value)
        continue;
      const auto copy = read_arena(memory_, arena, layout.state);
      if (copy && copy->is_untouched() && copy->attached_threads() == 1)
        accept(arena, layout);
    }
    return !found_;
  };
  for (const RunRange &range : written_ranges(module_))
    if (!found_)
      each_word(memory_, range, [&](RunAddress at, std::uint64_t word, std::uint64_t) { return try_next(at, word); });
  return found_.has_value();
}

void Search::find_parameters(RunAddress symbol) {
  const auto main = read_arena(memory_, found_->main_arena, found_->layout.state);
  if (!main)
    return;
  // The layout of the parameters changed in other versions than that of the arenas.
  for (const MallocLayout &layout : layouts_) {
    if (symbol.value != 0) {
      if (are_malloc_parameters(memory_, symbol, layout.parameters, *main))
        found_->parameters = symbol;
    } else {
      for (const RunRange &range : written_ranges(module_))
        if (range.contains(found_->main_arena))
          found_->parameters = search_malloc_parameters(memory_, range, layout.parameters, *main);
    }
    if (found_->parameters) {
      found_->layout.parameters = layout.parameters;
      return;
    }
    if (version_ != GlibcVersion{})
      return; // the layouts of earlier versions would only fit by accident
  }
}

Result<MallocPlace> Search::find() {
  if (layouts_.empty())
    return std::unexpected(Error(ErrorKind::unsupported,
                                 fmt::format("the malloc of glibc {} is not known", to_string(version_)),
                                 "install the debug information of libc"));
  constexpr std::array<std::string_view, 2> names = {"main_arena", "mp_"};
  const std::vector<LinkAddress> symbols = find_named_symbols(module_, names);
  const auto place_of = [&](LinkAddress symbol) {
    return symbol == LinkAddress{} ? RunAddress{} : module_.bias().to_run(symbol);
  };
  if (symbols[0] != LinkAddress{} && !accept_any(place_of(symbols[0])) && !accept_described(place_of(symbols[0])))
    return std::unexpected(Error(ErrorKind::unsupported, fmt::format("the arena of malloc in {} is like that of no "
                                                                     "known version: {}",
                                                                     module_.name(), problem_)));
  if (!found_ && !find_by_bins() && !find_untouched())
    return std::unexpected(
        Error(ErrorKind::not_found, fmt::format("there is no arena of malloc in {}", module_.name())));
  find_parameters(place_of(symbols[1]));
  return std::move(*found_);
}

} // namespace

Result<std::vector<ArenaCopy>> read_arena_circle(const MemoryView &memory, RunAddress main_arena,
                                                 const MallocStateLayout &layout, std::vector<ArenaCopy> known) {
  std::unordered_map<RunAddress, ArenaCopy *> read;
  for (ArenaCopy &arena : known)
    read.emplace(arena.address(), &arena);
  std::unordered_set<RunAddress> seen;
  std::vector<ArenaCopy> circle;
  RunAddress at = main_arena;
  do {
    if (circle.size() >= max_arenas || !seen.insert(at).second)
      return std::unexpected(Error(ErrorKind::corrupt, "the arenas of malloc do not form a circle"));
    const auto copied = read.find(at);
    auto arena = copied != read.end() && copied->second != nullptr ? Result<ArenaCopy>(std::move(*copied->second))
                                                                   : read_arena(memory, at, layout);
    if (!arena)
      return std::unexpected(arena.error());
    if (std::string problem = arena->problem(); !problem.empty())
      return std::unexpected(
          Error(ErrorKind::corrupt, fmt::format("no arena of malloc is at {:#x}: {}", at.value, problem)));
    if (copied != read.end())
      copied->second = nullptr;
    at = arena->next();
    circle.push_back(std::move(*arena));
  } while (at != main_arena);
  return circle;
}

Result<MallocPlace> find_malloc(ModuleMap &modules, const MemoryView &memory) {
  Error problem(ErrorKind::not_found, "the process has no glibc");
  for (Module *module : candidates(modules)) {
    auto place = Search(*module, memory).find();
    if (place)
      return place;
    if (problem.kind() != ErrorKind::unsupported)
      problem = place.error();
  }
  return std::unexpected(std::move(problem));
}

} // namespace inspect
