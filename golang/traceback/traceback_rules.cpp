#include "golang/traceback/traceback_rules.h"

#include <utility>

namespace inspect {
namespace {

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
bool is_panic(GoFuncId kind) {
  return kind == GoFuncId::gopanic || kind == GoFuncId::sigpanic || kind == GoFuncId::panicwrap;
}

} // namespace

bool TracebackFilter::hides(std::string_view function, GoFuncId kind) {
  const GoFuncId callee = std::exchange(callee_, kind);
  bool shown = shows_name(function, version_);
  if (kind == GoFuncId::wrapper && !is_panic(callee))
    shown = false;
  else if (version_ >= GoVersion{1, 25} && (kind == GoFuncId::runfinq || kind == GoFuncId::run_cleanups))
    shown = true;
  else if (function == "runtime.gopanic" && printed_any_)
    shown = true;
  printed_any_ = printed_any_ || shown;
  return !shown;
}

bool is_system_goroutine(std::string_view start_function, GoFuncId kind) {
  if (kind == GoFuncId::runtime_main || kind == GoFuncId::handle_async_event || kind == GoFuncId::corostart)
    return false;
  return start_function.starts_with(runtime_prefix);
}

bool shows_creator(std::string_view function, GoVersion version) {
  return function == "runtime.gopanic" || shows_name(function, version);
}

} // namespace inspect
