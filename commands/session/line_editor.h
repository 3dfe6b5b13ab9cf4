// The line editor of sessions on a terminal: libedit, with a history that outlives the session (0600, below
// $XDG_STATE_HOME/inspect or ~/.local/state/inspect) and completion.
//
// At the prompt Ctrl-C empties the line and Ctrl-D on an empty one ends the input. While a command runs the terminal is
// in its ordinary mode, and Ctrl-C is a signal (attach.cpp).
#pragma once

#include "commands/cli/output.h"
#include "commands/session/session.h"

#include <memory>
#include <optional>
#include <string>

namespace inspect {

class LineEditor {
public:
  LineEditor(Session &session, Output &output);
  ~LineEditor(); ///< saves the history
  LineEditor(const LineEditor &) = delete;
  LineEditor &operator=(const LineEditor &) = delete;

  /// The next line without its end; nothing at the end of input.
  std::optional<std::string> read(const std::string &prompt);

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace inspect
