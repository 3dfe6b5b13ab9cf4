#include "tests/commands/truth/snapshot_comparison.h"

#include "tests/commands/truth/inspect_full_backtrace.h"
#include "tests/commands/truth/third_reader.h"
#include "tests/support/gdb_stacks.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <regex>
#include <set>

namespace inspect::test {
namespace {

struct Judgement {
  TruthVerdict verdict = TruthVerdict::equal;
  std::string reason;
};

constexpr std::string_view guessed =
    "gdb guesses: its value follows from a register that an inner function was free to "
    "overwrite, and is another one when that register is changed in the innermost frame";

/// "<optimized out>", "<error reading variable …>" and ours; "<main>" behind an address does not begin a value.
bool is_without_value(const std::string &text) {
  return text.empty() || text.starts_with("<");
}

/// Without what the compiler adds to the names of functions that it has split or specialised.
std::string without_suffix(const std::string &function) {
  static const std::regex suffix("(\\.(part|isra|constprop|cold|[0-9]+))+$");
  return std::regex_replace(function, suffix, "");
}

/// Only in ASCII: what is not is in octal, so too marks of direction, which inspect shows to no terminal ("\\u061c").
std::string with_bytes_escaped(const std::string &text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto code = static_cast<unsigned char>(text[i]);
    constexpr std::size_t mark_length = 6;
    const std::string_view rest = std::string_view(text).substr(i, mark_length);
    unsigned mark = 0;
    if (rest.starts_with("\\u") && rest.size() == mark_length &&
        std::from_chars(rest.data() + 2, rest.data() + mark_length, mark, 16).ptr == rest.data() + mark_length) {
      escaped += mark < 0x800 ? fmt::format("\\{:03o}\\{:03o}", 0xc0 | mark >> 6, 0x80 | (mark & 0x3f))
                              : fmt::format("\\{:03o}\\{:03o}\\{:03o}", 0xe0 | mark >> 12, 0x80 | (mark >> 6 & 0x3f),
                                            0x80 | (mark & 0x3f));
      i += mark_length - 1;
    } else if (code < 0x80) {
      escaped += text[i];
    } else {
      escaped += fmt::format("\\{:03o}", code);
    }
  }
  return escaped;
}

/// The same value in gdb's words and ours, as one text.
std::string in_common_notation(std::string text) {
  // gdb names C++ functions with their parameters, and has another name of those that have several.
  text = std::regex_replace(text, std::regex("<([^<>()]*)\\([^<>()]*\\)>"), "<$1>");
  // gdb has names of its own for the entries of the table.
  text = std::regex_replace(text, std::regex("<([^<>]*@got\\[plt\\]|_GLOBAL_OFFSET_TABLE_\\+[0-9]+)>"),
                            "<global offset table>");
  // Two names of one address: what is behind the name is as far from both.
  std::string named =
      std::regex_replace(text, std::regex("(0x[0-9a-f]+) <[A-Za-z_][A-Za-z0-9_.]*((\\+[0-9]+)?>)"), "$1 <symbol$2");
  // What a library's type means to its user.
  named = std::regex_replace(named, std::regex("std::thread, thread [0-9]+"), "{_M_id = {_M_thread = *}}");
  named = std::regex_replace(named, std::regex("_M_thread = [0-9]+"), "_M_thread = *");
  named = std::regex_replace(named, std::regex("<error: Cannot access memory at address "), "<unreadable at ");
  named = with_bytes_escaped(named);
  // A reference's address.
  return std::regex_replace(named, std::regex("^@0x[0-9a-f]+: "), "");
}

/// Whether `text` is `pattern` where that has anything for what is missing in it.
bool is_filled_in(std::string_view pattern, std::string_view text) {
  static constexpr std::string_view unknown = "<optimized out>";
  bool is_first = true;
  for (std::size_t gap = pattern.find(unknown); gap != std::string_view::npos; gap = pattern.find(unknown)) {
    const std::size_t at = text.find(pattern.substr(0, gap));
    if (at == std::string_view::npos || (is_first && at != 0))
      return false;
    text.remove_prefix(at + gap);
    pattern.remove_prefix(gap + unknown.size());
    is_first = false;
  }
  return is_first ? text == pattern : text.ends_with(pattern);
}

/// gdb sets bytes that end within a character apart from the text around them; `gap` is what may stand before them.
std::string with_incomplete_joined(const std::string &text, const std::string &gap) {
  static const std::regex behind_text("\", <incomplete sequence ([^<>]*)>");
  static const std::regex alone("<incomplete sequence ([^<>]*)>");
  return std::regex_replace(std::regex_replace(text, behind_text, gap + "$1\""), alone, "\"" + gap + "$1\"");
}

/// With a gap where a text was cut.
std::string with_open_ends(const std::string &text) {
  return std::regex_replace(text, std::regex("\"\\.\\.\\."), "<optimized out>");
}

/// A type of C++'s library is printed as what it means, by gdb as its members.
bool is_library_type(const std::string &ours, const std::string &theirs) {
  return ours.starts_with("std::") && theirs.starts_with("{");
}

/// Parts that are missing, whatever the reason that is given.
std::string with_gaps(const std::string &text) {
  return std::regex_replace(text, std::regex("<[^<>]*(not recoverable|not known|optimized out|does not know)[^<>]*>"),
                            "<optimized out>");
}

Judgement judge_known(const FullVariable &ours, const FullVariable &theirs) {
  if (ours.value == theirs.value)
    return {};
  const std::string mine = with_gaps(in_common_notation(ours.value));
  const std::string its = with_gaps(in_common_notation(theirs.value));
  if (mine == with_incomplete_joined(its, ""))
    return {TruthVerdict::other_notation, "of functions, references, unreadable texts, library types"};
  if (its.find("<incomplete sequence") != std::string::npos &&
      is_filled_in(with_incomplete_joined(its, "<optimized out>"), mine))
    return {TruthVerdict::peer_wrong, "gdb loses the character in front of bytes that end within a character"};
  const bool is_partial = (mine + its).find("<optimized out>") != std::string::npos;
  if (!is_partial && (is_filled_in(with_open_ends(mine), its) || is_filled_in(with_open_ends(its), mine)))
    return {TruthVerdict::other_notation, "a text is cut elsewhere: a limit counts bytes here and characters there"};
  if (is_library_type(mine, its))
    return {TruthVerdict::other_notation, "what a type of C++'s library means, of which gdb shows the members"};
  if (is_filled_in(its, mine))
    return {TruthVerdict::only_ours, "gdb has a part of the value; the rest is not verified"};
  if (theirs.guessed && is_filled_in(mine, its))
    return {TruthVerdict::missing, std::string(guessed)};
  if (is_filled_in(mine, its))
    return {TruthVerdict::missing, ""};
  if (theirs.guessed)
    return {TruthVerdict::peer_wrong, std::string(guessed)};
  const auto at = static_cast<std::size_t>(std::ranges::mismatch(mine, its).in1 - mine.begin());
  constexpr std::size_t shown = 60;
  return {TruthVerdict::wrong, fmt::format("from here on: {} and {}", mine.substr(at, shown), its.substr(at, shown))};
}

Judgement judge_value(const FullVariable *ours, const FullVariable &theirs) {
  const bool we_know = ours != nullptr && !is_without_value(ours->value);
  const bool they_know = !is_without_value(theirs.value);
  if (we_know && they_know)
    return judge_known(*ours, theirs);
  if (we_know)
    return {TruthVerdict::only_ours, "gdb has no value; not verified"};
  if (!they_know && ours != nullptr)
    return {};
  if (!they_know)
    return {TruthVerdict::other_notation, "gdb lists a name without a value, such as a label's"};
  return {TruthVerdict::missing, std::string(theirs.guessed ? guessed : "")};
}

std::string text_of(const FullFrame &frame) {
  return fmt::format("{:#x} {} at {}:{}{}{}{}", frame.pc, canonical_function(frame.function), frame.file, frame.line,
                     frame.inlined ? " (inlined)" : "", frame.tail_call ? " (tail call)" : "",
                     frame.signal ? " (signal)" : "");
}

/// Whether both are the same place in the code, be the line another.
bool same_code(const FullFrame &ours, const FullFrame &theirs) {
  return ours.pc == theirs.pc &&
         without_suffix(canonical_function(ours.function)) == canonical_function(theirs.function) &&
         ours.tail_call == theirs.tail_call && ours.signal == theirs.signal &&
         (ours.inlined == theirs.inlined || ours.tail_call);
}

class ThreadComparison {
public:
  ThreadComparison(TruthTally &tally, const ComparedSnapshot &snapshot, pid_t thread)
      : tally_(tally), snapshot_(snapshot), thread_(thread) {}

