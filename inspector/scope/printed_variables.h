// The arguments and locals of one frame as text, with the reasons where there is none: what `args`, `locals`, `bt
// -full` and the dumps print.
//
//     for (const FrameVariable &variable : frame_variables(scope, FrameVariables::arguments, options))
//       … variable.name, variable.value …
#pragma once

#include "inspector/scope/frame_scope.h"
#include "values/value_text.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace inspect {

/// One variable of a frame.
struct FrameVariable {
  std::string name;
  std::string type;     ///< as its language writes it; empty: not wanted
  std::string value;    ///< one line, not escaped beyond what printing a value escapes; of a missing one "<…>"
  bool missing = false; ///< `value` says why there is none
  bool is_parameter = false;
  bool is_result = false; ///< Go's results mean nothing before the function returns
  bool at_entry = false;  ///< as the caller passed it: it may have changed since
  bool shadowed = false;  ///< an inner block has one of the same name
  unsigned depth = 0;     ///< of blocks
  int line = 0;           ///< of its declaration; 0: unknown
};

enum class FrameVariables : std::uint8_t { arguments, locals };

struct FrameVariableOptions {
  PrintOptions print;
  bool with_types = true;
  /// What the caller passed beside what the argument is now, where that is something else.
  bool with_passed = false;
  std::size_t max_variables = 1000;             ///< variables
  std::chrono::milliseconds per_value{100};     ///< what is not there by then is cut
  std::chrono::steady_clock::time_point until = ///< of all together
      std::chrono::steady_clock::time_point::max();
};

/// In the order of the source. What the compiler made for itself is left out, but for `this`.
std::vector<FrameVariable> frame_variables(FrameScope &scope, FrameVariables which,
                                           const FrameVariableOptions &options);

} // namespace inspect
