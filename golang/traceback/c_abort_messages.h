// The lines that C and C++ libraries print before they end a process with SIGABRT: glibc's checks of the heap and of
// the stack, assert, the C++ runtime's uncaught exceptions. In a program with cgo they stand in front of Go's traceback
// and tell the cause, which Go cannot know.
//
// Source: glibc 2.17 to 2.41 (malloc/malloc.c, malloc/arena.c, debug/fortify_fail.c, assert/assert.c, libio, nptl),
// musl 1.2 (mallocng is silent, assert is not), libstdc++ (vterminate.cc, pure.cc, debug.cc), libc++abi
// (cxa_default_handlers.cpp), macOS' malloc, jemalloc and tcmalloc (their own prefixes), glog and Abseil, Rust's
// panics.
#pragma once

#include <string_view>

namespace inspect {

/// What such a line means; empty where it is none.
std::string_view meaning_of_c_abort(std::string_view line);

} // namespace inspect