  void compare(const std::vector<FullFrame> &ours, const std::vector<FullFrame> &theirs) {
    std::size_t own = 0;
    std::size_t other = 0;
    while (own < ours.size() && other < theirs.size()) {
      const FullFrame &mine = ours[own];
      const FullFrame &its = theirs[other];
      if (mine.tail_call && !its.tail_call) {
        add_frame(own++, text_of(mine), "",
                  {TruthVerdict::only_ours, "a way of tail calls, or a call inlined into one; not verified"});
      } else if (its.tail_call && !mine.tail_call) {
        const bool goes_round = its.file == "tail_calls.c" && (its.function == "odd" || its.function == "even");
        add_frame(
            own, "", text_of(its),
            {TruthVerdict::missing, goes_round ? "of tail calls that go round gdb shows one round: a guess" : ""});
        ++other;
      } else {
        note_frames_around(theirs, other);
        compare_frames(own, mine, its);
        ++own;
        ++other;
      }
    }
    for (; own < ours.size(); ++own)
      add_frame(own, text_of(ours[own]), "", {TruthVerdict::only_ours, "gdb's stack ends earlier; not verified"});
    for (; other < theirs.size(); ++other)
      add_frame(other, "", text_of(theirs[other]), {TruthVerdict::missing, ""});
  }

private:
  void add_frame(std::size_t number, const std::string &ours, const std::string &theirs, const Judgement &judgement) {
    tally_.add({.program = snapshot_.program,
                .question = fmt::format("frame {}", number),
                .place = snapshot_.place,
                .ours = ours,
                .truth = theirs},
               judgement.verdict, judgement.reason);
  }

