// What is thrown, as an Error. Errors are values here, but the library and libdw throw where memory runs out or a
// thread cannot be started, and a cancelled command ends by an exception (machine/cancellation_point.h). Whoever
// answers for a whole piece of work (a command, one process of several, main) turns that into a sentence:
//
//     const Result<ExitStatus> done = caught([&] { return spec.run(context); });
#pragma once

#include "machine/error.h"

#include <utility>

namespace inspect {

/// The exception at hand, to be called in a catch block.
Error thrown_error();

/// What `work` returns, a Result, or what it threw.
template <typename Work> auto caught(Work &&work) -> decltype(work()) {
  try {
    return std::forward<Work>(work)();
  } catch (...) {
    return std::unexpected(thrown_error());
  }
}

} // namespace inspect
