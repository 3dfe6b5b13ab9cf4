#include "inspector/explain/explanation.h"

#include "golang/arguments/pointer_numbers.h"
#include "inspector/explain/blocked_goroutines.h"
#include "inspector/explain/crash_binary.h"
#include "inspector/explain/crash_cause.h"
#include "inspector/explain/frame_decoder.h"
#include "inspector/stacks/stack_groups.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_map>

namespace inspect {

static auto frame_identity(const TracebackFrame &frame) {
  return std::tuple(std::string_view(frame.function), std::string_view(frame.file), frame.line, frame.has_arguments);
}

namespace {

constexpr std::size_t max_functions_named = 3;

/// Lower comes first.
int rank(const TracebackGoroutine &goroutine) {
  if (goroutine.ancestor_of)
    return 5;
  if (goroutine.id == 0) // a thread's own stack
    return 4;
  if (goroutine.status.starts_with("running"))
    return 0;
  if (goroutine.status.starts_with("runnable"))
    return 1;
  return goroutine.status.starts_with("syscall") ? 2 : 3;
}

/// Where a goroutine was created is told right behind it.
void creations_behind_goroutines(std::vector<StackGroup> &groups, const std::vector<TracebackGoroutine> &goroutines) {
  std::vector<StackGroup> ordered;
  std::vector<bool> placed(groups.size(), false);
  const auto place = [&](std::size_t i) {
    placed[i] = true;
    ordered.push_back(std::move(groups[i]));
  };
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> creations;
  for (std::size_t i = 0; i < groups.size(); ++i)
    if (const auto of = goroutines[groups[i].members.front()].ancestor_of; of && groups[i].members.size() == 1)
      creations[*of].push_back(i);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (placed[i] || goroutines[groups[i].members.front()].ancestor_of)
      continue;
    place(i);
    for (const std::uint32_t member : ordered.back().members)
      if (const auto found = creations.find(goroutines[member].id); found != creations.end())
        for (const std::size_t creation : found->second)
          if (!placed[creation])
            place(creation);
  }
  for (std::size_t i = 0; i < groups.size(); ++i)
    if (!placed[i])
      place(i);
  groups = std::move(ordered);
}

/// The group of `crashed`, which is alone in it, first; then running before runnable before blocked, the longest wait,
/// the largest group.
std::vector<StackGroup> group_goroutines(const Traceback &traceback, std::optional<std::size_t> crashed) {
  const auto &goroutines = traceback.goroutines;
  std::vector<StackGroup> groups = group_by_identity(goroutines.size(), [&](std::size_t i) {
    const TracebackGoroutine &goroutine = goroutines[i];
    const auto creator =
        goroutine.created_by ? std::span(&*goroutine.created_by, 1) : std::span<const TracebackFrame>();
    return std::tuple(i == crashed, std::string_view(goroutine.status), goroutine.frames_elided,
                      goroutine.stack_unavailable, goroutine.ancestor_of.has_value(), FrameSequence(goroutine.frames),
                      FrameSequence(creator));
  });
  order_by_wait(groups, [&](std::uint32_t member) { return goroutines[member].wait_minutes; });
  std::ranges::stable_sort(groups, {}, [&](const StackGroup &group) {
    const std::uint32_t first = group.members.front();
    std::uint64_t count = 0;
    for (const std::uint32_t member : group.members)
      count += goroutines[member].count;
    return std::tuple(first != crashed, rank(goroutines[first]), -group.longest_wait_minutes.value_or(-1),
                      -static_cast<std::int64_t>(std::min<std::uint64_t>(count, INT64_MAX)));
  });
  creations_behind_goroutines(groups, goroutines);
  return groups;
}

/// What the frames of one traceback say for or against the binary.
struct Agreement {
  std::size_t checked = 0;
  std::vector<std::string> contradictions;
};

class TracebackExplainer {
public:
  TracebackExplainer(const Traceback &traceback, FrameDecoder &decoder, CrashBinary *binary)
      : traceback_(traceback), decoder_(decoder), binary_(binary) {}

  ExplainedTraceback explain(bool group) {
    into_.text_line = traceback_.text_line;
    into_.kind = crash_kind(traceback_);
    into_.messages = traceback_.messages;
    into_.signal = traceback_.signal;
    into_.registers = traceback_.registers;
    into_.exit_status = traceback_.exit_status;
    for (const TracebackGoroutine &one : traceback_.goroutines)
      into_.goroutines += one.ancestor_of ? 0 : one.count;
    decoder_.begin(traceback_, into_.warnings);
    const auto crashed = crashed_goroutine(traceback_, into_.kind);
    add_groups(crashed, group);
    explain_cause(traceback_, crashed_is_trusted(crashed) ? crashed : std::nullopt, decoder_, into_);
    name_c_function();
    if (crashed && !traceback_.goroutines[*crashed].is_listing())
      into_.crashed = traceback_.goroutines[*crashed].id;
    into_.waiting = explain_waiting(traceback_, decoder_);
    judge_binary();
    return std::move(into_);
  }

private:
  /// What Go cannot: it prints the C frames neither of a goroutine nor of a thread.
  void name_c_function() {
    if (binary_ == nullptr || !traceback_.signal || !traceback_.signal->pc || !has_crash(traceback_, into_.kind))
      return;
    if (const auto function = binary_->c_function_at(*traceback_.signal->pc))
      into_.where = fmt::format("the C function {}{}{}", *function, into_.where.empty() ? "" : ", below ", into_.where);
  }

