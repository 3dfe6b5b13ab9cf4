// Finds glibc's malloc in a process: its main arena and its parameters, by symbol where libc has symbols, else by what
// they contain.
//
// What is found is verified: the arenas form a circle, and each looks like one (allocators/malloc_arena.h). Of the
// parameters, the start of the heap must lead to chunks; where several places or none look like them they are left out,
// because a guess could only be told from the truth by who knows the truth.
//
//     Result<MallocPlace> place = find_malloc(modules, memory);      // the target may run
//
// Sources: glibc 2.36 malloc/malloc.c (main_arena, mp_, ptmalloc_init, sysmalloc).
#pragma once

#include "allocators/malloc_arena.h"
#include "allocators/malloc_layout.h"
#include "dwarf/module/module_map.h"

#include <optional>
#include <vector>

namespace inspect {

struct MallocPlace {
  Module *module = nullptr; ///< libc, or the executable that it is linked into
  GlibcVersion version;
  MallocLayout layout;
  std::optional<bool> protected_links;
  RunAddress main_arena;
  std::optional<RunAddress> parameters; ///< mp_; nothing: not found beyond doubt
  std::vector<RunAddress> arenas;       ///< as they are now, the main one first
};

/// not_found: there is no glibc, or no arena in it; unsupported: there is an arena, and no layout fits it.
Result<MallocPlace> find_malloc(ModuleMap &modules, const MemoryView &memory);

/// The arenas from the main one in their order. The words of arenas in `known` are not read again. corrupt: they are no
/// circle, or one of them is not an arena.
Result<std::vector<ArenaCopy>> read_arena_circle(const MemoryView &memory, RunAddress main_arena,
                                                 const MallocStateLayout &layout, std::vector<ArenaCopy> known = {});

} // namespace inspect
