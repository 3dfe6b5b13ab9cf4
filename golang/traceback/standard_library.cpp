#include "golang/traceback/standard_library.h"

#include <algorithm>

namespace inspect {
namespace {

/// The folders of $GOROOT/src that hold packages, Go 1.16 to 1.26. Sorted.
constexpr std::string_view first_parts[] = {
    "archive", "arena",    "bufio",   "builtin", "bytes",    "cmp",      "compress", "container", "context",
    "crypto",  "database", "debug",   "embed",   "encoding", "errors",   "expvar",   "flag",      "fmt",
    "go",      "hash",     "html",    "image",   "index",    "internal", "io",       "iter",      "log",
    "maps",    "math",     "mime",    "net",     "os",       "path",     "plugin",   "reflect",   "regexp",
    "runtime", "slices",   "sort",    "strconv", "strings",  "structs",  "sync",     "syscall",   "testing",
    "text",    "time",     "unicode", "unique",  "unsafe",   "vendor",   "weak"};
static_assert(std::ranges::is_sorted(first_parts));

} // namespace

bool is_standard_library(std::string_view function) {
  const std::size_t slash = function.find('/');
  const std::size_t dot = function.find('.');
  // "github.com/…" has its first dot before the first slash and is none of them either way.
  return dot != std::string_view::npos &&
         std::ranges::binary_search(first_parts, function.substr(0, std::min(slash, dot)));
}

} // namespace inspect
