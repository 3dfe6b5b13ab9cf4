// What stands after `print`: how, how much of it, and what.
//
//     p %x s.lookup        p/x s.lookup        p -elements 200 -- s.lookup
//
// Sources: dlv's fmt verbs (Documentation/cli/expr.md, "print %x"), gdb's output formats ("Output Formats").
#pragma once

#include "machine/error.h"
#include "values/value_text.h"

#include <string>
#include <string_view>

namespace inspect {

struct PrintRequest {
  PrintOptions options;
  std::string expression; ///< still text: parse_expression reads it
  std::size_t offset = 0; ///< where it began in the whole text, so that columns can be shown in that
};

/// `text` is all that follows the command's name: "/x a", "%#v a", "a". Limits that it names replace those of
/// `defaults`: -elements N, -string N, -depth N, -fields N, or as dlv's config calls them (-max-string-len N, …).
Result<PrintRequest> parse_print_request(std::string_view text, const PrintOptions &defaults);

} // namespace inspect