  void add_groups(std::optional<std::size_t> crashed, bool group) {
    const std::vector<StackGroup> groups =
        group ? group_goroutines(traceback_, crashed) : one_by_one(traceback_.goroutines.size());
    PointerNumbers numbers;
    for (const StackGroup &one : groups)
      for (std::size_t i = 0; i < traceback_.goroutines[one.members.front()].frames.size(); ++i)
        numbers.note(fold_words(one, i).values());
    for (const StackGroup &one : groups)
      into_.groups.push_back(explain_group(one, one.members.front() == crashed, numbers));
  }

  FoldedValues<std::uint64_t> fold_words(const StackGroup &group, std::size_t frame) const {
    FoldedValues<std::uint64_t> folded;
    for (const std::uint32_t member : group.members)
      folded.add(traceback_.goroutines[member].frames[frame].words);
    return folded;
  }

  ExplainedGroup explain_group(const StackGroup &alike, bool crashed, PointerNumbers &numbers) {
    const TracebackGoroutine &first = traceback_.goroutines[alike.members.front()];
    ExplainedGroup group;
    group.state = first.status;
    group.notes = first.notes;
    group.frames_elided = first.frames_elided;
    group.stack_unavailable = first.stack_unavailable;
    group.ancestor_of = first.ancestor_of;
    group.crashed = crashed;
    group.created_in = first.created_in;
    for (const std::uint32_t member : alike.members) {
      const TracebackGoroutine &goroutine = traceback_.goroutines[member];
      if (!goroutine.is_listing())
        group.ids.push_back(goroutine.id);
      group.count += goroutine.count;
      group.locked_to_thread = group.locked_to_thread || goroutine.locked_to_thread;
      if (goroutine.created_in != group.created_in)
        group.created_in.reset();
    }
    group.longest_wait_minutes = first.wait_minutes;
    group.shortest_wait_minutes = traceback_.goroutines[alike.members.back()].wait_minutes;
    const CrashSite site = crashed ? crash_site(traceback_, first, into_.kind) : CrashSite{};
    for (std::size_t i = 0; i < first.frames.size(); ++i) {
      const FoldedValues<std::uint64_t> folded = fold_words(alike, i);
      ExplainedFrame frame = explain_frame(first.frames[i], physical_of(first, i));
      frame.words = numbers.text(first.frames[i].layout, folded.values());
      frame.crashed_here = site.frame == i;
      frame.panicked_later = std::ranges::find(site.later, i, &LaterPanic::frame) != site.later.end();
      if (!frame.contradicted && !folded.differ())
        decoder_.decode(first.frames[i], frame);
      group.frames.push_back(std::move(frame));
    }
    if (first.created_by)
      group.created_by = explain_frame(*first.created_by, nullptr);
    return group;
  }

  /// The frame that an inlined call is part of is the next one that is not inlined.
  static const TracebackFrame *physical_of(const TracebackGoroutine &goroutine, std::size_t index) {
    for (std::size_t i = index; i < goroutine.frames.size(); ++i)
      if (goroutine.frames[i].offset || goroutine.frames[i].has_arguments || goroutine.frames[i].listed)
        return &goroutine.frames[i];
    return nullptr;
  }

  ExplainedFrame explain_frame(const TracebackFrame &frame, const TracebackFrame *physical) {
    ExplainedFrame into;
    into.function = frame.function;
    into.file = frame.file;
    into.line = frame.line;
    into.offset = frame.offset;
    into.pc = frame.pc;
    into.inlined = !frame.has_arguments && !frame.offset && !frame.pc && !frame.listed;
    if (binary_ == nullptr || frame.listed || (frame.pc && !frame.offset)) // no offset to check; a C function
      return into;
    const CrashBinary::FrameCheck check = binary_->check(frame, physical);
    agreement_.checked += check.checked ? 1 : 0;
    if (check.contradiction.empty())
      return into;
    into.contradicted = true;
    into.remarks.push_back(check.contradiction);
    agreement_.contradictions.push_back(frame.function);
    return into;
  }

  /// Nothing is concluded from a frame that is not the binary's.
  bool crashed_is_trusted(std::optional<std::size_t> crashed) const {
    if (!crashed)
      return false;
    for (const ExplainedGroup &group : into_.groups)
      for (const ExplainedFrame &frame : group.frames)
        if (frame.crashed_here && frame.contradicted)
          return false;
    return true;
  }

