// Every variable of every frame of the goroutines in fixtures/golang/goroutine_zoo, an optimised program: what dlv
// shows has to be shown.
#include "tests/commands/truth/go_notation.h"
#include "tests/commands/truth/truth_tally.h"
#include "tests/commands/values/value_rows.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/dlv_answers.h"
#include "tests/support/go_toolchain.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"
#include "tests/support/stacks_json.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/this_build.h"

#include <fmt/format.h>
#include <map>
#include <ranges>
#include <regex>

using namespace inspect::test;

namespace {

using NamedTexts = std::map<std::string, std::string>;

struct ZooFrame {
  std::uint64_t goroutine = 0;
  std::string number;
  std::string function;
  NamedTexts variables; ///< dlv's
};

std::vector<ZooFrame> zoo_frames_of_dlv(pid_t process, const std::vector<std::uint64_t> &goroutines) {
  std::string script;
  for (const std::uint64_t one : goroutines)
    script += fmt::format("print {}\ngoroutine {} stack 100 -full\n", 918'273'000 + one, one);
  static const std::regex goroutine("918273([0-9]{3})");
  static const std::regex frame(" *([0-9]+)  0x[0-9a-f]+ in (.*)");
  static const std::regex variable(" +([^ ().]+) = (.*)"); // no temporaries of the compiler: .autotmp_22
  std::vector<ZooFrame> frames;
  std::uint64_t current = 0;
  std::smatch found;
  for (const std::string &line : lines_of(dlv_output(process, script))) {
    if (std::regex_match(line, found, goroutine))
      current = std::stoull(found[1]);
    else if (std::regex_match(line, found, frame))
      frames.push_back({current, found[1], found[2], {}});
    else if (!frames.empty() && std::regex_match(line, found, variable))
      frames.back().variables.try_emplace(found[1], found[2]);
  }
  return frames;
}

/// Runs commands of a session and gives the lines that stand between each pair of marks, by the number of the pair.
std::vector<std::vector<std::string>> marked_lines(pid_t process, const std::vector<std::string> &commands) {
  constexpr std::string_view end_mark = "918272999";
  const TemporaryDirectory directory;
  std::string script;
  for (std::size_t i = 0; i < commands.size(); ++i)
    script += fmt::format("p {}\n{}p {}\n", 918'273'000 + i, commands[i], end_mark);
  const CommandResult result =
      run_command({built_program("inspect"), "attach", std::to_string(process), "-x", directory.write("all", script)});
  std::vector<std::vector<std::string>> all(commands.size());
  static const std::regex begin("918(27[3-9][0-9]{3})");
  std::smatch found;
  std::vector<std::string> *current = nullptr;
  for (const std::string &line : lines_of(result.out)) {
    if (line == end_mark)
      current = nullptr;
    else if (std::regex_match(line, found, begin))
      current = &all.at(std::stoul(found[1]) - 273'000);
    else if (current != nullptr)
      current->push_back(line);
  }
  return all;
}

std::string without_types_of_call(std::string function) {
  if (const std::size_t types = function.find('['); types != std::string::npos)
    function.replace(types, function.rfind(']') + 1 - types, "[...]");
  return function;
}

/// The numbers that inspect gives the frames: dlv leaves out some of the runtime's.
void number_frames(pid_t process, std::vector<ZooFrame> &frames) {
  std::vector<std::uint64_t> goroutines;
  std::vector<std::string> commands;
  for (const ZooFrame &frame : frames)
    if (goroutines.empty() || goroutines.back() != frame.goroutine) {
      goroutines.push_back(frame.goroutine);
      commands.push_back(fmt::format("goroutine {}\nbt --internal\n", frame.goroutine));
    }
  const auto stacks = marked_lines(process, commands);
  static const std::regex line_of_frame(" +#([0-9]+) +0x[0-9a-f]+ (.*)");
  std::size_t which = 0, next = 0;
  std::smatch found;
  const ZooFrame *before = nullptr;
  for (ZooFrame &frame : frames) {
    if (frame.goroutine != goroutines[which]) {
      ++which;
      next = 0;
    }
    frame.number.clear();
    const std::string function = without_types_of_call(frame.function);
    for (std::size_t at = next; at < stacks[which].size(); ++at)
      if (std::regex_match(stacks[which][at], found, line_of_frame) &&
          (found[2].str().starts_with(function + "(") || found[2].str().starts_with(function + " "))) {
        frame.number = found[1];
        next = at + 1;
        break;
      }
    // Of a recursion bt shows one frame.
    if (frame.number.empty() && before != nullptr && before->function == frame.function && !before->number.empty() &&
        before->goroutine == frame.goroutine)
      frame.number = std::to_string(std::stoul(before->number) + 1);
    before = &frame;
  }
}

/// What args and locals show of each frame.
std::vector<NamedTexts> zoo_variables(pid_t process, const std::vector<ZooFrame> &frames) {
  std::vector<std::string> commands;
  for (const ZooFrame &frame : frames)
    commands.push_back(frame.number.empty()
                           ? std::string()
                           : fmt::format("goroutine {}\nframe {}\nargs\nlocals\n", frame.goroutine, frame.number));
  static const std::regex variable("([^ ]+) = (.*)");
  std::smatch found;
  std::vector<NamedTexts> all;
  for (const std::vector<std::string> &lines : marked_lines(process, commands)) {
    NamedTexts &variables = all.emplace_back();
    for (const std::string &line : lines)
      if (std::regex_match(line, found, variable))
        variables.insert_or_assign(found[1], std::regex_replace(found[2].str(), std::regex(" \\(result\\)$"), ""));
  }
  return all;
}

bool is_without_a_value(const std::string &text) {
  return text.empty() || (text.starts_with('<') && !text.starts_with("<-chan "));
}

/// Why a value of dlv is none, where inspect has none, or not all of it; empty: it may be one.
std::string why_no_value(const std::string &ours, const std::string &of_dlv) {
  static const std::regex zero("0|false|.* nil");
  static const std::regex list(".* len: ([0-9]+), cap: ([0-9]+), .*");
  std::smatch found;
  if (ours.starts_with("(unreadable no channel at "))
    return "dlv takes memory that was given back for a channel";
  if (ours == "<optimized out>" && std::regex_match(of_dlv, zero))
    return "dlv counts registers that nobody has kept as zero";
  if (ours == "<optimized out>" && std::regex_match(of_dlv, found, list) &&
      std::stoull(found[1]) > std::stoull(found[2]))
    return "dlv takes the place of one word of a slice for that of the slice, which is longer than its capacity then";
  if (ours.find(": not initialised?") != std::string::npos && of_dlv.ends_with(" nil"))
    return "what it pointed to was given back; dlv takes a part that debug information describes twice for nil";
  if (ours.find(" len: ..., cap: ..., at 0x") != std::string::npos && of_dlv.ends_with(" len: 0, cap: 0, []"))
    return "of the slice only the address is still known; dlv takes zeros behind it for its length";
  return {};
}

void judge_zoo_variable(TruthTally &tally, TruthRow row, bool is_wrapper) {
  if (row.truth.find("(unreadable ") != std::string::npos) {
    if (is_without_a_value(row.ours)) // else beyond what dlv knows; the program does not tell
      tally.add(std::move(row), TruthVerdict::equal);
    return;
  }
  static const std::regex shortened("\\.\\.\\.|\\(0x|0x[0-9a-f]+");
  static const std::regex shape("go\\.shape\\.(\\w+?)(_[0-9]+)?(?=\\W)"); // with their numbers to Go 1.20
  const auto rules = same_go_value(row.ours, row.truth);
  const std::string reason = why_no_value(row.ours, row.truth);
  if (!reason.empty())
    tally.add(std::move(row), TruthVerdict::peer_wrong, reason);
  else if (row.ours.find("what it is in this call is not known") != std::string::npos)
    tally.add(
        std::move(row), TruthVerdict::missing,
        "which types the call has is nowhere in the optimised program; dlv shows one of those that share its code");
  else if (is_without_a_value(row.ours))
    tally.add(std::move(row), TruthVerdict::missing,
              is_wrapper ? "a method of pointers that the compiler has made: Go's tracebacks have no frame of it" : "");
  else if (rules)
    tally.add(std::move(row), rules->empty() ? TruthVerdict::equal : TruthVerdict::other_notation, *rules);
  else if (same_go_value(row.ours, std::regex_replace(row.truth, shape, "$1")))
    tally.add(std::move(row), TruthVerdict::other_notation, "dlv writes types of generic code with go.shape");
  else if (std::regex_search(row.truth, shortened))
    tally.add(std::move(row), TruthVerdict::other_notation, "dlv's lists of variables do not go as deep");
  else
    tally.add(std::move(row), TruthVerdict::wrong);
}

} // namespace

TEST_CASE("truth: variables of Go's goroutines") {
  if (dlv_program().empty())
    SKIP_TEST("dlv is not installed");
  TruthTally tally("Goroutines");
  for (const GoToolchain &go : go_toolchains() | std::views::reverse) {
    if (tally.rows() > 0 && !full_matrix())
      break;
    const TemporaryDirectory directory;
    ChildProcess zoo({build_go(go, "goroutine_zoo"), directory.path() + "/dump"});
    zoo.wait_for_line("ready");
    zoo.write("dump\n"); // by then, what printed "ready" rests as well
    zoo.wait_for_line("dumped");
    std::vector<std::uint64_t> goroutines;
    const auto dump = stacks_json(zoo.pid());
    for (const nlohmann::json &one : dump["goroutines"])
      goroutines.push_back(one["id"].get<std::uint64_t>());
    std::vector<ZooFrame> frames = zoo_frames_of_dlv(zoo.pid(), goroutines);
    if (frames.empty()) {
      std::printf("SKIPPED for %s: dlv does not read its programs\n", go.version.c_str());
      continue;
    }
    number_frames(zoo.pid(), frames);
    const std::vector<NamedTexts> ours = zoo_variables(zoo.pid(), frames);
    for (std::size_t i = 0; i < frames.size(); ++i)
      for (const auto &[name, text] : frames[i].variables) {
        const auto own = ours[i].find(name);
        judge_zoo_variable(tally,
                           {.program = go.version,
                            .question = name,
                            .place = fmt::format("goroutine {}, frame {} {}", frames[i].goroutine, frames[i].number,
                                                 frames[i].function),
                            .ours = own == ours[i].end() ? std::string() : own->second,
                            .truth = text},
                           frames[i].number.empty() && frames[i].function.find(".(*") != std::string::npos);
      }
  }
  if (tally.rows() == 0)
    SKIP_TEST("there is no Go whose programs dlv reads");
  tally.finish();
}
