// Where the fields of glibc's malloc structures lie on x86-64: a table of the known versions, and the same from libc's
// debug information, for versions that are newer and for those that somebody has changed.
//
// A layout is believed only where a process' memory fits it (allocators/malloc_search.h): it makes no difference to the
// result how it was come by.
//
// Sources: glibc malloc/malloc.c (struct malloc_state, struct malloc_par, PROTECT_PTR). The offsets are those of the
// debug information of Debian's 2.31, 2.36, 2.41 and 2.43 and Ubuntu's 2.35, 2.39 and 2.42; with these and
// Ubuntu's 2.27 the statistics of a process were held against its mallinfo2(3). 2.26 is as its source has it.
#pragma once

#include "dwarf/module/module.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace inspect {

struct GlibcVersion {
  int major = 0;
  int minor = 0; ///< 0.0: not known
  friend constexpr auto operator<=>(GlibcVersion, GlibcVersion) = default;
};

/// The version that the text "GNU C Library (…) stable release version 2.36." in the file names; 0.0 where there is
/// none, as in programs linked statically, which have no use for it.
GlibcVersion glibc_version(const Module &module);
/// "2.36"; empty for 0.0.
std::string to_string(GlibcVersion version);

constexpr unsigned malloc_bin_count = 127; // malloc.c: NBINS less the one that does not exist
constexpr std::uint64_t smallest_malloc_chunk = 32;

/// Offsets in bytes.
struct MallocStateLayout { // malloc.c: struct malloc_state
  std::uint32_t fast_bins = 0;
  std::uint32_t fast_bin_count = 0; ///< 0: the version has none
  std::uint32_t top = 0;
  std::uint32_t bins = 0; ///< two words each
  std::uint32_t next = 0;
  std::uint32_t attached_threads = 0;
  std::uint32_t system_mem = 0;
  std::uint32_t max_system_mem = 0;

  std::uint32_t size() const { return max_system_mem + 8; }
  friend bool operator==(const MallocStateLayout &, const MallocStateLayout &) = default;
};

struct MallocParametersLayout { // malloc.c: struct malloc_par; counts are ints, all else is words
  std::uint32_t trim_threshold = 0;
  std::uint32_t mmap_threshold = 0;
  std::uint32_t arena_test = 0;
  std::uint32_t arena_max = 0;
  std::optional<std::uint32_t> hp_pagesize;
  std::uint32_t n_mmaps = 0;
  std::uint32_t n_mmaps_max = 0;
  std::uint32_t max_n_mmaps = 0;
  std::uint32_t mmapped_mem = 0;
  std::uint32_t max_mmapped_mem = 0;
  std::uint32_t sbrk_base = 0;

  std::uint32_t size() const { return sbrk_base + 8; }
  friend bool operator==(const MallocParametersLayout &, const MallocParametersLayout &) = default;
};

struct MallocLayout {
  GlibcVersion since;
  MallocStateLayout state;
  MallocParametersLayout parameters;
  std::uint64_t mapped_size_left_out = 0; ///< bytes by which the size of a mapped chunk is less than its mapping's
};

/// Ascending by version.
std::span<const MallocLayout> known_malloc_layouts();
/// The latest version whose layout was held against its debug information.
constexpr GlibcVersion newest_verified_glibc{2, 43};

/// Whether the version keeps the pointers of fast bins combined with their own place (malloc.c: PROTECT_PTR); nothing
/// for 0.0.
std::optional<bool> links_are_protected(GlibcVersion version);

/// Of the module's debug information; nothing where it has none, or where a field is missing.
std::optional<MallocLayout> described_malloc_layout(Module &module, GlibcVersion version);

} // namespace inspect
