#include "allocators/malloc_layout.h"

#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/types/type_reader.h"
#include "dwarf/variables/unit_variables.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr MallocStateLayout state_2_26{.fast_bins = 8,
                                       .fast_bin_count = 10,
                                       .top = 88,
                                       .bins = 104,
                                       .next = 2152,
                                       .attached_threads = 2168,
                                       .system_mem = 2176,
                                       .max_system_mem = 2184};
// Has have_fastchunks in front of the fast bins.
constexpr MallocStateLayout state_2_27{.fast_bins = 16,
                                       .fast_bin_count = 10,
                                       .top = 96,
                                       .bins = 112,
                                       .next = 2160,
                                       .attached_threads = 2176,
                                       .system_mem = 2184,
                                       .max_system_mem = 2192};
// Has no fast bins.
constexpr MallocStateLayout state_2_43{.fast_bins = 0,
                                       .fast_bin_count = 0,
                                       .top = 8,
                                       .bins = 24,
                                       .next = 2072,
                                       .attached_threads = 2088,
                                       .system_mem = 2096,
                                       .max_system_mem = 2104};

constexpr MallocParametersLayout parameters_2_26{.trim_threshold = 0,
                                                 .mmap_threshold = 16,
                                                 .arena_test = 24,
                                                 .arena_max = 32,
                                                 .hp_pagesize = std::nullopt,
                                                 .n_mmaps = 40,
                                                 .n_mmaps_max = 44,
                                                 .max_n_mmaps = 48,
                                                 .mmapped_mem = 56,
                                                 .max_mmapped_mem = 64,
                                                 .sbrk_base = 72};
// Has thp_pagesize, hp_pagesize and hp_flags in front of the counts.
constexpr MallocParametersLayout parameters_2_35{.trim_threshold = 0,
                                                 .mmap_threshold = 16,
                                                 .arena_test = 24,
                                                 .arena_max = 32,
                                                 .hp_pagesize = 48,
                                                 .n_mmaps = 60,
                                                 .n_mmaps_max = 64,
                                                 .max_n_mmaps = 68,
                                                 .mmapped_mem = 80,
                                                 .max_mmapped_mem = 88,
                                                 .sbrk_base = 96};
// Has thp_mode in front of thp_pagesize.
constexpr MallocParametersLayout parameters_2_43{.trim_threshold = 0,
                                                 .mmap_threshold = 16,
                                                 .arena_test = 24,
                                                 .arena_max = 32,
                                                 .hp_pagesize = 56,
                                                 .n_mmaps = 68,
                                                 .n_mmaps_max = 72,
                                                 .max_n_mmaps = 76,
                                                 .mmapped_mem = 88,
                                                 .max_mmapped_mem = 96,
                                                 .sbrk_base = 104};

constexpr std::uint64_t chunk_header_size = 16;

constexpr auto layout_table = std::to_array<MallocLayout>({
    {{2, 26}, state_2_26, parameters_2_26, 0},
    {{2, 27}, state_2_27, parameters_2_26, 0},
    {{2, 35}, state_2_27, parameters_2_35, 0},
    {{2, 43}, state_2_43, parameters_2_43, chunk_header_size},
});
constexpr GlibcVersion first_protected_links{2, 32};
constexpr GlibcVersion first_smaller_mapped{2, 43};

/// Larger than any such structure will be.
constexpr std::uint64_t end_of_offsets = 16'384;

/// The members of a structure by name; says at the end whether all were there.
class Members {
public:
  Members(TypeReader &types, const TypeHandle &handle) : type_(types.underlying(handle)), types_(types) {}

  std::uint32_t offset(std::string_view name) {
    const auto found = find(name);
    complete_ = complete_ && found.has_value();
    return found.value_or(0);
  }
  std::optional<std::uint32_t> find(std::string_view name) const {
    const auto member = std::ranges::find(type_.members, name, &DwarfMember::name);
    if (member == type_.members.end() || member->offset >= end_of_offsets || member->offset % 4 != 0)
      return std::nullopt;
    return static_cast<std::uint32_t>(member->offset);
  }
  /// How many pointers an array has.
  std::uint32_t words(std::string_view name) const {
    const auto member = std::ranges::find(type_.members, name, &DwarfMember::name);
    const auto size = member == type_.members.end() ? std::nullopt : types_.size_of(member->type);
    return size && *size < end_of_offsets ? static_cast<std::uint32_t>(*size / 8) : 0;
  }
  bool complete() const { return complete_; }

private:
  const DwarfType &type_;
  TypeReader &types_;
  bool complete_ = true;
};

