// What gdb and inspect write differently on purpose, rule by rule: answers that are equal under them say the same.
#pragma once

#include <optional>
#include <string>

namespace inspect::test {

struct SameMeaning {
  std::string rules; ///< those that were needed, one after the other
};

/// Nothing where they mean something else.
std::optional<SameMeaning> same_meaning(std::string ours, std::string gdb);

} // namespace inspect::test
