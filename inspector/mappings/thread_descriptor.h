// The descriptor that glibc keeps of each thread (struct pthread) at the top of the thread's stack: it tells whose
// stack a piece of memory is, also of a thread that runs, and where the stack begins.
//
// What is believed: its first and third word point at itself (tcb and self of tcbhead_t), and it holds a thread id,
// which is 0 or -1 once the thread has ended. The place of the id is the same in all versions since glibc 2.4.
//
// Sources: glibc's nptl/descr.h, nptl/allocatestack.c and sysdeps/x86_64/nptl/tls.h.
#pragma once

#include "machine/address.h"

#include <cstddef>
#include <optional>
#include <span>
#include <sys/types.h>

namespace inspect {

struct ThreadDescriptor {
  RunAddress address;
  pid_t thread = 0; ///< as the thread sees it, in its own process namespace; 0: it has ended
};

/// How many bytes of a descriptor must be there to tell that it is one.
extern const std::size_t thread_descriptor_size;

/// The first one in `bytes`, which were read at `address`.
std::optional<ThreadDescriptor> find_thread_descriptor(RunAddress address, std::span<const std::byte> bytes);

} // namespace inspect
