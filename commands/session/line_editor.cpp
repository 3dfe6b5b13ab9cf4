#include "commands/session/line_editor.h"

#include "commands/session/completion.h"
#include "machine/thrown_error.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <histedit.h>
#include <sys/stat.h>
#include <unistd.h>

namespace inspect {
namespace {

constexpr int remembered_lines = 10'000;

std::filesystem::path state_folder() {
  if (const char *state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/')
    return std::filesystem::path(state) / "inspect";
  if (const char *home = std::getenv("HOME"); home != nullptr && *home == '/')
    return std::filesystem::path(home) / ".local/state/inspect";
  return {};
}

/// The history file, made if need be so that only its owner reads it; empty where there is no home for it.
std::string prepare_history_file() {
  const std::filesystem::path folder = state_folder();
  if (folder.empty())
    return {};
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  const std::string path = folder / "history";
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return {}; // a session without a history is better than none
  const bool is_private = ::fchmod(descriptor, 0600) == 0;
  ::close(descriptor);
  return is_private ? path : std::string();
}

} // namespace

struct LineEditor::State {
  State(Session &session_, Output &output_) : session(session_), output(output_) {}

  Session &session;
  Output &output;
  EditLine *editor = nullptr;
  History *history = nullptr;
  std::string history_file;
  std::string prompt_text;
  bool interrupted = false;

  static State &of(EditLine *editor) {
    State *state = nullptr;
    ::el_get(editor, EL_CLIENTDATA, &state);
    return *state;
  }

  static char *prompt_of(EditLine *editor) { return of(editor).prompt_text.data(); }

  /// Ctrl-C: the line is given up. It comes as a key here, since the terminal's own interrupt key is off while editing.
  static unsigned char interrupt(EditLine *editor, int) {
    State &state = of(editor);
    state.interrupted = true;
    std::FILE *out = nullptr;
    ::el_get(editor, EL_GETFP, 1, &out);
    std::fputs("^C", out);
    return CC_NEWLINE;
  }

  static unsigned char complete_word(EditLine *editor, int) {
    State &state = of(editor);
    const LineInfo *line = ::el_line(editor);
    const std::string_view text(line->buffer, static_cast<std::size_t>(line->cursor - line->buffer));
    // Nothing may be thrown through the editor, which is C: where there is no memory, there is nothing to offer.
    const auto completed = caught([&] { return Result<Completions>(complete(state.session, text)); });
    if (!completed || completed->candidates.empty())
      return CC_REFRESH_BEEP;
    const Completions &found = *completed;
    const std::string common = common_beginning(found.candidates);
    std::string insertion = common.substr(std::min(found.word.size(), common.size()));
    if (found.candidates.size() == 1 && !common.ends_with('/'))
      insertion += ' ';
    if (!insertion.empty())
      return ::el_insertstr(editor, insertion.c_str()) == 0 ? CC_REFRESH : CC_REFRESH_BEEP;
    std::FILE *out = nullptr;
    ::el_get(editor, EL_GETFP, 1, &out);
    std::fputc('\n', out);
    for (const std::string &candidate : found.candidates)
      std::fputs(fmt::format("{}  ", escape(candidate)).c_str(), out);
    std::fputc('\n', out);
    return CC_REDISPLAY;
  }
};

LineEditor::LineEditor(Session &session, Output &output) : state_(std::make_unique<State>(session, output)) {
  State &state = *state_;
  // With standard output in a pipe the prompt belongs on the terminal, not into the pipe.
  state.editor = ::el_init("inspect", stdin, output.is_terminal() ? stdout : stderr, stderr);
  state.history = ::history_init();
  if (state.editor == nullptr || state.history == nullptr)
    return;
  ::el_set(state.editor, EL_CLIENTDATA, &state);
  ::el_set(state.editor, EL_PROMPT, &State::prompt_of);
  ::el_set(state.editor, EL_EDITOR, "emacs");
  ::el_set(state.editor, EL_SETTY, "-d", "-isig", nullptr);
  ::el_set(state.editor, EL_ADDFN, "inspect-interrupt", "Give the line up", &State::interrupt);
  ::el_set(state.editor, EL_ADDFN, "inspect-complete", "Complete the word", &State::complete_word);
  HistEvent event{};
  ::history(state.history, &event, H_SETSIZE, remembered_lines);
  ::history(state.history, &event, H_SETUNIQUE, 1);
  ::el_set(state.editor, EL_HIST, &::history, state.history);
  ::el_source(state.editor, nullptr); // ~/.editrc
  ::el_set(state.editor, EL_BIND, "^C", "inspect-interrupt", nullptr);
  ::el_set(state.editor, EL_BIND, "^I", "inspect-complete", nullptr);
  ::el_set(state.editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  state.history_file = prepare_history_file();
  if (!state.history_file.empty())
    ::history(state.history, &event, H_LOAD, state.history_file.c_str()); // an empty file is not a history yet
}

LineEditor::~LineEditor() {
  State &state = *state_;
  HistEvent event{};
  if (state.history != nullptr && !state.history_file.empty() &&
      ::history(state.history, &event, H_SAVE, state.history_file.c_str()) < 0)
    state.output.warning(fmt::format("the history could not be saved to {}", state.history_file));
  if (state.editor != nullptr)
    ::el_end(state.editor);
  if (state.history != nullptr)
    ::history_end(state.history);
}

std::optional<std::string> LineEditor::read(const std::string &prompt) {
  State &state = *state_;
  if (state.editor == nullptr || state.history == nullptr)
    return std::nullopt;
  state.prompt_text = prompt;
  while (true) {
    state.interrupted = false;
    int length = 0;
    // el_gets shows the prompt first and takes the terminal over then; a Ctrl-D typed in between would be lost
    // (terminal_test.cpp types that fast).
    ::el_set(state.editor, EL_PREP_TERM, 1);
    const char *typed = ::el_gets(state.editor, &length);
    if (state.interrupted) {
      ::el_reset(state.editor);
      continue;
    }
    if (typed == nullptr && length < 0 && errno == EINTR)
      continue; // a signal from elsewhere, such as the window's new size
    if (typed == nullptr || length <= 0) {
      std::FILE *out = nullptr;
      ::el_get(state.editor, EL_GETFP, 1, &out);
      std::fputc('\n', out);
      return std::nullopt;
    }
    std::string line(typed, static_cast<std::size_t>(length));
    while (line.ends_with('\n') || line.ends_with('\r'))
      line.pop_back();
    if (line.find_first_not_of(" \t") != std::string::npos) {
      HistEvent event{};
      ::history(state.history, &event, H_ENTER, line.c_str());
    }
    return line;
  }
}

} // namespace inspect
