// Allocators other than glibc's that a process brings along, recognised by their names: of the library, of what it
// exports, and of an executable's own symbols. One that is linked into a stripped executable is not seen: the texts
// that it would print are found in programs that only write about it, too.
//
// That one is there does not say that all memory comes from it: glibc's malloc_info(3) tells for its own.
//
// Sources: jemalloc's jemalloc.3 (mallctl, and the prefixes that --with-jemalloc-prefix and Rust's crates give it);
// gperftools' and tcmalloc's gperftools/tcmalloc.h (tc_malloc), malloc_extension_c.h; mimalloc.h (mi_malloc); musl
// 1.2.3 src/malloc/mallocng (alloc_slots …) and 1.1 src/malloc/malloc.c, whose names are not exported.
#pragma once

#include "dwarf/module/module_map.h"

#include <string>
#include <vector>

namespace inspect {

struct OtherAllocator {
  std::string name;        ///< "jemalloc", "tcmalloc", "mimalloc", "musl"; its statistics are not read
  std::string module_path; ///< that has it: a library, or the executable itself
};

/// Each allocator once for each module that has it, ascending by the modules' addresses.
std::vector<OtherAllocator> find_other_allocators(ModuleMap &modules);

} // namespace inspect
