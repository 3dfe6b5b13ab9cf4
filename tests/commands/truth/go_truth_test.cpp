// Go programs made from seeds: what their variables and expressions are worth, asked of inspect, of dlv on the same
// process, and of the program itself. Where no dlv reads the programs of a toolchain, the program's own word is enough.
#include "tests/commands/truth/go_notation.h"
#include "tests/commands/truth/go_programs.h"
#include "tests/commands/truth/truth_tally.h"
#include "tests/commands/values/value_rows.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/dlv_answers.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/process_health.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/this_build.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <ranges>
#include <regex>

using namespace inspect::test;

namespace {

/// Deeper than any value of the programs.
constexpr int go_recursion = 8;
constexpr int first_go_minor = 18; // type parameters

struct GoAnswer {
  std::optional<std::string> value;
  std::string error;
};

std::string go_mark(std::size_t row) {
  return fmt::format("{}", 918'273'000 + row);
}

/// The numbers of the frames of goroutine 1 by function, of several the innermost.
std::map<std::string, std::string> own_go_frames(pid_t process) {
  std::map<std::string, std::string> frames;
  const CommandResult stack =
      run_inspect({"attach", std::to_string(process), "-e", "goroutine 1", "-e", "bt --internal"});
  for (const std::string &line : lines_of(stack.out)) {
    const std::size_t number = line.find("    #");
    const std::size_t name = line.find("main.");
    if (number == std::string::npos || name == std::string::npos)
      continue;
    // "main.(*s1).f2(self=…"
    const std::size_t receiver_end = line.compare(name + 5, 1, "(") == 0 ? line.find(')', name) : name;
    const std::size_t end = line.find_first_of("( ", receiver_end + 1);
    frames.try_emplace(line.substr(name, end - name), std::to_string(std::stoul(line.substr(number + 5))));
  }
  return frames;
}

/// In one session; the errors stand among the answers.
std::vector<GoAnswer> own_go_answers(pid_t process, const std::vector<GoQuestion> &questions) {
  const TemporaryDirectory directory;
  const auto frames = own_go_frames(process);
  std::string script = fmt::format("config max-variable-recurse {}\ngoroutine 1\n", go_recursion);
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto frame = frames.find(questions[i].place);
    if (i == 0 || questions[i].place != questions[i - 1].place)
      script += frame == frames.end() ? "" : fmt::format("frame {}\n", frame->second);
    script += fmt::format("p {}\n{}\np {}\n", go_mark(i), frame == frames.end() ? "p" : questions[i].command,
                          go_mark(questions.size()));
  }
  const std::string file = directory.write("questions", script);
  const std::string out = run_command({"/bin/sh", "-c", R"(exec "$0" attach "$1" -x "$2" 2>&1)",
                                       built_program("inspect"), std::to_string(process), file})
                              .out;
  std::vector<GoAnswer> answers;
  std::size_t at = 0;
  const std::string end_mark = "\n" + go_mark(questions.size()) + "\n";
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const std::string begin_mark = "\n" + go_mark(i) + "\n";
    const std::size_t begin = out.find(begin_mark, at);
    INFO(questions[i].command << "\n" << out.substr(at));
    REQUIRE(begin != std::string::npos);
    const std::size_t text = begin + begin_mark.size() - 1;
    const std::size_t end = out.find(end_mark, text);
    REQUIRE(end != std::string::npos);
    const std::string answer = end > text ? out.substr(text + 1, end - text - 1) : std::string();
    const bool is_error = answer.starts_with("inspect: ") || answer.starts_with('<') ||
                          answer.find("optimized out") != std::string::npos || !frames.contains(questions[i].place);
    answers.push_back(is_error ? GoAnswer{std::nullopt, answer} : GoAnswer{answer, {}});
    at = end;
  }
  return answers;
}

/// What the teller says, by place and command; "!" where the expression panics.
std::map<std::string, std::string> go_truths(const std::string &teller) {
  std::map<std::string, std::string> found;
  for (const std::string &line : lines_of(run_command({teller}).out))
    if (const std::size_t end = line.rfind("\t=") != std::string::npos ? line.find("\t=") : line.find("\t!");
        end != std::string::npos)
      found[line.substr(0, end)] = line.substr(end + 1);
  return found;
}

struct GoRow {
  TruthRow row;
  GoAnswer ours;
  std::optional<GoAnswer> dlv; ///< none: there was no dlv to ask
  std::optional<std::string> truth;
  bool panics = false;
  bool optimised = false;
  bool place_is_generic = false;
  bool hides = false;
};

