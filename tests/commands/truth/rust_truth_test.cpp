// Programs of Rust that say what their values are, and what inspect says of them.
#include "tests/commands/truth/rust_programs.h"
#include "tests/commands/truth/truth_tally.h"
#include "tests/commands/values/value_rows.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/gdb_answers.h"
#include "tests/support/process_health.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <regex>
#include <sstream>

using namespace inspect::test;

namespace {

/// A line of the program: "function<TAB>question<TAB>variables<TAB>text".
struct Said {
  std::string function;
  std::string question;
  std::vector<std::string> variables;
  std::string text;
};

Said said_of(const std::string &line) {
  std::array<std::string, 4> cells;
  std::istringstream stream(line);
  for (std::string &cell : cells)
    std::getline(stream, cell, '\t');
  Said said{.function = cells[0], .question = cells[1], .variables = {}, .text = cells[3]};
  std::istringstream names(cells[2]);
  for (std::string name; std::getline(names, name, ',');)
    said.variables.push_back(name);
  return said;
}

std::vector<Said> wait_until_all_is_said(ChildProcess &program) {
  std::vector<Said> said;
  for (std::string line = program.read_line(); line != "ready"; line = program.read_line())
    said.push_back(said_of(line));
  REQUIRE(wait_until([&] { return status_field(program.pid(), "State").starts_with("S"); }));
  return said;
}

/// What an address leads to is shown behind it, and with smart pointers how many there are.
std::string without_additions(const std::string &text) {
  static const std::regex counts(R"((Arc|Rc)\(strong=[0-9]+, weak=[0-9]+\) )");
  static const std::regex symbol(R"(^(0x[0-9a-f]+) .*$)");
  return std::regex_replace(std::regex_replace(text, counts, ""), symbol, "$1");
}

/// Where the text or the character that begins here ends.
std::size_t end_of_literal(std::string_view text, std::size_t begin) {
  for (std::size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == text[begin])
      return i;
  }
  return text.size() - 1;
}

/// What is in braces, in an order of its own: hash tables have none.
std::string in_order(std::string_view text, std::size_t &at) {
  std::vector<std::string> parts(1);
  for (; at < text.size(); ++at) {
    const char one = text[at];
    if (one == '"' || one == '\'') {
      const std::size_t end = end_of_literal(text, at);
      parts.back() += text.substr(at, end - at + 1);
      at = end;
    } else if (one == '{' || one == '(' || one == '[') {
      parts.back() += one;
      ++at;
      parts.back() += in_order(text, at);
    } else if (one == '}' || one == ')' || one == ']') {
      if (one == '}')
        std::ranges::sort(parts);
      std::string joined;
      for (const std::string &part : parts)
        joined += (joined.empty() ? "" : ",") + part;
      return joined + one;
    } else if (one == ',') {
      parts.emplace_back();
      at += at + 1 < text.size() && text[at + 1] == ' ' ? 1U : 0U;
    } else if (one != ' ') {
      parts.back() += one;
    }
  }
  std::string joined;
  for (const std::string &part : parts)
    joined += (joined.empty() ? "" : ",") + part;
  return joined;
}

std::string in_order(const std::string &text) {
  std::size_t at = 0;
  return in_order(text, at);
}

/// Whether the truth is ours but for the places where ours says that there is more.
bool is_shortened(const std::string &ours, const std::string &truth) {
  static const std::regex more(R"(\.\.\.|\(\.\.\)| \{ \.\. \})");
  std::size_t at = 0;
  bool is_first = true;
  for (std::sregex_token_iterator piece(ours.begin(), ours.end(), more, -1), end; piece != end; ++piece) {
    const std::string text = piece->str();
    const std::size_t found = truth.find(text, at);
    if (found == std::string::npos || (is_first && found != 0))
      return false;
    at = found + text.size();
    is_first = false;
  }
  return std::regex_search(ours, more);
}

/// Debug information writes those arguments out that are there by default; type_name, of what is PhantomData, does not.
std::string without_default_arguments(const std::string &text) {
  static const std::regex unit(R"(, \(\)>)");
  return std::regex_replace(text, unit, ">");
}

/// "PhantomData" of "PhantomData<&str>": libraries of before Rust 1.70 print no more.
std::string without_phantom_arguments(std::string text) {
  const std::string name = "PhantomData<";
  for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += name.size() - 1) {
    std::size_t end = at + name.size();
    for (int depth = 1; depth > 0 && end < text.size(); ++end)
      depth += text[end] == '<' ? 1 : text[end] == '>' && text[end - 1] != '-' ? -1 : 0;
    text.erase(at + name.size() - 1, end - at - name.size() + 1);
  }
  return text;
}

struct RustJudgement {
  TruthVerdict verdict = TruthVerdict::wrong;
  std::string reason = {};
};

