// Words to arguments, for the command line and for sessions alike.
//
// This is not a library's parser because the words are dlv's: `-fmt hex`, `-count 4` are long options behind one dash.
// CLI11 2.1 refuses such names ("Invalid one char name: -count") and reads `-fmt hex` as `-f mt`; getopt_long_only
// takes any unique prefix and lets no option follow a positional without reordering. One table for both uses must also
// read `-5` and `-0x10` as numbers. (tests/commands/cli/arguments_test.cpp has the whole table.)
#include "commands/cli/command_spec.h"
#include "commands/cli/help_text.h"
#include "machine/near_misses.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <ranges>

namespace inspect {
namespace {

bool looks_like_number(std::string_view word) {
  if (!word.starts_with('-') || word.size() < 2)
    return false;
  const char next = word[1] == '.' && word.size() > 2 ? word[2] : word[1];
  return std::isdigit(static_cast<unsigned char>(next)) != 0;
}

const OptionSpec *find_option(const CommandSpec &spec, std::string_view name) {
  const auto found = std::ranges::find_if(spec.options, [&](const OptionSpec &option) {
    return option.name == name || (!option.short_name.empty() && option.short_name == name);
  });
  return found == spec.options.end() ? nullptr : &*found;
}

/// The option that a word begins with a short name of, its value attached: -oFILE.
const OptionSpec *find_attached(const CommandSpec &spec, std::string_view word) {
  if (word.size() < 3 || word.starts_with("--"))
    return nullptr;
  const OptionSpec *option = find_option(spec, word.substr(0, 2));
  return option != nullptr && !option->value.empty() ? option : nullptr;
}

Error unknown_option(const CommandSpec &spec, std::string_view word) {
  std::vector<std::string> names;
  for (const OptionSpec &option : spec.options) {
    names.push_back(option.name);
    if (!option.short_name.empty())
      names.push_back(option.short_name);
  }
  return Error(ErrorKind::usage, fmt::format("{} has no option '{}'{}", spec.name, word, did_you_mean(word, names)),
               fmt::format("help {}", spec.name));
}

Result<void> check_choice(const OptionSpec &option, std::string_view value) {
  const std::vector<std::string> allowed = choices(option);
  if (allowed.empty() || std::ranges::find(allowed, value) != allowed.end())
    return {};
  return std::unexpected(Error(ErrorKind::usage, fmt::format("invalid value '{}' for {}; it takes {}{}", value,
                                                             option.name, option.value, did_you_mean(value, allowed))));
}

/// One walk over the words.
class Parser {
public:
  Parser(const CommandSpec &spec, std::span<const std::string> words) : spec_(spec), words_(words) {}

  Result<ParsedArguments> parse() {
    bool options_ended = spec_.raw_arguments;
    for (; at_ < words_.size(); ++at_) {
      const std::string &word = words_[at_];
      if (!options_ended && word == "--") {
        options_ended = true;
        continue;
      }
      const bool option = !options_ended && word.size() > 1 && word.front() == '-' &&
                          (find_option(spec_, word) != nullptr || !looks_like_number(word));
      if (!option)
        arguments_.positional_.push_back(word);
      else if (auto taken = take_option(word); !taken)
        return std::unexpected(taken.error());
    }
    if (auto checked = check_positionals(); !checked)
      return std::unexpected(checked.error());
    return std::move(arguments_);
  }

private:
  Result<void> take_option(const std::string &word) {
    if (const OptionSpec *exact = find_option(spec_, word))
      return exact->value.empty() ? add(*exact, {}) : take_value(*exact);
    if (const std::size_t equals = word.find('='); equals != std::string::npos) {
      if (const OptionSpec *named = find_option(spec_, std::string_view(word).substr(0, equals))) {
        if (named->value.empty())
          return std::unexpected(Error(ErrorKind::usage, fmt::format("{} takes no value", named->name),
                                       fmt::format("help {}", spec_.name)));
        return add(*named, word.substr(equals + 1));
      }
    }
    if (const OptionSpec *attached = find_attached(spec_, word))
      return add(*attached, word.substr(2));
    if (const auto process = named_process(word))
      return *process;
    return std::unexpected(unknown_option(spec_, word.substr(0, word.find('='))));
  }

