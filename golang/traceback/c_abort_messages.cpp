#include "golang/traceback/c_abort_messages.h"

#include "golang/traceback/traceback_lines.h"

#include <algorithm>
#include <array>

namespace inspect {
namespace {

constexpr std::string_view heap_damaged = "C code wrote outside of what it had allocated, or freed memory twice: the C "
                                          "library found its heap damaged and called abort";
constexpr std::string_view bad_free =
    "C code freed a pointer that malloc had not given out: the C library called abort";
constexpr std::string_view double_free = "C code freed memory twice: the C library called abort";
constexpr std::string_view uncaught = "a C++ exception was not caught: the C++ library called abort";

struct KnownLine {
  std::string_view part;
  std::string_view meaning;
};

/// The most telling first: "free(): double free detected" is more than "free(): ".
constexpr std::array known_parts = {
    KnownLine{"double free", double_free},
    KnownLine{"free(): invalid pointer", bad_free},
    KnownLine{"munmap_chunk(): invalid pointer", bad_free},
    KnownLine{"realloc(): invalid pointer", bad_free},
    KnownLine{"corrupted size vs. prev_size", heap_damaged},
    KnownLine{"corrupted double-linked list", heap_damaged},
    KnownLine{"break adjusted to free malloc space", heap_damaged},
    KnownLine{"stack smashing detected",
              "C code wrote beyond an array on its stack: the C library found the guard behind it changed"},
    KnownLine{"buffer overflow detected",
              "C code wrote more into a buffer than it holds: the C library's checked function called abort"},
    KnownLine{"longjmp causes uninitialized stack frame", "C code jumped to a frame that had returned already"},
    KnownLine{"%n in writable segment detected", "a format with %n lies in writable memory: the C library refuses it"},
    KnownLine{"invalid %N$ use detected", "a format of C code leaves out an argument: the C library refuses it"},
    KnownLine{"terminate called after throwing", uncaught},
    KnownLine{"terminate called without an active exception",
              "std::terminate was called: a std::thread was destroyed while it could still be joined, or a throw "
              "without an exception"},
    KnownLine{"terminate called recursively", uncaught},
    KnownLine{"terminating due to uncaught exception", uncaught},
    KnownLine{"terminating with uncaught", uncaught},
    KnownLine{"terminate_handler unexpectedly", uncaught},
    KnownLine{"pointer being freed was not allocated", bad_free}, // macOS
    KnownLine{": error for object 0x", heap_damaged},
    KnownLine{"*** error for object 0x", heap_damaged},
    KnownLine{"pure virtual method called",
              "C++ code called a virtual function of an object that was being made or destroyed"},
    KnownLine{"Pure virtual function called",
              "C++ code called a virtual function of an object that was being made or destroyed"},
    KnownLine{"deleted virtual method called", "C++ code called a deleted virtual function"},
};

/// glibc's malloc names the function that noticed: "malloc(): corrupted top size".
constexpr std::array<std::string_view, 12> heap_functions = {
    "free(): ",         "malloc(): ",       "calloc(): ",  "realloc(): ",     "memalign(): ",
    "munmap_chunk(): ", "mremap_chunk(): ", "systrim(): ", "malloc_printerr", "malloc_consolidate(): ",
    "sysmalloc",        "tcache_thread_"};

bool is_failed_assertion(std::string_view line) {
  return (line.contains(": Assertion `") && line.ends_with("' failed.")) ||       // glibc, libstdc++
         (line.starts_with("Assertion failed: ") && line.contains(" function ")); // musl, others
}

} // namespace

std::string_view meaning_of_c_abort(std::string_view line) {
  line = trim_blanks(line);
  for (const KnownLine &known : known_parts)
    if (line.contains(known.part))
      return known.meaning;
  // "*** Error in `./svc': free(): invalid size: 0x0000000001 ***" up to glibc 2.26.
  const std::string_view error =
      line.starts_with("*** Error in `") && line.contains("': ") ? line.substr(line.find("': ") + 3) : line;
  if (std::ranges::any_of(heap_functions, [&](std::string_view name) { return error.starts_with(name); }))
    return heap_damaged;
  if (is_failed_assertion(line))
    return "an assertion of C code does not hold: assert called abort";
  if (line.contains("] Check failed: ")) // glog, Abseil
    return "a check of C++ code does not hold: the library called abort";
  if (line.starts_with("thread '") && line.contains(" panicked at "))
    return "Rust code panicked, and a panic may not leave it: it called abort";
  if (line.starts_with("Fatal glibc error: "))
    return "the C library found a state that cannot be, and called abort";
  if (line.starts_with("<jemalloc>: ") || (line.contains("tcmalloc") && line.contains("CHECK")))
    return heap_damaged;
  return {};
}

} // namespace inspect
