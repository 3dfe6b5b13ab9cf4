// One `inspect attach`: its process, what is selected in it, what is evaluated there, and its dialogue with the person
// who types. Commands take of it what they need.
#pragma once

#include "commands/session/evaluator.h"

#include <cstdio>

namespace inspect {

/// What is kept of the exchange of lines itself.
struct Dialogue {
  Dialogue() = default;
  ~Dialogue() {
    if (transcript != nullptr)
      std::fclose(transcript);
  }
  Dialogue(const Dialogue &) = delete;
  Dialogue &operator=(const Dialogue &) = delete;

  Settings settings;
  std::FILE *transcript = nullptr; ///< owned
  int source_depth = 0;            ///< how many files `source` is in
  bool leave = false;              ///< set by `exit`
};

class Session : public AttachedProcess {
public:
  using AttachedProcess::AttachedProcess;

  Dialogue dialogue;
  Selection selection{*this};
  Evaluator evaluator{*this, selection, dialogue.settings};
};

} // namespace inspect