  /// gdb, perf and py-spy want -p or --pid in front of what stands by itself here: both do.
  std::optional<Result<void>> named_process(const std::string &word) {
    const bool takes_process = !spec_.positionals.empty() && spec_.positionals.front().name == "PID";
    const std::string_view with_value = "--pid=";
    if (!takes_process || (word != "-p" && word != "--pid" && !word.starts_with(with_value)))
      return std::nullopt;
    if (word.starts_with(with_value)) {
      arguments_.positional_.push_back(word.substr(with_value.size()));
      return Result<void>();
    }
    if (at_ + 1 >= words_.size())
      return std::unexpected(Error(ErrorKind::usage, fmt::format("{} needs a process", word), synopsis(spec_)));
    arguments_.positional_.push_back(words_[++at_]);
    return Result<void>();
  }

  Result<void> take_value(const OptionSpec &option) {
    if (at_ + 1 >= words_.size())
      return std::unexpected(Error(ErrorKind::usage, fmt::format("{} needs a value: {}", option.name, option.value),
                                   fmt::format("help {}", spec_.name)));
    ++at_;
    return add(option, words_[at_]);
  }

  Result<void> add(const OptionSpec &option, std::string value) {
    if (!option.value.empty()) {
      if (auto checked = check_choice(option, value); !checked)
        return checked;
    }
    arguments_.given_.push_back({option.name, std::move(value)});
    return {};
  }

  Result<void> check_positionals() const {
    if (spec_.raw_arguments)
      return {};
    const auto &specs = spec_.positionals;
    const std::size_t given = arguments_.positional_.size();
    const bool unbounded = !specs.empty() && specs.back().repeatable;
    if (given > specs.size() && !unbounded)
      return std::unexpected(
          Error(ErrorKind::usage,
                fmt::format("'{}' is one argument too many for {}", arguments_.positional_[specs.size()], spec_.name),
                fmt::format("help {}", spec_.name)));
    for (std::size_t index = given; index < specs.size(); ++index) {
      if (specs[index].required)
        return std::unexpected(
            Error(ErrorKind::usage, fmt::format("{} needs {}", spec_.name, specs[index].name), synopsis(spec_)));
    }
    return {};
  }

  const CommandSpec &spec_;
  std::span<const std::string> words_;
  std::size_t at_ = 0;
  ParsedArguments arguments_;
};

} // namespace

CommandSpec as_in_session(CommandSpec spec) {
  if (std::erase_if(spec.positionals, [](const PositionalSpec &one) { return one.only_on_command_line; }) > 0 &&
      spec.positionals.empty())
    spec.completion = CompletionKind::none;
  return spec;
}

bool ParsedArguments::has(std::string_view option) const {
  return std::ranges::find(given_, option, &Given::option) != given_.end();
}

std::optional<std::string> ParsedArguments::value(std::string_view option) const {
  for (const Given &given : given_ | std::views::reverse) {
    if (given.option == option)
      return given.value;
  }
  return std::nullopt;
}

std::vector<std::string> ParsedArguments::values(std::string_view option) const {
  std::vector<std::string> all;
  for (const Given &given : given_) {
    if (given.option == option)
      all.push_back(given.value);
  }
  return all;
}

Result<ParsedArguments> parse_arguments(const CommandSpec &spec, std::span<const std::string> words) {
  return Parser(spec, words).parse();
}

Result<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char character = line[at];
    if (character == '\\' && quote != '\'' && at + 1 < line.size()) {
      word += line[++at];
      in_word = true;
    } else if (quote != '\0') {
      if (character == quote)
        quote = '\0';
      else
        word += character;
    } else if (character == '\'' || character == '"') {
      quote = character;
      in_word = true;
    } else if (std::isspace(static_cast<unsigned char>(character)) != 0) {
      if (in_word)
        words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += character;
      in_word = true;
    }
  }
  if (quote != '\0')
    return std::unexpected(Error(ErrorKind::usage, fmt::format("a quote {} is not closed", quote)));
  if (in_word)
    words.push_back(std::move(word));
  return words;
}

} // namespace inspect
