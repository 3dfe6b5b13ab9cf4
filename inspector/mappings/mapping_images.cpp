// The executable and its libraries: which of their mappings are text, which data, and how far their bss goes.
//
// A loader maps a file's segments one after the other and puts what the file does not hold, the bss, right behind them
// as anonymous memory. With RELRO it then takes the right to write from the first part of the data.
// Sources: System V gABI, "Program Loading"; the kernel's fs/binfmt_elf.c; glibc's elf/dl-map-segments.h.
#include "inspector/mappings/mapping_claims.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

namespace inspect {
namespace {

using FileKey = std::pair<std::uint64_t, std::uint64_t>; // device, inode

/// What a bss may have where nothing says how large it is: libraries with more are rare, and the kernel joins it with
/// other memory right behind it.
constexpr std::uint64_t max_unknown_bss_size = 16ULL << 20;

FileKey key_of(const Mapping &mapping) {
  return {mapping.device, mapping.inode};
}

struct ImageKinds {
  MappingKind text;
  MappingKind data;
};

/// Claims the mappings of certain files and what belongs to them.
class ImageSweep {
public:
  ImageSweep(MappingClaims &claims, ImageKinds kinds, std::span<const RunRange> images, std::uint64_t unknown_bss)
      : claims_(claims), kinds_(kinds), images_(images.begin(), images.end()), unknown_bss_(unknown_bss) {
    std::ranges::sort(images_);
  }

  /// `keys`: sorted.
  void run(std::span<const FileKey> keys) {
    for (std::size_t i = 0; i < claims_.size(); ++i) {
      if (claims_.claimed(i))
        continue;
      const Mapping &mapping = claims_.mapping(i);
      if (mapping.inode != 0 && std::ranges::binary_search(keys, key_of(mapping)))
        claim_part_of_file(i);
      else if (last_ && claims_.adjoins_previous(i) && last_->index + 1 == i)
        claim_what_follows(i);
    }
  }

private:
  struct Last {
    std::size_t index; ///< the last mapping of an image so far
    FileKey key;
    std::string_view path;
  };

  void claim_part_of_file(std::size_t index) {
    const Mapping &mapping = claims_.mapping(index);
    claims_.claim(index, is_data(index) ? kinds_.data : kinds_.text);
    last_ = Last{index, key_of(mapping), mapping.path};
  }

  bool is_data(std::size_t index) const {
    const Mapping &mapping = claims_.mapping(index);
    if (mapping.executable || mapping.writable || !mapping.readable || mapping.shared)
      return mapping.writable && !mapping.executable;
    if (claims_.amounts(index).anonymous > 0)
      return true; // relocated, then made read-only
    // The same where nothing was measured: one segment whose later part is still writable.
    const std::size_t next = index + 1;
    if (next == claims_.size() || !claims_.adjoins_previous(next) || !claims_.mapping(next).writable)
      return false;
    const Mapping &follower = claims_.mapping(next);
    return (key_of(follower) == key_of(mapping) && follower.offset == mapping.offset + mapping.range.size()) ||
           claims_.is_private_data(next);
  }

  void claim_what_follows(std::size_t index) {
    const Mapping &mapping = claims_.mapping(index);
    if (!claims_.is_private_anonymous(index) || !mapping.path.empty())
      return;
    if (mapping.writable && !mapping.executable) {
      claim_bss(index);
    } else if (index + 1 < claims_.size() && claims_.adjoins_previous(index + 1) &&
               claims_.mapping(index + 1).inode != 0 && key_of(claims_.mapping(index + 1)) == last_->key) {
      // A gap between two segments, or text that the program has moved to huge pages.
      claims_.claim(index, kinds_.text);
      last_->index = index;
    }
  }

  void claim_bss(std::size_t index) {
    const RunRange range = claims_.mapping(index).range;
    const auto after = std::ranges::upper_bound(images_, range.begin - 1, {}, &RunRange::begin);
    std::uint64_t expected = 0;
    const bool known = after != images_.begin() && std::prev(after)->end >= range.begin;
    if (known)
      expected = std::prev(after)->end - range.begin;
    if (known ? expected >= range.size() - expected || expected >= range.size() : range.size() <= unknown_bss_) {
      claims_.claim(index, kinds_.data).note = fmt::format("bss of {}", last_->path);
      last_->index = index;
    } else if (expected > 0) {
      claims_.row(index).note = fmt::format("begins with {} kB of bss of {}", expected / 1024, last_->path);
    }
  }

  MappingClaims &claims_;
  ImageKinds kinds_;
  std::vector<RunRange> images_;
  std::uint64_t unknown_bss_;
  std::optional<Last> last_;
};

} // namespace

void claim_program(MappingClaims &claims, std::string_view executable, std::span<const RunRange> images) {
  for (std::size_t i = 0; i < claims.size() && !executable.empty(); ++i) {
    const Mapping &mapping = claims.mapping(i);
    if (mapping.inode == 0 || mapping.path != executable)
      continue;
    const FileKey key = key_of(mapping);
    // The kernel joins no other memory to a program's bss but the heap, which it names.
    ImageSweep(claims, {MappingKind::program_text, MappingKind::program_data}, images, ~0ULL).run({&key, 1});
    return;
  }
}

void claim_libraries(MappingClaims &claims, std::span<const RunRange> images) {
  std::vector<FileKey> keys;
  for (std::size_t i = 0; i < claims.size(); ++i)
    if (!claims.claimed(i) && claims.mapping(i).inode != 0 && claims.mapping(i).executable &&
        !claims.is_private_anonymous(i))
      keys.push_back(key_of(claims.mapping(i)));
  std::ranges::sort(keys);
  keys.erase(std::ranges::unique(keys).begin(), keys.end());
  ImageSweep(claims, {MappingKind::library_text, MappingKind::library_data}, images, max_unknown_bss_size).run(keys);
}

} // namespace inspect
