#include "golang/traceback/traceback_rules.h"

#include <algorithm>
#include <utility>

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

constexpr std::string_view runtime_prefix = "runtime.";

bool is_upper(char character) {
  return character >= 'A' && character <= 'Z';
}

/// A function of package runtime that programs may call: its users expect to see it.
bool is_exported_by_runtime(std::string_view name, GoVersion version) {
  if (!name.starts_with(runtime_prefix) || name.size() == runtime_prefix.size())
    return false;
  name.remove_prefix(runtime_prefix.size());
  if (version < GoVersion{1, 23})
    return is_upper(name.front());
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos)
    return is_upper(name.front());
  std::string_view receiver = name.substr(0, dot);
  const std::string_view method = name.substr(dot + 1);
  if (receiver.starts_with("(*") && receiver.ends_with(')'))
    receiver = receiver.substr(2, receiver.size() - 3);
  return !method.empty() && is_upper(method.front()) && (receiver.empty() || is_upper(receiver.front()));
}

bool shows_name(std::string_view name, GoVersion version) {
  return name.contains('.') && (!name.starts_with(runtime_prefix) || is_exported_by_runtime(name, version));
}

/// A wrapper is of interest only where it called a panic instead of what it wraps.
bool is_panic(GoFuncId func_id) {
  return func_id == GoFuncId::gopanic || func_id == GoFuncId::sigpanic || func_id == GoFuncId::panicwrap;
}

} // namespace

bool TracebackFilter::hides(std::string_view function, GoFuncId func_id) {
  const GoFuncId callee = std::exchange(callee_, func_id);
  bool shown = shows_name(function, version_);
  if (func_id == GoFuncId::wrapper && !is_panic(callee))
    shown = false;
  else if ((version_ >= GoVersion{1, 25} && (func_id == GoFuncId::runfinq || func_id == GoFuncId::run_cleanups)) ||
           (function == "runtime.gopanic" && printed_any_))
    shown = true;
  printed_any_ = printed_any_ || shown;
  return !shown;
}

bool is_system_goroutine(std::string_view start_function, GoFuncId func_id) {
  if (func_id == GoFuncId::runtime_main || func_id == GoFuncId::handle_async_event || func_id == GoFuncId::corostart)
    return false;
  return start_function.starts_with(runtime_prefix);
}

bool shows_creator(std::string_view function, GoVersion version) {
  return function == "runtime.gopanic" || shows_name(function, version);
}

bool is_standard_library(std::string_view function) {
  const std::size_t slash = function.find('/');
  const std::size_t dot = function.find('.');
  // "github.com/…" has its first dot before the first slash and is none of them either way.
  return dot != std::string_view::npos &&
         std::ranges::binary_search(first_parts, function.substr(0, std::min(slash, dot)));
}

} // namespace inspect
