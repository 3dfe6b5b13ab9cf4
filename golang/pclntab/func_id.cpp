#include "golang/pclntab/func_id.h"

#include <algorithm>
#include <span>
#include <utility>

namespace inspect {
namespace {

constexpr std::array func_ids_1_16 = {
    GoFuncId::normal,
    GoFuncId::runtime_main,
    GoFuncId::goexit,
    GoFuncId::normal /* jmpdefer */,
    GoFuncId::mcall,
    GoFuncId::morestack,
    GoFuncId::mstart,
    GoFuncId::rt0_go,
    GoFuncId::asmcgocall,
    GoFuncId::sigpanic,
    GoFuncId::runfinq,
    GoFuncId::gc_background_worker,
    GoFuncId::systemstack_switch,
    GoFuncId::systemstack,
    GoFuncId::cgocallback,
    GoFuncId::gogo,
    GoFuncId::normal /* externalthreadhandler */,
    GoFuncId::debug_call,
    GoFuncId::gopanic,
    GoFuncId::panicwrap,
    GoFuncId::handle_async_event,
    GoFuncId::async_preempt,
    GoFuncId::wrapper,
};

constexpr std::array func_ids_1_17 = {
    GoFuncId::normal,
    GoFuncId::abort,
    GoFuncId::asmcgocall,
    GoFuncId::async_preempt,
    GoFuncId::cgocallback,
    GoFuncId::debug_call,
    GoFuncId::gc_background_worker,
    GoFuncId::goexit,
    GoFuncId::gogo,
    GoFuncId::gopanic,
    GoFuncId::handle_async_event,
    GoFuncId::normal /* jmpdefer */,
    GoFuncId::mcall,
    GoFuncId::morestack,
    GoFuncId::mstart,
    GoFuncId::panicwrap,
    GoFuncId::rt0_go,
    GoFuncId::runfinq,
    GoFuncId::runtime_main,
    GoFuncId::sigpanic,
    GoFuncId::systemstack,
    GoFuncId::systemstack_switch,
    GoFuncId::wrapper,
};

constexpr std::array func_ids_1_18 = {
    GoFuncId::normal,
    GoFuncId::abort,
    GoFuncId::asmcgocall,
    GoFuncId::async_preempt,
    GoFuncId::cgocallback,
    GoFuncId::debug_call,
    GoFuncId::gc_background_worker,
    GoFuncId::goexit,
    GoFuncId::gogo,
    GoFuncId::gopanic,
    GoFuncId::handle_async_event,
    GoFuncId::mcall,
    GoFuncId::morestack,
    GoFuncId::mstart,
    GoFuncId::panicwrap,
    GoFuncId::rt0_go,
    GoFuncId::runfinq,
    GoFuncId::runtime_main,
    GoFuncId::sigpanic,
    GoFuncId::systemstack,
    GoFuncId::systemstack_switch,
    GoFuncId::wrapper,
};

constexpr std::array func_ids_1_22 = {
    GoFuncId::normal,       GoFuncId::abort,
    GoFuncId::asmcgocall,   GoFuncId::async_preempt,
    GoFuncId::cgocallback,  GoFuncId::corostart,
    GoFuncId::debug_call,   GoFuncId::gc_background_worker,
    GoFuncId::goexit,       GoFuncId::gogo,
    GoFuncId::gopanic,      GoFuncId::handle_async_event,
    GoFuncId::mcall,        GoFuncId::morestack,
    GoFuncId::mstart,       GoFuncId::panicwrap,
    GoFuncId::rt0_go,       GoFuncId::runfinq,
    GoFuncId::runtime_main, GoFuncId::sigpanic,
    GoFuncId::systemstack,  GoFuncId::systemstack_switch,
    GoFuncId::wrapper,
};

constexpr std::array func_ids_1_25 = {
    GoFuncId::normal,
    GoFuncId::abort,
    GoFuncId::asmcgocall,
    GoFuncId::async_preempt,
    GoFuncId::cgocallback,
    GoFuncId::corostart,
    GoFuncId::debug_call,
    GoFuncId::gc_background_worker,
    GoFuncId::goexit,
    GoFuncId::gogo,
    GoFuncId::gopanic,
    GoFuncId::handle_async_event,
    GoFuncId::mcall,
    GoFuncId::morestack,
    GoFuncId::mstart,
    GoFuncId::panicwrap,
    GoFuncId::rt0_go,
    GoFuncId::runtime_main,
    GoFuncId::runfinq,
    GoFuncId::run_cleanups,
    GoFuncId::sigpanic,
    GoFuncId::systemstack,
    GoFuncId::systemstack_switch,
    GoFuncId::wrapper,
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

std::span<const GoFuncId> table_of(GoVersion version) {
  if (version < GoVersion{1, 17})
    return func_ids_1_16;
  if (version < GoVersion{1, 18})
    return func_ids_1_17;
  if (version < GoVersion{1, 22})
    return func_ids_1_18;
  if (version < GoVersion{1, 25})
    return func_ids_1_22;
  return func_ids_1_25;
}

struct NamedFunction {
  std::string_view name; ///< without "runtime."
  GoFuncId func_id;
};
constexpr NamedFunction named_functions[] = {
    {"abort", GoFuncId::abort},
    {"asmcgocall", GoFuncId::asmcgocall},
    {"asyncPreempt", GoFuncId::async_preempt},
    {"cgocallback", GoFuncId::cgocallback},
    {"corostart", GoFuncId::corostart},
    {"debugCallV1", GoFuncId::debug_call},
    {"debugCallV2", GoFuncId::debug_call},
    {"gcBgMarkWorker", GoFuncId::gc_background_worker},
    {"goexit", GoFuncId::goexit},
    {"gogo", GoFuncId::gogo},
    {"gopanic", GoFuncId::gopanic},
    {"handleAsyncEvent", GoFuncId::handle_async_event},
    {"mcall", GoFuncId::mcall},
    {"morestack", GoFuncId::morestack},
    {"mstart", GoFuncId::mstart},
    {"panicwrap", GoFuncId::panicwrap},
    {"rt0_go", GoFuncId::rt0_go},
    {"runCleanups", GoFuncId::run_cleanups},
    {"runFinalizers", GoFuncId::runfinq},
    {"runfinq", GoFuncId::runfinq},
    {"main", GoFuncId::runtime_main},
    {"sigpanic", GoFuncId::sigpanic},
    {"systemstack", GoFuncId::systemstack},
    {"systemstack_switch", GoFuncId::systemstack_switch},
    {"deferreturn", GoFuncId::wrapper},
};

GoFuncId func_id_by_name(std::string_view function) {
  constexpr std::string_view package = "runtime.";
  if (function.starts_with(package))
    for (const NamedFunction &named : named_functions)
      if (function.substr(package.size()) == named.name)
        return named.func_id;
  return GoFuncId::normal;
}

} // namespace

FuncIdTable::FuncIdTable(GoVersion version, PclntabFormat format)
    : guessed_(version == GoVersion{} || version > newest_known_go) {
  const auto known = table_of(version == GoVersion{} ? oldest_of(format) : version);
  std::ranges::copy(known, func_ids_.begin());
}

void FuncIdTable::learn(std::string_view function, std::uint8_t id) {
  const GoFuncId func_id = func_id_by_name(function);
  if (func_id == GoFuncId::normal || id == 0)
    return;
  if (!std::exchange(learned_, true))
    func_ids_.fill(
        GoFuncId::normal); // one number of the guess may be right and the next wrong: only what is seen counts
  // A function may stand in the table a second time, as the wrapper that converts its calling convention.
  if (func_id == GoFuncId::wrapper || func_ids_[id] != GoFuncId::wrapper)
    func_ids_[id] = func_id;
}

GoFuncId FuncIdTable::of(std::uint8_t id, std::string_view function) const {
  // The linkers of Go 1.17 and 1.18 look for "go" and "switch" where the functions are called rt0_go and
  // systemstack_switch, and give those no number.
  if (id == 0 && (function == "runtime.rt0_go" || function == "runtime.systemstack_switch"))
    return func_id_by_name(function);
  return func_ids_[id];
}

} // namespace inspect
