// What carries a traceback through loggers, collectors and consoles, and how it is taken off: JSON, pairs, columns,
// escapes, broken and reversed lines … Carriers lie in each other ("CRI, whose lines are JSON, whose message has its
// line ends escaped"), so that they are taken off one after the other, as long as what is left can be read better than
// before. Nothing is taken off a text that reads as well without.
#pragma once

#include "golang/traceback/log_text.h"

#include <functional>

namespace inspect {

/// How well a text reads; larger is better.
using LogTextScore = std::function<std::size_t(const LogText &)>;

LogText without_carriers(LogText log, const LogTextScore &score);

} // namespace inspect
