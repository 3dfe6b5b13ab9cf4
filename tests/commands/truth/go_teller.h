// What a program made from a seed is given to tell its own values, in the notation of dlv; entries of maps are in the
// order of their texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace inspect::test {

struct GoTellerConstants {
  std::string type;
  std::vector<std::string> names;
  bool are_flags = false;
};

inline constexpr std::string_view go_teller_imports =
    "\t\"os\"\n\t\"bufio\"\n\t\"reflect\"\n\t\"sort\"\n\t\"strings\"\n";

/// tell(place, command, how, value): a line of output for a question, none where its evaluation panics.
std::string go_teller_functions(const std::vector<GoTellerConstants> &constants);

} // namespace inspect::test
