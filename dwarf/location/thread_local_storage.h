// Where a thread has its own copy of a module's thread-local variables.
//
// On x86-64 (TLS variant II) the executable's block, and those of libraries loaded at the start, lie below the thread
// pointer; blocks of libraries loaded later are found through the thread's vector (DTV), by the number that the dynamic
// linker gave the module. glibc and musl differ in the vector's entries and in where the numbers are kept.
//
//     frame.thread_local_address = [&](Module &module, std::uint64_t offset) {
//       return thread_local_address(module, offset, fs_base, modules, memory);
//     };
//
// Sources: Ulrich Drepper, "ELF Handling For Thread-Local Storage", sections 3.4.6 and 4; glibc 2.36
// nptl_db/structs.def and sysdeps/x86_64/nptl/tls.h (dtv_t: 16 bytes), elf/link.h; musl 1.2.3 ldso/dynlink.c,
// src/internal/pthread_impl.h.
#pragma once

#include "dwarf/module/module_map.h"
#include "machine/address.h"
#include "machine/error.h"
#include "machine/memory_view.h"

#include <cstdint>

namespace inspect {

/// `offset` bytes into the module's TLS segment; `thread_pointer` is the thread's fs base. not_found: the module has no
/// such segment, or the thread has no copy yet; unreadable; unsupported where the module's number cannot be found.
Result<RunAddress> thread_local_address(Module &module, std::uint64_t offset, RunAddress thread_pointer,
                                        ModuleMap &modules, const MemoryView &memory);

} // namespace inspect