std::optional<MallocStateLayout> described_state(TypeReader &types, const TypeHandle &type) {
  Members members(types, type);
  MallocStateLayout state{.fast_bins = members.find("fastbinsY").value_or(0),
                          .fast_bin_count = members.words("fastbinsY"),
                          .top = members.offset("top"),
                          .bins = members.offset("bins"),
                          .next = members.offset("next"),
                          .attached_threads = members.offset("attached_threads"),
                          .system_mem = members.offset("system_mem"),
                          .max_system_mem = members.offset("max_system_mem")};
  // The bins come as one array of as many pairs as are reckoned with, and all else of use lies before the last field.
  if (!members.complete() || members.words("bins") != 2 * malloc_bin_count || state.bins > state.next ||
      std::max({state.fast_bins + 8 * state.fast_bin_count, state.top, state.next, state.attached_threads,
                state.system_mem}) > state.max_system_mem)
    return std::nullopt;
  return state;
}

std::optional<MallocParametersLayout> described_parameters(TypeReader &types, const TypeHandle &type) {
  Members members(types, type);
  MallocParametersLayout parameters{.trim_threshold = members.offset("trim_threshold"),
                                    .mmap_threshold = members.offset("mmap_threshold"),
                                    .arena_test = members.offset("arena_test"),
                                    .arena_max = members.offset("arena_max"),
                                    .hp_pagesize = members.find("hp_pagesize"),
                                    .n_mmaps = members.offset("n_mmaps"),
                                    .n_mmaps_max = members.offset("n_mmaps_max"),
                                    .max_n_mmaps = members.offset("max_n_mmaps"),
                                    .mmapped_mem = members.offset("mmapped_mem"),
                                    .max_mmapped_mem = members.offset("max_mmapped_mem"),
                                    .sbrk_base = members.offset("sbrk_base")};
  if (!members.complete() ||
      std::max({parameters.trim_threshold, parameters.mmap_threshold, parameters.arena_test, parameters.arena_max,
                parameters.hp_pagesize.value_or(0), parameters.n_mmaps, parameters.n_mmaps_max, parameters.max_n_mmaps,
                parameters.mmapped_mem, parameters.max_mmapped_mem}) > parameters.sbrk_base)
    return std::nullopt;
  return parameters;
}

} // namespace

GlibcVersion glibc_version(const Module &module) {
  constexpr std::string_view begin = "GNU C Library (";
  constexpr std::string_view before_number = " release version ";
  constexpr std::size_t max_banner_length = 256;
  const std::span<const std::byte> bytes = module.image().bytes();
  const std::string_view file(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  const std::size_t place = file.find(begin);
  if (place == std::string_view::npos)
    return {};
  const std::string_view banner = file.substr(place, max_banner_length);
  const std::size_t number = banner.find(before_number);
  if (number == std::string_view::npos)
    return {};
  const char *at = banner.data() + number + before_number.size();
  const char *const end = banner.data() + banner.size();
  GlibcVersion version;
  const auto major = std::from_chars(at, end, version.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.')
    return {};
  const auto minor = std::from_chars(major.ptr + 1, end, version.minor);
  return minor.ec == std::errc() ? version : GlibcVersion{};
}

std::string to_string(GlibcVersion version) {
  return version == GlibcVersion{} ? std::string() : fmt::format("{}.{}", version.major, version.minor);
}

std::span<const MallocLayout> known_malloc_layouts() {
  return layout_table;
}

std::optional<bool> links_are_protected(GlibcVersion version) {
  return version == GlibcVersion{} ? std::nullopt : std::optional(version >= first_protected_links);
}

std::optional<MallocLayout> described_malloc_layout(Module &module, GlibcVersion version) {
  constexpr std::array<std::string_view, 2> names = {"main_arena", "mp_"};
  const auto variables = find_unit_variables(module, "malloc.c", names);
  if (!variables[0] || !variables[1])
    return std::nullopt;
  TypeReader types;
  const auto state = described_state(types, variables[0]->type);
  const auto parameters = described_parameters(types, variables[1]->type);
  if (!state || !parameters)
    return std::nullopt;
  return MallocLayout{version, *state, *parameters, version >= first_smaller_mapped ? chunk_header_size : 0};
}

} // namespace inspect
