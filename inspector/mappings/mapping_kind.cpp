#include "inspector/mappings/mapping_kind.h"

#include "inspector/mappings/mapping_claims.h"
#include "machine/near_misses.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {

std::string_view mapping_kind_text(MappingKind kind) {
  constexpr std::array<std::string_view, mapping_kind_count> texts = {
      "program text", "program data",  "library text", "library data", "thread stack", "guard", "main heap",
      "malloc arena", "malloc mapped", "Go heap",      "Go metadata",  "anonymous",    "jit",   "shared memory",
      "memfd",        "file",          "device",       "kernel",       "reserved"};
  return texts[static_cast<std::size_t>(kind)];
}

std::string_view mapping_kind_name(MappingKind kind) {
  constexpr std::array<std::string_view, mapping_kind_count> names = {
      "program_text", "program_data",  "library_text", "library_data", "thread_stack", "guard", "main_heap",
      "malloc_arena", "malloc_mapped", "go_heap",      "go_metadata",  "anonymous",    "jit",   "shared_memory",
      "memfd",        "file",          "device",       "kernel",       "reserved"};
  return names[static_cast<std::size_t>(kind)];
}

Result<MappingKind> parse_mapping_kind(std::string_view text) {
  std::string wanted;
  for (const char letter : text)
    wanted += letter == ' ' || letter == '-'   ? '_'
              : letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32)
                                               : letter;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < mapping_kind_count; ++i) {
    const auto kind = static_cast<MappingKind>(i);
    if (mapping_kind_name(kind) == wanted)
      return kind;
    names.emplace_back(mapping_kind_name(kind));
  }
  return std::unexpected(Error(ErrorKind::usage,
                               fmt::format("'{}' is not a kind of mapping{}", text, did_you_mean(wanted, names)),
                               fmt::format("one of {}", fmt::join(names, ", "))));
}

MappingClaims::MappingClaims(std::vector<MappingUsage> mappings) : claimed_(mappings.size(), false) {
  const auto begin_of = [](const MappingUsage &usage) { return usage.mapping.range.begin; };
  if (!std::ranges::is_sorted(mappings, {}, begin_of)) // sorting moves them all, even where they are in order
    std::ranges::stable_sort(mappings, {}, begin_of);
  rows_.reserve(mappings.size());
  for (MappingUsage &usage : mappings)
    rows_.emplace_back().usage = std::move(usage);
}

ClassifiedMapping &MappingClaims::claim(std::size_t index, MappingKind kind) {
  claimed_[index] = true;
  rows_[index].kind = kind;
  return rows_[index];
}

bool MappingClaims::adjoins_previous(std::size_t index) const {
  return index > 0 && mapping(index - 1).range.end == mapping(index).range.begin;
}

bool MappingClaims::is_private_anonymous(std::size_t index) const {
  const Mapping &one = mapping(index);
  if (one.shared)
    return false;
  // The kernel keeps a file behind anonymous huge pages of hugetlbfs, and behind a private mapping of /dev/zero.
  return (one.inode == 0 && (one.path.empty() || one.path.starts_with("[anon:"))) ||
         (one.deleted && one.path == "/anon_hugepage") || one.path == "/dev/zero";
}

bool MappingClaims::is_private_data(std::size_t index) const {
  return mapping(index).readable && mapping(index).writable && is_private_anonymous(index);
}

bool MappingClaims::is_private_reserve(std::size_t index) const {
  const Mapping &one = mapping(index);
  return !one.readable && !one.writable && !one.executable && is_private_anonymous(index);
}

std::size_t MappingClaims::find(RunAddress address) const {
  const auto after = std::ranges::upper_bound(
      rows_, address, {}, [](const ClassifiedMapping &row) { return row.usage.mapping.range.begin; });
  if (after == rows_.begin())
    return size();
  const auto index = static_cast<std::size_t>(after - rows_.begin()) - 1;
  return mapping(index).range.contains(address) ? index : size();
}

namespace {

void claim_the_rest(MappingClaims &claims) {
  for (std::size_t i = 0; i < claims.size(); ++i) {
    if (claims.claimed(i))
      continue;
    const Mapping &mapping = claims.mapping(i);
    const bool accessible = mapping.readable || mapping.writable || mapping.executable;
    if (!claims.is_private_anonymous(i))
      claims.claim(i, mapping.path.empty() ? MappingKind::shared_memory : MappingKind::file);
    else if (!accessible)
      claims.claim(i, MappingKind::reserved);
    else
      claims.claim(i, mapping.executable ? MappingKind::jit : MappingKind::anonymous);
  }
}

} // namespace

std::vector<ClassifiedMapping> classify_mappings(pid_t process, std::string_view executable,
                                                 std::vector<MappingUsage> mappings, const MappingOwners &owners) {
  MappingClaims claims(std::move(mappings));
  claim_program(claims, executable, owners.images);
  claim_named_mappings(claims, process);
  claim_libraries(claims, owners.images);
  claim_go_memory(claims, owners.go);
  claim_malloc_arenas(claims, owners.arenas);
  if (owners.go.empty())
    guess_go_memory(claims);
  if (owners.arenas.empty())
    guess_malloc_arenas(claims);
  claim_thread_stacks(claims, owners);
  if (owners.is_mapped_chunk)
    claim_mapped_chunks(claims, owners.is_mapped_chunk);
  claim_the_rest(claims);
  return claims.take();
}

} // namespace inspect
