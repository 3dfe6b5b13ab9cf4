#include "dwarf/symbols/symbol_table.h"

#include <algorithm>
#include <exception>
// Without this libiberty.h declares a basename of its own, which contradicts string.h.
#define HAVE_DECL_BASENAME 1
#include <libiberty/demangle.h>

namespace inspect {
namespace {

// The demangler recurses once per nested part of the name, 600 bytes of stack or so each time; libiberty's own limit
// (1,024 bytes) would leave real template names mangled. tests/dwarf/symbols/demangle_test, "hostile names".
constexpr std::size_t max_mangled_length = 8 << 10;
// A back reference costs two bytes and may double the text: 100 of them would fill any memory.
constexpr std::size_t max_demangled_length = 256 << 10;

struct TooLong : std::exception {};

/// libiberty offers no other way out of a callback than an exception; its frames have unwind tables, being x86-64 code,
/// and it holds nothing at that point.
void append(const char *text, std::size_t size, void *into) {
  auto *result = static_cast<std::string *>(into);
  if (result->size() + size > max_demangled_length)
    throw TooLong();
  result->append(text, size);
}

using Demangler = int (*)(const char *mangled, int options, demangle_callbackref callback, void *opaque);

std::string run(Demangler demangler, const std::string &name, int options) {
  std::string result;
  try {
    if (demangler(name.c_str(), options, append, &result) == 0)
      result.clear();
  } catch (const TooLong &) {
    result.clear();
  }
  return result;
}

} // namespace

std::string demangle(std::string_view name) {
  std::string text(name);
  const bool rust = name.starts_with("_R");
  const bool itanium = name.starts_with("_Z") || name.starts_with("_GLOBAL_") || name.starts_with("___Z");
  if ((!rust && !itanium) || name.size() > max_mangled_length)
    return text;
  // Rust's older names look like C++; its demangler knows them by the hash at their end.
  std::string result = run(rust_demangle_callback, text, DMGL_NO_OPTS);
  if (result.empty() && itanium)
    result = run(cplus_demangle_v3_callback, text, DMGL_PARAMS | DMGL_ANSI | DMGL_NO_RECURSE_LIMIT);
  return result.empty() ? text : result;
}

} // namespace inspect
