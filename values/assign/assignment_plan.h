// What `set` is to write, decided before the target is stopped: the old value's place, the new one's bytes. Types and
// ranges are checked here, so that carrying it out can only fail on memory.
//
//     const auto plan = plan_assignment("main.count = 70000", scope);
//     if (!plan) … "main.count is an int16: 70000 does not fit (-32768 to 32767)" …
//     for (const MemoryWrite &write : plan->writes) … in this order, inside one stop …
#pragma once

#include "machine/address.h"
#include "machine/error.h"
#include "values/name_scope.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct MemoryWrite {
  RunAddress address;
  std::vector<std::byte> bytes;
  /// Not the place that was named, but what its value refers to, which other values may refer to as well: the bytes of
  /// a string.
  bool is_content = false;
};

struct RegisterWrite {
  unsigned number = 0;          ///< DWARF's
  std::vector<std::byte> bytes; ///< its low ones; those above keep what they hold
};

struct AssignmentPlan {
  std::string target; ///< as it was typed: "x->count"
  std::string value;
  Value old_value; ///< what stands there now; after the writes, evaluating `target` again gives the new one
  std::vector<MemoryWrite> writes;
  std::optional<RegisterWrite> register_write; ///< then there are no memory writes
};

/// usage where types or sizes do not fit, or the target is no place ("a + b is not in memory"); the errors of
/// evaluating either side.
Result<AssignmentPlan> plan_assignment(std::string_view text, NameScope &scope);

} // namespace inspect
