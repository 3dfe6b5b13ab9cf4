#include "commands/session/completion.h"

#include "attach/procfs/process_list.h"
#include "commands/cli/command_spec.h"
#include "commands/cli/help_text.h"
#include "inspector/scope/frame_scope.h"
#include "inspector/scope/symbol_search.h"
#include "values/expression/expression_evaluator.h"
#include "values/value_operations.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::size_t max_candidates = 200;

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char character : text) {
    if (character != ' ' && character != '\t') {
      word += character;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  words.push_back(std::move(word)); // the one that is being typed, maybe empty
  return words;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const CommandSpec &spec : command_table()) {
    if (spec.in_session)
      names.push_back(spec.name);
  }
  return names;
}

std::vector<std::string> thread_ids(pid_t process) {
  std::vector<std::string> ids;
  if (const auto threads = list_threads(process)) {
    for (const pid_t thread : *threads)
      ids.push_back(fmt::format("{}", thread));
  }
  return ids;
}

/// Those of the last look.
std::vector<std::string> goroutine_ids(const Selection &selection, const std::string &beginning) {
  std::vector<std::string> ids;
  const ProcessReport *report = selection.known_report();
  if (report == nullptr || !report->go)
    return ids;
  for (const GoroutineReport &goroutine : report->go->goroutines)
    if (std::string id = fmt::format("{}", goroutine.id); id.starts_with(beginning) && ids.size() < max_candidates)
      ids.push_back(std::move(id));
  return ids;
}

std::vector<std::string> files_beginning(const std::string &word) {
  const std::size_t slash = word.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : word.substr(0, slash + 1);
  std::vector<std::string> files;
  std::error_code problem; // an unreadable folder offers nothing
  std::filesystem::directory_iterator entries(folder.empty() ? "." : folder, problem);
  for (; !problem && entries != std::filesystem::directory_iterator(); entries.increment(problem)) {
    std::error_code ignored;
    const bool is_folder = entries->is_directory(ignored);
    files.push_back(folder + entries->path().filename().string() + (is_folder ? "/" : ""));
  }
  return files;
}

bool is_part_of_name(char character) {
  return std::isalnum(static_cast<unsigned char>(character)) != 0 || character == '_' || character == ':';
}

/// Names that go on where the last name of the expression ends, each with what stands before it. Only of what was
/// looked at already: the target is not stopped for it.
std::vector<std::string> expressions_beginning(Session &session, const std::string &word) {
  std::size_t begin = word.size();
  while (begin > 0 && is_part_of_name(word[begin - 1]))
    --begin;
  const std::string before = word.substr(0, begin);
  const std::string name = word.substr(begin);
  if (session.selection.known_report() == nullptr)
    return {};
  const auto scope = session.evaluator.scope();
  if (!scope)
    return {};
  std::vector<std::string> names;
  const bool arrow = before.ends_with("->");
  if (arrow || before.ends_with('.')) {
    const std::string object = before.substr(0, before.size() - (arrow ? 2 : 1));
    if (const auto value = evaluate(object, **scope))
      names = operations_of(*value).member_names(*value, (*scope)->environment());
  } else {
    names = (*scope)->names_like(name, max_candidates);
  }
  for (std::string &one : names)
    one.insert(0, before);
  return names;
}

std::vector<std::string> names_of(Session &session, CompletionKind kind, const std::string &word) {
  switch (kind) {
  case CompletionKind::thread:
    return thread_ids(session.process());
  case CompletionKind::goroutine:
    return goroutine_ids(session.selection, word);
  case CompletionKind::symbol:
    return word.empty() ? std::vector<std::string>()
                        : names_beginning(session.target(), word, max_candidates, session.cancellation());
  case CompletionKind::expression:
    return expressions_beginning(session, word);
  case CompletionKind::file:
    return files_beginning(word);
  case CompletionKind::command:
    return command_names();
  case CompletionKind::config_key: {
    std::vector<std::string> keys;
    for (const SettingSpec &spec : setting_specs())
      keys.push_back(spec.key);
    return keys;
  }
  case CompletionKind::process:
  case CompletionKind::none:
    break;
  }
  return {};
}

/// The option whose value is being typed, or null.
const OptionSpec *open_option(const CommandSpec &spec, const std::string &previous) {
  for (const OptionSpec &option : spec.options) {
    if (!option.value.empty() && (option.name == previous || option.short_name == previous))
      return &option;
  }
  return nullptr;
}

std::vector<std::string> argument_candidates(Session &session, const CommandSpec &spec,
                                             const std::vector<std::string> &words) {
  const std::string &word = words.back();
  if (const OptionSpec *option = open_option(spec, words[words.size() - 2])) {
    if (const auto values = choices(*option); !values.empty())
      return values;
    const bool symbol = option->value == "FUNCTION" || option->value == "EXPR";
    return symbol ? names_of(session, CompletionKind::symbol, word) : std::vector<std::string>();
  }
  if (!word.starts_with('-'))
    return names_of(session, spec.completion, word);
  std::vector<std::string> names;
  for (const OptionSpec &option : spec.options)
    names.push_back(option.name);
  return names;
}

} // namespace

Completions complete(Session &session, std::string_view text) {
  const std::vector<std::string> words = words_of(text);
  Completions result;
  result.word = words.back();
  if (words.size() == 1) {
    result.candidates = command_names();
  } else if (const auto spec = find_command(words.front(), true)) {
    result.candidates = argument_candidates(session, **spec, words);
  }
  std::erase_if(result.candidates, [&](const std::string &name) { return !name.starts_with(result.word); });
  std::ranges::sort(result.candidates);
  return result;
}

std::string common_beginning(const std::vector<std::string> &words) {
  if (words.empty())
    return {};
  std::string_view common = words.front();
  for (const std::string &word : words) {
    const auto [left, right] = std::ranges::mismatch(common, word);
    common = common.substr(0, static_cast<std::size_t>(left - common.begin()));
  }
  return std::string(common);
}

} // namespace inspect
