// What carries a traceback through loggers, collectors and consoles, and how it is taken off: JSON, pairs, columns,
// escapes, broken and reversed lines … Carriers lie in each other ("CRI, whose lines are JSON, whose message has its
// line ends escaped"), so that they are taken off one after the other, as long as what is left can be read better than
// before. Nothing is taken off a text that reads as well without.
#pragma once

#include "golang/traceback/log_text.h"

#include <functional>

namespace inspect {

/// How well a text reads; larger is better. A carrier is taken off only for more `parts`; `order` then tells which.
struct LogTextReading {
  std::size_t parts = 0;
  std::size_t order = 0; ///< among equal ones, the smaller is better: lines that may be the rests of others
};
using LogTextScore = std::function<LogTextReading(const LogText &)>;

LogText without_carriers(LogText log, const LogTextScore &score);

} // namespace inspect