  void compare_frames(std::size_t number, const FullFrame &ours, const FullFrame &theirs) {
    add_frame(number, text_of(ours), text_of(theirs), judge_frame(number, ours, theirs));
    number_ = number;
    place_ = fmt::format("{}, frame {} {}", snapshot_.place, number, theirs.function);
    compare_variables("args", ours.arguments, theirs.arguments);
    compare_variables("locals", ours.locals, theirs.locals);
  }

  Judgement judge_frame(std::size_t number, const FullFrame &ours, const FullFrame &theirs) const {
    if (text_of(ours) == text_of(theirs))
      return {};
    if (!same_code(ours, theirs))
      return {TruthVerdict::wrong, ""};
    if (ours.file == theirs.file && ours.line == theirs.line)
      return {TruthVerdict::other_notation,
              "the compiler's name of a part of a function, or a call that was inlined and "
              "left by a tail call"};
    if (ours.file == theirs.file && ours.line > 0xffff && theirs.line == (ours.line & 0xffff))
      return {TruthVerdict::peer_wrong, "gdb 13 keeps 16 bits of the line of a call that was inlined"};
    const auto lines = lines_by_addr2line(snapshot_.process, ours.pc - (number == 0 ? 0 : 1));
    if (std::ranges::find(lines, fmt::format("{}:{}", ours.file, ours.line)) != lines.end())
      return {TruthVerdict::other_notation,
              "gdb takes lines from rows that begin a statement; addr2line has inspect's"};
    return {TruthVerdict::wrong, ""};
  }

