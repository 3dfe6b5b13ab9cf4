// What the Tab key offers in a session. It never stops the target.
#pragma once

#include "commands/session/session.h"

#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct Completions {
  std::string word;                    ///< the beginning that is typed already
  std::vector<std::string> candidates; ///< full words that begin so, sorted
};

/// `text`: the line up to the cursor.
Completions complete(Session &session, std::string_view text);

/// The longest beginning that all have in common.
std::string common_beginning(const std::vector<std::string> &words);

} // namespace inspect
