// The function that a goroutine was started in, as its go statement names it: for `go server.handle(n)` the compiler
// makes a function without parameters ("main.main.gowrap1"), which calls the one that is meant, or has it inlined.
//
// Source: cmd/compile/internal/walk/order.go and typecheck (wrapCall; ir.WrapperFunc), Go 1.17 to 1.27.
#pragma once

#include "golang/runtime/go_runtime.h"

#include <optional>
#include <string_view>

namespace inspect {

struct GoStartFunction {
  std::string_view function; ///< as linked; lives as long as the image's table
  std::string_view file;     ///< "?" where unknown
  int line = 0;              ///< where the function begins
};

/// Nothing where no function is at `start_pc`. A wrapper whose call goes through a pointer stays itself.
std::optional<GoStartFunction> start_function(const GoRuntime &runtime, const MemoryView &memory, RunAddress start_pc);

} // namespace inspect