bool says_truth(const std::string &answer, const GoRow &one) {
  return one.truth &&
         (same_go_numbers(as_go_tells_it(answer), as_go_tells_it(*one.truth)) || same_go_value(*one.truth, answer));
}

/// dlv does not take unsigned numbers modulo their range, so that "-uint8(n) > 1 || x" may be decided by the other
/// side.
bool turns_unsigned_negative(const std::string &question) {
  const auto has = [&](std::string_view text) { return question.find(text) != std::string::npos; };
  return (has("&&") || has("||")) && (has("-uint") || has("^uint"));
}

void judge_go_without_ours(TruthTally &tally, GoRow one) {
  const bool dlv_has = one.dlv && one.dlv->value;
  one.row.ours = one.ours.error;
  one.row.truth = dlv_has ? *one.dlv->value : one.truth.value_or("");
  if (one.truth && one.ours.error.find("the map has no key") != std::string::npos)
    tally.add(one.row, TruthVerdict::other_notation,
              "that a map does not have a key is said, as dlv does; in Go it is the zero value");
  else if (dlv_has && one.truth && !says_truth(*one.dlv->value, one))
    tally.add(one.row, TruthVerdict::peer_wrong, "dlv has a value that the program does not, inspect none");
  else if (dlv_has && one.panics)
    tally.add(one.row, TruthVerdict::peer_wrong, "the program panics at that expression, dlv does not");
  else if (dlv_has && one.optimised && one.ours.error.find("optimized out") != std::string::npos &&
           (one.row.question.starts_with("print &") || one.dlv->value->ends_with(" nil")))
    tally.add(one.row, TruthVerdict::missing,
              "dlv takes the place of one word of it for that of the whole value, and zeros there for nil");
  else if (dlv_has && one.optimised && turns_unsigned_negative(one.row.question))
    tally.add(one.row, TruthVerdict::missing,
              "dlv takes an unsigned number for negative, and so does not come to the side that is nowhere");
  else if (dlv_has)
    tally.add(one.row, TruthVerdict::missing);
  else if (one.truth && one.optimised)
    tally.add(one.row, TruthVerdict::missing, "the optimised program has it nowhere");
  else if (one.truth)
    tally.add(one.row, TruthVerdict::missing);
  else
    tally.add(one.row, TruthVerdict::equal);
}

void judge_go_alone(TruthTally &tally, GoRow one) {
  const std::string &ours = *one.ours.value;
  one.row.ours = ours;
  one.row.truth = one.truth.value_or("");
  if (says_truth(ours, one))
    tally.add(one.row, one.dlv ? TruthVerdict::only_ours : TruthVerdict::equal,
              one.dlv ? "the program says the same" : "");
  else if (one.truth)
    tally.add(one.row, TruthVerdict::wrong, one.dlv ? "dlv: " + one.dlv->error : "");
  else if (one.panics)
    tally.add(one.row, TruthVerdict::wrong, "the program panics at that expression");
  else if (one.dlv && one.dlv->error.find("(0xbeef00000000") != std::string::npos)
    tally.add(one.row, TruthVerdict::only_ours, "dlv makes an address up for a value that it has put together");
  else if (one.dlv)
    tally.add(one.row, TruthVerdict::wrong, "dlv: " + one.dlv->error);
}

std::string without_shapes(std::string text) {
  constexpr std::string_view shape = "go.shape.";
  for (std::size_t at = 0; (at = text.find(shape, at)) != std::string::npos;)
    text.erase(at, shape.size());
  return text;
}

void judge_go(TruthTally &tally, GoRow one) {
  if (!one.ours.value)
    return judge_go_without_ours(tally, std::move(one));
  if (!one.dlv || !one.dlv->value)
    return judge_go_alone(tally, std::move(one));
  const std::string &ours = *one.ours.value;
  const std::string &theirs = *one.dlv->value;
  one.row.ours = ours;
  one.row.truth = theirs;
  if (one.row.question.starts_with("print %s ") && theirs.find('\t') != std::string::npos &&
      ours == std::regex_replace(theirs, std::regex("\t"), "\\t"))
    return tally.add(one.row, TruthVerdict::other_notation, "inspect writes no control characters to a terminal");
  const auto rules = same_go_value(ours, theirs);
  if (one.optimised && one.place_is_generic && theirs.find("go.shape.") != std::string::npos &&
      same_go_value(ours, without_shapes(theirs)))
    tally.add(one.row, TruthVerdict::other_notation,
              "which types the call has is nowhere in the optimised program: those that share its code are shown");
  else if (one.truth && one.optimised && one.hides && rules && !says_truth(ours, one))
    tally.add(one.row, TruthVerdict::missing,
              "the optimised program has lost the variable, and dlv, too, takes the one that it hides");
  else if (one.truth && !says_truth(ours, one))
    tally.add(one.row, TruthVerdict::wrong, "the program says " + *one.truth);
  else if (rules)
    tally.add(one.row, rules->empty() ? TruthVerdict::equal : TruthVerdict::other_notation, *rules);
  else if (one.truth)
    tally.add(one.row, TruthVerdict::peer_wrong, "inspect says what the program says");
  else
    tally.add(one.row, TruthVerdict::wrong);
}