  void judge_binary() {
    if (binary_ == nullptr || agreement_.contradictions.empty())
      return;
    std::string names;
    for (std::size_t i = 0; i < agreement_.contradictions.size() && i < max_functions_named; ++i)
      names += fmt::format("{}{}", i == 0 ? "" : ", ", agreement_.contradictions[i]);
    if (agreement_.contradictions.size() > max_functions_named)
      names += ", …";
    into_.warnings.insert(
        into_.warnings.begin(),
        fmt::format("{} of {} frames do not fit {} ({}): it is not the binary that crashed, or another "
                    "build of it; those frames are not decoded",
                    agreement_.contradictions.size(), agreement_.checked, binary_->path(), names));
  }

  const Traceback &traceback_;
  FrameDecoder &decoder_;
  CrashBinary *binary_;
  Agreement agreement_;
  ExplainedTraceback into_;
};

Result<std::vector<GoDeclaration>> read_declarations(const std::vector<std::string> &texts, GoTypePool &pool) {
  // One text, so that a type may be given apart from the functions that need it.
  std::string all;
  for (const std::string &text : texts)
    all += text + "\n";
  if (texts.empty())
    return std::vector<GoDeclaration>{};
  auto declarations = parse_go_declarations(all, pool);
  if (!declarations)
    return std::unexpected(declarations.error());
  return declarations;
}

/// A message that goes on with a goroutine's header, whose frames follow in the same line.
bool is_run_together(const Traceback &traceback) {
  return traceback.goroutines.empty() && std::ranges::any_of(traceback.messages, [](std::string_view message) {
           const std::size_t header = message.find("goroutine ");
           return header != std::string_view::npos && message.find("]:", header) != std::string_view::npos &&
                  message.find(".go:", header) != std::string_view::npos;
         });
}

/// The first line that may be a part of what was meant.
std::string part_of_traceback(std::string_view text) {
  constexpr std::size_t max_shown = 60;
  const std::size_t at = std::min(text.find("goroutine "), text.find(".go:"));
  if (at == std::string_view::npos)
    return {};
  const std::size_t begin = at - std::min(at, text.substr(0, at).size() - (text.substr(0, at).rfind('\n') + 1));
  std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
  return fmt::format(", though line {} may be a part of one: \"{}\"", 1 + std::ranges::count(text.substr(0, at), '\n'),
                     line.substr(0, max_shown));
}

} // namespace

Result<Explanation> explain_text(std::string_view text, const ExplainOptions &options) {
  GoTypePool pool;
  auto declarations = read_declarations(options.declarations, pool);
  if (!declarations)
    return std::unexpected(declarations.error());
  std::unique_ptr<CrashBinary> binary;
  std::string of_binary; // what is to be said of it
  if (!options.executable.empty()) {
    auto opened = CrashBinary::open(options.executable);
    if (opened)
      binary = std::move(*opened);
    else if (opened.error().kind() == ErrorKind::unsupported || opened.error().kind() == ErrorKind::corrupt)
      of_binary = fmt::format("the binary is not used: {}", opened.error().message());
    else
      return std::unexpected(opened.error());
    if (binary != nullptr && binary->version() > newest_known_go)
      of_binary = fmt::format("{} of the binary is newer than this program knows: it is read as Go {}.{}",
                              binary->version_text(), newest_known_go.major, newest_known_go.minor);
  }
  const std::vector<Traceback> tracebacks = parse_tracebacks(text);
  if (const auto run_together = std::ranges::find_if(tracebacks, is_run_together); run_together != tracebacks.end())
    return std::unexpected(
        Error(ErrorKind::not_found,
              fmt::format("the traceback in line {} has lost its line ends, so that its frames cannot be told apart",
                          run_together->text_line),
              "give it as the program printed it, or as a log has it whose lines, JSON or escapes are whole"));
  if (tracebacks.empty())
    return std::unexpected(Error(ErrorKind::not_found, "there is no Go traceback in it" + part_of_traceback(text),
                                 "give the text from \"panic:\" or \"goroutine 1 [running]:\" on"));
  Explanation explanation;
  if (binary != nullptr)
    explanation.go_version = binary->version_text();
  FrameDecoder decoder(std::move(*declarations), binary.get());
  for (const Traceback &traceback : tracebacks)
    explanation.tracebacks.push_back(TracebackExplainer(traceback, decoder, binary.get()).explain(options.group));
  if (!of_binary.empty())
    explanation.tracebacks.front().warnings.push_back(of_binary);
  for (const std::string &function : decoder.unused_declarations())
    explanation.tracebacks.back().warnings.push_back(
        fmt::format("no call of {} with words is in the text: its declaration was not used", function));
  return explanation;
}

} // namespace inspect