  /// Of several of one name the first is the innermost on both sides.
  void compare_variables(const std::string &command, std::vector<FullVariable> ours,
                         const std::vector<FullVariable> &theirs) {
    listed_.clear();
    for (const FullVariable &one : ours)
      listed_.insert(one.name);
    const auto find = [&](const std::string &name, bool at_entry) {
      return std::ranges::find_if(
          ours, [&](const FullVariable &one) { return one.name == name && one.at_entry == at_entry; });
    };
    for (const FullVariable &its : theirs) {
      const auto mine = find(its.name, its.at_entry);
      // Of an argument that is lost we list what was passed alone, gdb both.
      if (mine == ours.end() && !its.at_entry && is_without_value(its.value) && find(its.name, true) != ours.end()) {
        add_variable(command, nullptr, its, {});
        continue;
      }
      compare_variable(command, mine == ours.end() ? nullptr : &*mine, its);
      if (mine != ours.end())
        ours.erase(mine);
    }
    for (const FullVariable &left : ours)
      add_variable(command, &left, {.name = left.name, .value = {}, .at_entry = left.at_entry},
                   is_without_value(left.value) ? Judgement{}
                   : left.at_entry
                       ? Judgement{TruthVerdict::only_ours, "gdb does not tell what was passed; not verified"}
                       : Judgement{TruthVerdict::only_ours, "gdb does not list it; not verified"});
  }

  void compare_variable(const std::string &command, const FullVariable *ours, const FullVariable &theirs) {
    Judgement judgement = judge_value(ours, theirs);
    if (judgement.verdict == TruthVerdict::missing && theirs.at_entry && is_inlined_)
      judgement = {TruthVerdict::peer_wrong,
                   "nobody passes the argument of a call that was inlined: gdb shows what the "
                   "function around it was passed in the register that the argument is in later"};
    if (judgement.verdict == TruthVerdict::missing && judgement.reason.empty() && ours == nullptr &&
        inspect_print(snapshot_.process, thread_, number_, theirs.name) == theirs.value)
      judgement.reason = "static, and made by the compiler or of a block that has no code here: `p` shows it, `locals` "
                         "does not list it";
    if (judgement.verdict == TruthVerdict::other_notation && ours == nullptr && listed_.contains(theirs.name))
      judgement.reason = "gdb lists the variable a second time, without a value";
    if (judgement.verdict == TruthVerdict::wrong && passed_on_.contains(ours->value))
      judgement = {TruthVerdict::peer_wrong,
                   "gdb contradicts itself: the function that the call is inlined into passed "
                   "its own argument on, which is our value in gdb, too"};
    if (judgement.verdict == TruthVerdict::missing && ours != nullptr && is_without_stack_ &&
        ours->value.find("canonical address") != std::string::npos)
      judgement.reason = "gdb reads from a part of the stack that the function gave back before it left by a tail call";
    add_variable(command, ours, theirs, judgement);
  }

  /// The arguments in gdb of the function that a call is inlined into.
  void note_frames_around(const std::vector<FullFrame> &frames, std::size_t number) {
    passed_on_.clear();
    is_without_stack_ = frames[number].tail_call;
    is_inlined_ = frames[number].inlined;
    for (std::size_t i = number; frames[i].inlined && i + 1 < frames.size(); ++i)
      for (const FullVariable &argument : frames[i + 1].arguments)
        passed_on_.insert(argument.value);
  }

  void add_variable(const std::string &command, const FullVariable *ours, const FullVariable &theirs,
                    const Judgement &judgement) {
    tally_.add({.program = snapshot_.program,
                .question = fmt::format("{}: {}{}", command, theirs.name, theirs.at_entry ? "@entry" : ""),
                .place = place_,
                .ours = ours == nullptr ? "" : ours->value,
                .truth = theirs.value},
               judgement.verdict, judgement.reason);
  }

  TruthTally &tally_;
  const ComparedSnapshot &snapshot_;
  pid_t thread_;
  std::size_t number_ = 0; ///< of the frame
  std::string place_;
  std::set<std::string> passed_on_;
  std::set<std::string> listed_; ///< names of ours
  bool is_without_stack_ = false;
  bool is_inlined_ = false;
};

} // namespace

void compare_snapshots(TruthTally &tally, const ComparedSnapshot &snapshot, const FullBacktrace &ours,
                       const FullBacktrace &theirs) {
  static const std::vector<FullFrame> none;
  for (const auto &[thread, frames] : theirs) {
    const auto own = ours.find(thread);
    ThreadComparison(tally, snapshot, thread).compare(own == ours.end() ? none : own->second, frames);
  }
}

} // namespace inspect::test