/// Nothing where the answer is not there in full.
std::optional<RustJudgement> judged(const std::string &ours, const std::string &truth) {
  if (ours == truth)
    return RustJudgement{TruthVerdict::equal};
  if (ours.empty() || ours.starts_with('<') || ours.find("<optimized out>") != std::string::npos ||
      ours.find("<not known>") != std::string::npos)
    return std::nullopt;
  const std::string plain = without_additions(ours);
  if (plain == truth)
    return RustJudgement{TruthVerdict::other_notation,
                         "counts of smart pointers, and names behind addresses, are added"};
  if (in_order(plain) == in_order(truth))
    return RustJudgement{TruthVerdict::other_notation, "a hash table has its elements in the order of its buckets"};
  if (is_shortened(plain, truth))
    return RustJudgement{TruthVerdict::other_notation, "what is deeper or longer than is asked for is cut"};
  if (plain.find("PhantomData<") != std::string::npos &&
      in_order(without_default_arguments(plain)) == in_order(without_default_arguments(truth)))
    return RustJudgement{TruthVerdict::other_notation, "arguments that a type has by default are written out"};
  if (truth.find("PhantomData") != std::string::npos && truth.find("PhantomData<") == std::string::npos &&
      in_order(without_phantom_arguments(plain)) == in_order(truth))
    return RustJudgement{TruthVerdict::other_notation, "what PhantomData stands for is written out"};
  return RustJudgement{TruthVerdict::wrong};
}

/// Which variables gdb has no value of, or only pieces of, by "function name".
class WithoutValue {
public:
  WithoutValue(pid_t process, const std::vector<Said> &said, const std::vector<std::string> &answers) {
    std::vector<GdbQuestion> questions;
    for (std::size_t i = 0; i < said.size(); ++i)
      if (!judged(answers[i], said[i].text))
        for (const std::string &variable : said[i].variables)
          if (known_.emplace(key(said[i].function, variable), Known()).second)
            for (const std::string command : {"p ", "info address "})
              questions.push_back({said[i].function, command + variable});
    if (questions.empty() || !has_gdb())
      return;
    std::vector<GdbQuestion> asked = questions;
    for (GdbQuestion &question : asked)
      question.function = std::regex_replace(question.function, std::regex(R"(\{\{closure\}\})"), "{closure#0}");
    const std::vector<std::string> said_by_gdb = gdb_answers(process, asked);
    for (std::size_t i = 0; i < questions.size(); i += 2) {
      Known &known = known_[key(questions[i].function, questions[i].command.substr(2))];
      known.value = said_by_gdb[i];
      known.is_in_pieces = said_by_gdb[i + 1].find("-byte piece]") != std::string::npos;
    }
  }

  /// Why there is no answer; empty where gdb has one.
  std::string reason(const Said &said) const {
    for (const std::string &variable : said.variables) {
      const Known &known = known_.at(key(said.function, variable));
      if (known.value == "ERROR" || known.value.find("optimized out>") != std::string::npos)
        return "the debug information has no place for it there; gdb has none either";
      if (known.is_in_pieces)
        return "the debug information has places for some pieces of it only";
    }
    return {};
  }

private:
  struct Known {
    std::string value;
    bool is_in_pieces = false;
  };
  static std::string key(const std::string &function, const std::string &variable) { return function + " " + variable; }

  std::map<std::string, Known> known_;
};

struct Build {
  std::string name;
  std::vector<std::string> flags;
  bool is_optimised = false;
};

void add_rows(TruthTally &tally, const Build &build, std::uint64_t seed) {
  const TemporaryDirectory folder;
  const std::string source = folder.write("truth_rust.rs", rust_program(seed));
  const std::string executable = folder / "truth_rust";
  std::vector<std::string> words = {"rustc", "--edition", "2021",    "-g", "-C", "overflow-checks=off",
                                    source,  "-o",        executable};
  words.insert(words.end(), build.flags.begin(), build.flags.end());
  const CommandResult compiled = run_command(words);
  INFO("seed " << seed << "\n" << compiled.err);
  REQUIRE(compiled.status == 0);
  ChildProcess program({executable});
  const std::vector<Said> said = wait_until_all_is_said(program);
  std::vector<ValueRow> rows;
  rows.reserve(said.size());
  for (const Said &one : said)
    rows.push_back({one.function, "p " + one.question, {}});
  std::string errors;
  const std::vector<std::string> answers = evaluate_rows(program.pid(), rows, errors);
  const WithoutValue without_value(program.pid(), said, answers);
  for (std::size_t i = 0; i < said.size(); ++i) {
    const std::optional<RustJudgement> known = judged(answers[i], said[i].text);
    RustJudgement judgement = known.value_or(RustJudgement{TruthVerdict::missing});
    if (!known && build.is_optimised)
      judgement.reason = without_value.reason(said[i]);
    tally.add({.program = build.name,
               .question = rows[i].command,
               .place = fmt::format("seed {}, {}", seed, said[i].function),
               .ours = answers[i],
               .truth = said[i].text},
              judgement.verdict, judgement.reason);
  }
  INFO(errors);
  CHECK(what_is_wrong_with(program.pid()).empty());
}

} // namespace

TEST_CASE("truth: Rust") {
  if (!have_program("rustc"))
    SKIP_TEST("there is no rustc");
  std::vector<Build> builds = {{"rustc -g", {}, false}};
  if (has_gdb()) // who says of what optimised programs do not keep that it is so
    builds.push_back({"rustc -g -O", {"-O"}, true});
  TruthTally tally("Rust");
  for (std::size_t i = 0; i < truth_programs(1); ++i)
    for (const Build &build : builds)
      add_rows(tally, build, truth_seed() + i);
  CHECK(tally.rows() > truth_programs(1) * 250 * builds.size());
  tally.finish();
}
