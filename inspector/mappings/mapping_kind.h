// What each mapping of a process is for, and how much of it is used: the answer behind `maps`, and the rows of `mem`.
//
// Every mapping is of exactly one kind, so that the sum over the kinds is the sum over the mappings.
#pragma once

#include "allocators/malloc_reader.h"
#include "attach/memory/memory_usage.h"
#include "attach/snapshot/thread_stack_pointers.h"
#include "golang/memstats/go_memory_reader.h"
#include "machine/memory_view.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

enum class MappingKind {
  program_text, ///< of the executable: code and what is only read
  program_data, ///< of the executable: private and written, with its bss
  library_text,
  library_data,
  thread_stack,  ///< of the main thread, too
  guard,         ///< below a stack: not accessible on purpose
  main_heap,     ///< [heap]
  malloc_arena,  ///< of glibc, beside the main heap
  malloc_mapped, ///< one large block that malloc mapped by itself
  go_heap,       ///< arenas; goroutine stacks lie in them, too
  go_metadata,   ///< the runtime's own tables
  anonymous,     ///< private, of no known owner
  jit,           ///< anonymous and executable
  shared_memory, ///< System V, POSIX, shared anonymous
  memfd,
  file, ///< a mapped file that is neither program nor library
  device,
  kernel,   ///< [vdso], [vvar]
  reserved, ///< address space without access (PROT_NONE) that belongs to nothing above
};
constexpr std::size_t mapping_kind_count = static_cast<std::size_t>(MappingKind::reserved) + 1;

/// "thread stack", "Go heap": human-readable.
std::string_view mapping_kind_text(MappingKind kind);
/// "thread_stack", "go_heap": stable, for JSON and options.
std::string_view mapping_kind_name(MappingKind kind);
/// From either, in upper or lower case, with blanks, "-" or "_" between the words. usage, with a near miss.
Result<MappingKind> parse_mapping_kind(std::string_view text);

struct ClassifiedMapping {
  MappingUsage usage;
  MappingKind kind = MappingKind::anonymous;
  pid_t thread = 0; ///< of thread_stack and guard; 0: not known whose
  std::string thread_name;
  std::optional<std::uint64_t> depth; ///< bytes between the stack pointer and the stack's top; nothing: not known
  std::optional<std::uint64_t> goroutine_stacks; ///< bytes of go_heap that are goroutine stacks
  std::optional<RunAddress> arena;               ///< the malloc_state of malloc_arena and main_heap
  std::string note;                              ///< what else is to be said; empty: nothing
  bool guessed = false;                          ///< the kind is inferred from size, place and rights alone
};

/// What else is known of the process than its mappings; any of it may be missing.
struct MappingOwners {
  std::span<const GoMemoryRange> go;
  std::function<bool(RunRange mapping)> is_mapped_chunk; ///< MallocReader'; each call reads the target
  std::span<const MallocArena> arenas;
  std::span<const RunRange> images;            ///< of the loaded modules, first to last segment: how far their bss goes
  std::span<const ThreadStackPointer> threads; ///< attach/snapshot/thread_stack_pointers.h
  const MemoryView *memory = nullptr;          ///< live: where the C library's thread descriptors lie
};

/// Of its process it looks at nothing but `owners`; `process` is the id of its main thread.
std::vector<ClassifiedMapping> classify_mappings(pid_t process, std::string_view executable,
                                                 std::vector<MappingUsage> mappings, const MappingOwners &owners);

} // namespace inspect
