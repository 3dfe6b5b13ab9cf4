// Generated C and C++ programs, compiled in several ways: what inspect and gdb answer in their frames, on one process.
// Where the two differ about a number, the program says what it is.
#include "tests/commands/truth/native_notation.h"
#include "tests/commands/truth/native_programs.h"
#include "tests/commands/truth/truth_tally.h"
#include "tests/commands/values/value_rows.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/gdb_answers.h"
#include "tests/support/process_health.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <fmt/format.h>
#include <map>
#include <regex>
#include <set>

using namespace inspect::test;

namespace {

struct Compiler {
  std::string program;
  std::vector<std::string> flags;
  std::string name;         ///< its line in the table
  bool has_printers = true; ///< whether gdb knows the standard library
};

/// One program's answers to all of its questions.
struct Answers {
  std::vector<std::string> ours;
  std::vector<std::string> gdb;
};

void compile(const Compiler &compiler, const std::string &source, const std::string &binary, bool telling) {
  std::vector<std::string> words{compiler.program, "-g", "-w", "-o", binary, source};
  words.insert(words.end(), compiler.flags.begin(), compiler.flags.end());
  if (telling)
    words.emplace_back("-DTELL");
  const CommandResult compiled = run_command(words);
  INFO(compiled.err);
  REQUIRE(compiled.status == 0);
}

Answers ask(const NativeProgram &program, const std::string &binary) {
  ChildProcess process({binary});
  process.wait_for_line("ready");
  REQUIRE(wait_until([&] { return status_field(process.pid(), "State").starts_with("S"); }));
  std::vector<ValueRow> rows;
  std::vector<GdbQuestion> questions;
  for (const NativeQuestion &question : program.questions) {
    rows.push_back({question.function, question.command, {}});
    questions.push_back({question.function, question.command});
  }
  std::string errors;
  Answers answers;
  answers.ours = evaluate_rows(process.pid(), rows, errors);
  answers.gdb = gdb_answers(process.pid(), questions);
  return answers;
}

/// By question, what the program says of it.
std::map<std::size_t, std::string> told_numbers(const Compiler &compiler, const std::string &source,
                                                const std::string &binary) {
  compile(compiler, source, binary, true);
  ChildProcess process({binary});
  std::map<std::size_t, std::string> told;
  for (std::string line = process.read_line(); line != "ready"; line = process.read_line())
    if (const std::size_t blank = line.find(' ', 5); line.starts_with("told ") && blank != std::string::npos)
      told[std::stoul(line.substr(5))] = line.substr(blank + 1);
  return told;
}

bool is_absent(const std::string &answer) {
  static const std::regex reason("<[a-z][^<>()]* [^<>()]*>"); // "<optimized out>", and no symbol
  return answer.empty() || answer == "ERROR" || std::regex_match(answer, reason);
}

/// gdb shows what the innermost frame left in a register that calls do not keep.
bool is_not_recoverable(const std::string &answer) {
  return answer.contains("is not recoverable in this frame");
}

/// The number that an answer begins with: of "97 'a'" 97, of "true" 1.
std::string number_in(const std::string &answer) {
  if (answer == "true" || answer == "false")
    return answer == "true" ? "1" : "0";
  return answer.substr(0, answer.find(' '));
}

/// gdb 13 leaves out what stands in front of bytes that it takes for the begin of a character of several bytes.
bool lost_before_incomplete_sequence(const std::string &ours, const std::string &gdb) {
  static const std::regex special(R"([.^$|()\[\]{}*+?\\])");
  static const std::regex sequence(R"(("(?:[^"\\]|\\.)*", )?<incomplete sequence ((?:\\[0-7]{3})+)>)");
  if (!gdb.contains("<incomplete sequence "))
    return false;
  std::string pattern;
  auto at = gdb.cbegin();
  for (std::sregex_iterator found(gdb.begin(), gdb.end(), sequence), end; found != end; ++found) {
    pattern += std::regex_replace(std::string(at, gdb.cbegin() + found->position()), special, R"(\$&)");
    pattern += R"("(?:[^"\\]|\\.)*)" + std::regex_replace((*found)[2].str(), special, R"(\$&)") + "\"(?:\\.\\.\\.)?";
    at = gdb.cbegin() + found->position() + found->length();
  }
  pattern += std::regex_replace(std::string(at, gdb.cend()), special, R"(\$&)");
  return std::regex_match(ours, std::regex(pattern));
}

class Judge {
public:
  Judge(TruthTally &tally, const NativeProgram &program, std::map<std::size_t, std::string> told, Answers reference)
      : tally_(tally), program_(program), told_(std::move(told)), reference_(std::move(reference)) {}

  void judge(const Compiler &compiler, std::uint64_t seed, const Answers &answers) {
    lost_.clear();
    for (std::size_t i = 0; i < program_.questions.size(); ++i) {
      const NativeQuestion &question = program_.questions[i];
      if (question.command.starts_with("p ") && is_not_recoverable(answers.ours[i]))
        lost_.insert(question.function + " " + question.command.substr(2));
      judge(i, compiler.has_printers,
            {compiler.name, question.command, fmt::format("seed {}, {}", seed, question.function), answers.ours[i],
             answers.gdb[i] == "ERROR" ? "" : answers.gdb[i]});
    }
  }

private:
  void judge(std::size_t number, bool has_printers, TruthRow row) {
    const std::string told = told_.contains(number) ? told_.at(number) : "";
    const std::string ours = row.ours;
    const std::string gdb = row.truth;
    const auto add = [&](TruthVerdict verdict, std::string reason = {}) {
      tally_.add(std::move(row), verdict, std::move(reason));
    };
    if (ours == gdb || (is_absent(ours) && is_absent(gdb)))
      return add(TruthVerdict::equal);
    if (!is_absent(gdb) && (is_not_recoverable(ours) || (is_absent(ours) && asks_for_lost(number))))
      return add(TruthVerdict::peer_wrong,
                 "gdb shows what the innermost frame left in a register that calls do not keep");
    if (is_absent(ours))
      return add(TruthVerdict::missing);
    if (const auto same = same_meaning(ours, gdb))
      return add(TruthVerdict::other_notation, same->rules);
    if (is_absent(gdb))
      return judge_alone(number, std::move(row), told, "gdb has no value");
    if (gdb.contains("Python Exception") || gdb.starts_with("warning: "))
      return judge_alone(number, std::move(row), told, "gdb's printers fail on clang's names");
    if (!has_printers && reference_.gdb[number] != gdb)
      return judge_alone(number, std::move(row), told, "gdb has no printers for libc++");
    if (!told.empty() && number_in(ours) == told && number_in(gdb) != told)
      return add(TruthVerdict::peer_wrong, "the program itself says what we say");
    if (reference_.ours[number] == ours && reference_.gdb[number] == ours && !ours.contains("0x"))
      return add(TruthVerdict::peer_wrong, "gdb itself says what we say of GCC's unoptimised program");
    if (lost_before_incomplete_sequence(ours, gdb))
      return add(TruthVerdict::peer_wrong, "gdb leaves out the characters in front of an incomplete sequence");
    add(TruthVerdict::wrong, told.empty() ? "" : "the program says " + told);
  }

  /// gdb does not know: the program does, or gdb in the build without optimisation, where all have the same values.
  void judge_alone(std::size_t number, TruthRow row, const std::string &told, const std::string &why) {
    const std::string &in_reference = reference_.gdb[number];
    const bool as_told = !told.empty() && number_in(row.ours) == told;
    const bool as_there = row.ours == in_reference || same_meaning(row.ours, in_reference).has_value();
    const std::string length = row.ours.contains(" of length ")
                                   ? std::regex_replace(row.ours, std::regex(".* of length ([0-9]+).*"), "$1")
                                   : "";
    if (as_told || as_there)
      tally_.add(std::move(row), TruthVerdict::only_ours,
                 why + (as_told ? "; the program says the same" : "; it says the same of GCC's unoptimised program"));
    else if (row.ours.contains("<optimized out>") && row.truth.contains("<optimized out>"))
      tally_.add(std::move(row), TruthVerdict::missing, "parts of the object are optimized away: " + why);
    else if (!length.empty() && row.truth.contains("__size_ = " + length))
      tally_.add(std::move(row), TruthVerdict::only_ours, why + "; its length is that of the members which gdb shows");
    else if (in_reference == "ERROR")
      tally_.add(std::move(row), TruthVerdict::only_ours,
                 "gdb does not take the expression; there is no other witness");
    else if (row.ours.contains("0x"))
      tally_.add(std::move(row), TruthVerdict::only_ours, why + "; an address, for which there is no other witness");
    else
      tally_.add(std::move(row), TruthVerdict::wrong, why + "; in GCC's unoptimised program it says " + in_reference);
  }

  /// Whether a variable is named whose value is not recoverable in the frame.
  bool asks_for_lost(std::size_t number) const {
    const NativeQuestion &question = program_.questions[number];
    for (const std::string &lost : lost_) {
      const std::string name = lost.substr(lost.find(' ') + 1);
      if (lost.starts_with(question.function + " ") &&
          std::regex_search(question.command, std::regex("\\b" + name + "\\b")))
        return true;
    }
    return false;
  }

  TruthTally &tally_;
  const NativeProgram &program_;
  std::map<std::size_t, std::string> told_;
  Answers reference_;
  std::set<std::string> lost_; ///< "level0 v0_1"
};

/// The first compiler's program is the one that others are compared with where gdb does not know.
void compare(TruthTally &tally, NativeLanguage language, const std::vector<Compiler> &compilers, std::uint64_t seed) {
  INFO("seed " << seed);
  const NativeProgram program = native_program(language, seed);
  const TemporaryDirectory directory;
  const std::string source = directory.write(language == NativeLanguage::c ? "truth.c" : "truth.cpp", program.source);
  const std::string binary = directory / "truth";
  auto told = told_numbers(compilers.front(), source, binary);
  std::optional<Judge> judge;
  for (const Compiler &compiler : compilers) {
    INFO(compiler.name);
    if (!have_program(compiler.program))
      continue;
    compile(compiler, source, binary, false);
    const Answers answers = ask(program, binary);
    if (!judge)
      judge.emplace(tally, program, std::move(told), answers);
    judge->judge(compiler, seed, answers);
  }
}

} // namespace

TEST_CASE("truth: C and C++") {
  if (!has_gdb())
    SKIP_TEST("gdb is not installed");
  TruthTally tally("C and C++");
  const std::vector<Compiler> c{{"gcc", {"-O0"}, "C, gcc -O0"},
                                {"gcc", {"-O2"}, "C, gcc -O2"},
                                {"clang", {"-O0"}, "C, clang -O0"},
                                {"clang", {"-O2"}, "C, clang -O2"}};
  const std::vector<Compiler> cpp{{"g++", {"-std=c++17", "-O0"}, "C++, gcc -O0"},
                                  {"g++", {"-std=c++17", "-O2"}, "C++, gcc -O2"},
                                  {"clang++", {"-std=c++17", "-O0"}, "C++, clang -O0"},
                                  {"clang++", {"-std=c++17", "-O2"}, "C++, clang -O2"},
                                  {"clang++", {"-std=c++17", "-O0", "-stdlib=libc++"}, "C++, libc++ -O0", false},
                                  {"clang++", {"-std=c++17", "-O2", "-stdlib=libc++"}, "C++, libc++ -O2", false}};
  for (std::uint64_t seed = truth_seed(); seed < truth_seed() + truth_programs(1); ++seed) {
    compare(tally, NativeLanguage::c, c, seed);
    compare(tally, NativeLanguage::cpp, cpp, seed);
  }
  tally.finish();
}
