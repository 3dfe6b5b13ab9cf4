// The mappings of a process while they get their kinds. Rules go over them in turn, the surest evidence first; what one
// has claimed the next ones leave alone, so that every mapping ends with exactly one kind.
//
// To add a rule: write a function that claims, and call it at its place in classify_mappings (mapping_kind.cpp).
#pragma once

#include "inspector/mappings/mapping_kind.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace inspect {

class MappingClaims {
public:
  explicit MappingClaims(std::vector<MappingUsage> mappings);

  std::size_t size() const { return rows_.size(); }
  const Mapping &mapping(std::size_t index) const { return rows_[index].usage.mapping; }
  const MemoryAmounts &amounts(std::size_t index) const { return rows_[index].usage.amounts; }
  bool claimed(std::size_t index) const { return claimed_[index]; }
  ClassifiedMapping &claim(std::size_t index, MappingKind kind);
  ClassifiedMapping &row(std::size_t index) { return rows_[index]; }
  /// Whether the one before ends where this one begins, and is there.
  bool adjoins_previous(std::size_t index) const;
  /// Private memory without a file, whatever its rights.
  bool is_private_anonymous(std::size_t index) const;
  /// The same, readable and writable.
  bool is_private_data(std::size_t index) const;
  /// The same, without any right: address space kept free.
  bool is_private_reserve(std::size_t index) const;
  /// That holds the address; size() where none does.
  std::size_t find(RunAddress address) const;
  std::vector<ClassifiedMapping> take() { return std::move(rows_); }

private:
  std::vector<ClassifiedMapping> rows_; ///< ascending
  std::vector<bool> claimed_;
};

/// By what the kernel calls them: "[heap]", "/SYSV…", "/memfd:…", "/dev/…", "[anon: Go: heap]".
void claim_named_mappings(MappingClaims &claims, pid_t process);
/// Of the executable: first, for its file may lie anywhere, below /dev/shm, too.
void claim_program(MappingClaims &claims, std::string_view executable, std::span<const RunRange> images);
void claim_libraries(MappingClaims &claims, std::span<const RunRange> images);
/// By the statistics of Go's runtime and of malloc.
void claim_go_memory(MappingClaims &claims, std::span<const GoMemoryRange> ranges);
void claim_malloc_arenas(MappingClaims &claims, std::span<const MallocArena> arenas);
void claim_mapped_chunks(MappingClaims &claims, const std::function<bool(RunRange)> &is_mapped_chunk);
/// Stacks of threads with the guards below them.
void claim_thread_stacks(MappingClaims &claims, const MappingOwners &owners);
/// What looks like the memory of Go or malloc where no statistics say so: marked as guessed.
void guess_go_memory(MappingClaims &claims);
void guess_malloc_arenas(MappingClaims &claims);

} // namespace inspect
