// Which functions of the Go runtime a traceback treats specially, in one numbering for all versions.
//
// Sources: the constants FuncID in internal/abi/symtab.go (runtime/symtab.go before 1.21), Go 1.16 to 1.27;
// which names get which: cmd/internal/objabi/funcid.go.
#pragma once

#include "golang/go_version.h"
#include "golang/pclntab/pclntab_header.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace inspect {

/// The numbers, and the moduledata, of versions after this one are not known.
constexpr GoVersion newest_known_go{1, 27};

enum class GoFuncId : std::uint8_t {
  normal,
  abort,
  asmcgocall,
  async_preempt,
  cgocallback,
  corostart,
  debug_call,
  gc_background_worker,
  goexit,
  gogo,
  gopanic,
  handle_async_event,
  mcall,
  morestack,
  mstart,
  panicwrap,
  rt0_go,
  run_cleanups, ///< since 1.25
  runfinq,      ///< runFinalizers since 1.25
  runtime_main,
  sigpanic,
  systemstack,
  systemstack_switch,
  wrapper, ///< made by the compiler: hidden in tracebacks
};

/// What the FuncID numbers of one image mean.
class FuncIdTable {
public:
  /// Of a known version: its table. A newer one counts like the newest known, and version 0.0, not known, like the
  /// oldest that writes the format, both until learn() has seen the functions.
  FuncIdTable(GoVersion version, PclntabFormat format);

  /// Whether the numbers are a guess, to be learned.
  bool guessed() const { return guessed_; }
  /// The runtime's special functions have fixed names, and so tell their numbers.
  void learn(std::string_view function, std::uint8_t id);

  GoFuncId of(std::uint8_t id, std::string_view function) const;

private:
  std::array<GoFuncId, 256> func_ids_{};
  bool guessed_ = false;
  bool learned_ = false;
};

} // namespace inspect