/// What dlv says that is no value.
bool is_no_value(const std::string &text) {
  return text.empty() || text.find("(unreadable ") != std::string::npos ||
         text.find("(0xbeef00000000") != std::string::npos; // the address that it makes up for values in pieces
}

void ask_go_program(TruthTally &tally, const GoToolchain &go, std::uint64_t seed, GoVariant variant, bool with_dlv) {
  const GoTruthProgram made = go_truth_program(seed);
  auto told = go_truths(build_go_text(go, "truth_teller", made.teller, GoVariant::unoptimised));
  REQUIRE_FALSE(told.empty());
  ChildProcess process({build_go_text(go, "truth", made.source, variant)});
  process.wait_for_line("ready");
  REQUIRE(wait_until([&] { return status_field(process.pid(), "State").starts_with("S"); }));
  const std::vector<GoAnswer> own = own_go_answers(process.pid(), made.questions);
  std::vector<DlvAnswer> of_dlv;
  if (with_dlv) {
    std::vector<DlvQuestion> questions;
    for (const GoQuestion &one : made.questions)
      questions.push_back({one.place, one.command});
    DlvAnswers answers = dlv_answers(process.pid(), questions, go_recursion);
    INFO(answers.refusal);
    REQUIRE(answers.answers.size() == questions.size());
    of_dlv = std::move(answers.answers);
  }
  for (std::size_t i = 0; i < own.size(); ++i) {
    const GoQuestion &question = made.questions[i];
    GoRow one{.row = {.program = fmt::format("{}{}{}", go.version, variant == GoVariant::unoptimised ? " -N -l" : "",
                                             with_dlv ? "" : ", without dlv"),
                      .question = question.command,
                      .place = fmt::format("seed {}, {}", seed, question.place),
                      .ours = {},
                      .truth = {}},
              .ours = own[i],
              .dlv = {},
              .truth = {},
              .optimised = variant != GoVariant::unoptimised,
              .place_is_generic = question.place.ends_with("[...]"),
              .hides = question.hides};
    if (with_dlv)
      one.dlv = is_no_value(of_dlv[i].text) || of_dlv[i].is_error ? GoAnswer{std::nullopt, of_dlv[i].text}
                                                                  : GoAnswer{of_dlv[i].text, {}};
    if (const auto truth = told.find(question.place + "\t" + question.command); truth != told.end()) {
      one.panics = truth->second == "!";
      if (!one.panics)
        one.truth = truth->second.substr(1);
    }
    judge_go(tally, std::move(one));
  }
}

bool dlv_reads(const GoToolchain &go) {
  ChildProcess process({build_go_text(go, "truth", go_truth_program(truth_seed()).source)});
  process.wait_for_line("ready");
  const DlvAnswers answers = dlv_answers(process.pid(), {{"main.rest", "print from"}}, go_recursion);
  return answers.refusal.empty();
}

} // namespace

TEST_CASE("truth: Go") {
  TruthTally tally("Go");
  std::size_t asked = 0;
  for (const GoToolchain &go : go_toolchains() | std::views::reverse) {
    if (go.minor < first_go_minor || (asked > 0 && !full_matrix()))
      continue;
    ++asked;
    const bool with_dlv = !dlv_program().empty() && dlv_reads(go);
    if (!with_dlv)
      std::printf("SKIPPED for %s: no dlv that reads its programs; the programs' own word is compared\n",
                  go.version.c_str());
    for (std::uint64_t seed = truth_seed(); seed < truth_seed() + truth_programs(1); ++seed)
      for (const GoVariant variant : {GoVariant::unoptimised, GoVariant::plain})
        ask_go_program(tally, go, seed, variant, with_dlv);
  }
  if (asked == 0)
    SKIP_TEST("there is no Go of 1.18 or later");
  tally.finish();
}
