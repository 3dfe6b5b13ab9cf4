#include "golang/pclntab/func_id.h"

#include <algorithm>
#include <span>
#include <utility>

namespace inspect {
namespace {

using Kind = GoFuncId;

constexpr std::array kinds_1_16 = {
    Kind::normal,
    Kind::runtime_main,
    Kind::goexit,
    Kind::normal /* jmpdefer */,
    Kind::mcall,
    Kind::morestack,
    Kind::mstart,
    Kind::rt0_go,
    Kind::asmcgocall,
    Kind::sigpanic,
    Kind::runfinq,
    Kind::gc_background_worker,
    Kind::systemstack_switch,
    Kind::systemstack,
    Kind::cgocallback,
    Kind::gogo,
    Kind::normal /* externalthreadhandler */,
    Kind::debug_call,
    Kind::gopanic,
    Kind::panicwrap,
    Kind::handle_async_event,
    Kind::async_preempt,
    Kind::wrapper,
};

constexpr std::array kinds_1_17 = {
    Kind::normal,
    Kind::abort,
    Kind::asmcgocall,
    Kind::async_preempt,
    Kind::cgocallback,
    Kind::debug_call,
    Kind::gc_background_worker,
    Kind::goexit,
    Kind::gogo,
    Kind::gopanic,
    Kind::handle_async_event,
    Kind::normal /* jmpdefer */,
    Kind::mcall,
    Kind::morestack,
    Kind::mstart,
    Kind::panicwrap,
    Kind::rt0_go,
    Kind::runfinq,
    Kind::runtime_main,
    Kind::sigpanic,
    Kind::systemstack,
    Kind::systemstack_switch,
    Kind::wrapper,
};

constexpr std::array kinds_1_18 = {
    Kind::normal,
    Kind::abort,
    Kind::asmcgocall,
    Kind::async_preempt,
    Kind::cgocallback,
    Kind::debug_call,
    Kind::gc_background_worker,
    Kind::goexit,
    Kind::gogo,
    Kind::gopanic,
    Kind::handle_async_event,
    Kind::mcall,
    Kind::morestack,
    Kind::mstart,
    Kind::panicwrap,
    Kind::rt0_go,
    Kind::runfinq,
    Kind::runtime_main,
    Kind::sigpanic,
    Kind::systemstack,
    Kind::systemstack_switch,
    Kind::wrapper,
};

constexpr std::array kinds_1_22 = {
    Kind::normal,       Kind::abort,
    Kind::asmcgocall,   Kind::async_preempt,
    Kind::cgocallback,  Kind::corostart,
    Kind::debug_call,   Kind::gc_background_worker,
    Kind::goexit,       Kind::gogo,
    Kind::gopanic,      Kind::handle_async_event,
    Kind::mcall,        Kind::morestack,
    Kind::mstart,       Kind::panicwrap,
    Kind::rt0_go,       Kind::runfinq,
    Kind::runtime_main, Kind::sigpanic,
    Kind::systemstack,  Kind::systemstack_switch,
    Kind::wrapper,
};

constexpr std::array kinds_1_25 = {
    Kind::normal,
    Kind::abort,
    Kind::asmcgocall,
    Kind::async_preempt,
    Kind::cgocallback,
    Kind::corostart,
    Kind::debug_call,
    Kind::gc_background_worker,
    Kind::goexit,
    Kind::gogo,
    Kind::gopanic,
    Kind::handle_async_event,
    Kind::mcall,
    Kind::morestack,
    Kind::mstart,
    Kind::panicwrap,
    Kind::rt0_go,
    Kind::runtime_main,
    Kind::runfinq,
    Kind::run_cleanups,
    Kind::sigpanic,
    Kind::systemstack,
    Kind::systemstack_switch,
    Kind::wrapper,
};

GoVersion oldest_of(PclntabFormat format) {
  switch (format) {
  case PclntabFormat::go1_16:
    return {1, 16};
  case PclntabFormat::go1_18:
    return {1, 18};
  case PclntabFormat::go1_20:
    break;
  }
  return {1, 20};
}

std::span<const Kind> kinds_of(GoVersion version) {
  if (version < GoVersion{1, 17})
    return kinds_1_16;
  if (version < GoVersion{1, 18})
    return kinds_1_17;
  if (version < GoVersion{1, 22})
    return kinds_1_18;
  if (version < GoVersion{1, 25})
    return kinds_1_22;
  return kinds_1_25;
}

struct NamedKind {
  std::string_view name; ///< without "runtime."
  Kind kind;
};
constexpr NamedKind named_kinds[] = {
    {"abort", Kind::abort},
    {"asmcgocall", Kind::asmcgocall},
    {"asyncPreempt", Kind::async_preempt},
    {"cgocallback", Kind::cgocallback},
    {"corostart", Kind::corostart},
    {"debugCallV1", Kind::debug_call},
    {"debugCallV2", Kind::debug_call},
    {"gcBgMarkWorker", Kind::gc_background_worker},
    {"goexit", Kind::goexit},
    {"gogo", Kind::gogo},
    {"gopanic", Kind::gopanic},
    {"handleAsyncEvent", Kind::handle_async_event},
    {"mcall", Kind::mcall},
    {"morestack", Kind::morestack},
    {"mstart", Kind::mstart},
    {"panicwrap", Kind::panicwrap},
    {"rt0_go", Kind::rt0_go},
    {"runCleanups", Kind::run_cleanups},
    {"runFinalizers", Kind::runfinq},
    {"runfinq", Kind::runfinq},
    {"main", Kind::runtime_main},
    {"sigpanic", Kind::sigpanic},
    {"systemstack", Kind::systemstack},
    {"systemstack_switch", Kind::systemstack_switch},
    {"deferreturn", Kind::wrapper},
};

Kind kind_by_name(std::string_view function) {
  constexpr std::string_view package = "runtime.";
  if (function.starts_with(package))
    for (const NamedKind &named : named_kinds)
      if (function.substr(package.size()) == named.name)
        return named.kind;
  return Kind::normal;
}

} // namespace

FuncIdTable::FuncIdTable(GoVersion version, PclntabFormat format)
    : guessed_(version == GoVersion{} || version > newest_known_go) {
  const auto known = kinds_of(version == GoVersion{} ? oldest_of(format) : version);
  std::ranges::copy(known, kinds_.begin());
}

void FuncIdTable::learn(std::string_view function, std::uint8_t id) {
  const Kind kind = kind_by_name(function);
  if (kind == Kind::normal || id == 0)
    return;
  if (!std::exchange(learned_, true))
    kinds_.fill(Kind::normal); // one number of the guess may be right and the next wrong: only what is seen counts
  // A function may stand in the table a second time, as the wrapper that converts its calling convention.
  if (kind == Kind::wrapper || kinds_[id] != Kind::wrapper)
    kinds_[id] = kind;
}

GoFuncId FuncIdTable::of(std::uint8_t id, std::string_view function) const {
  // The linkers of Go 1.17 and 1.18 look for "go" and "switch" where the functions are called rt0_go and
  // systemstack_switch, and give those no number.
  if (id == 0 && (function == "runtime.rt0_go" || function == "runtime.systemstack_switch"))
    return kind_by_name(function);
  return kinds_[id];
}

} // namespace inspect
