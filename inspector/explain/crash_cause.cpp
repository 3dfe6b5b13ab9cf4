#include "inspector/explain/crash_cause.h"

#include "golang/arguments/receiver_name.h"
#include "golang/traceback/c_abort_messages.h"
#include "golang/traceback/traceback_lines.h"
#include "inspector/explain/crash_messages.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <unordered_map>

namespace inspect {
namespace {

constexpr std::uint64_t first_page = 4096; // the runtime takes faults below for nil dereferences (signal_unix.go)
constexpr std::size_t max_field_nesting = 8;
constexpr std::size_t least_recursion = 10; // frames of one function

std::string place_of(const TracebackFrame &frame) {
  return frame.file.empty() ? frame.function : fmt::format("{} at {}:{}", frame.function, frame.file, frame.line);
}

/// With the first frame of the program, where this one is not.
std::string place_in(const TracebackGoroutine &goroutine, std::size_t frame) {
  std::string text = place_of(goroutine.frames[frame]);
  if (const auto program = program_frame_below(goroutine, frame))
    text += ", called from " + place_of(goroutine.frames[*program]);
  return text;
}

/// "utime" or "stat.utime": the field of a structure at this offset.
std::string field_at(const GoType &type, std::uint64_t offset) {
  std::string path;
  const GoType *current = &type;
  for (std::size_t depth = 0; depth < max_field_nesting && current->kind == GoKind::structure; ++depth) {
    const GoField *found = nullptr;
    for (const GoField &field : current->fields)
      if (field.type != nullptr && offset >= field.offset &&
          offset - field.offset < std::max<std::uint64_t>(field.type->size, 1))
        found = &field;
    if (found == nullptr)
      break;
    path += (path.empty() ? "" : ".") + found->name;
    offset -= found->offset;
    current = found->type;
  }
  return path;
}

/// "the receiver" or "the argument p", and of which type.
std::string name_of(const FrameParameter &parameter, const TracebackFrame &frame) {
  std::string type = parameter.type != nullptr ? parameter.type->name : std::string();
  if (const auto receiver = parameter.receiver ? receiver_of(frame.function) : std::nullopt; receiver && type.empty())
    type = receiver->printed();
  std::string name = parameter.receiver ? "the receiver" : parameter.name.empty() ? "an argument" : "the argument";
  if (!parameter.name.empty())
    name += " " + parameter.name;
  return type.empty() ? name : fmt::format("{} ({})", name, type);
}

/// The instruction that the signal struck was C's.
bool is_signal_in_c(std::string_view message) {
  return message.starts_with("signal arrived during cgo execution") ||
         message.starts_with("signal arrived during external code execution");
}

/// Of Linux and others, of Windows.
bool is_memory_fault(std::string_view name) {
  return name == "SIGSEGV" || name == "0xc0000005";
}

class CauseFinder {
public:
  CauseFinder(const Traceback &traceback, const TracebackGoroutine &goroutine, const CrashSite &site,
              FrameDecoder &decoder, ExplainedTraceback &into)
      : traceback_(traceback), goroutine_(goroutine), site_(site), frame_(site.frame.value_or(0)), decoder_(decoder),
        into_(into) {}

  void find() {
    explain_bounds();
    if (const auto &signal = traceback_.signal) {
      const auto faulted = std::ranges::find_if(site_.later, &LaterPanic::has_signal);
      if (faulted != site_.later.end())
        frame_ = faulted->frame;
      explain_fault(*signal);
    }
    explain_recursion();
  }

private:
  const TracebackFrame &frame(std::size_t index) const { return goroutine_.frames[index]; }

  void explain_fault(const TracebackSignal &signal) {
    if (std::string meaning = meaning_of_fault(signal.name, signal.code, signal.address); !meaning.empty()) {
      into_.why.push_back(std::move(meaning));
      return;
    }
    if (std::ranges::any_of(traceback_.messages, is_signal_in_c))
      return explain_fault_in_c(signal);
    if (!is_memory_fault(signal.name) || !signal.address)
      return;
    if (*signal.address >= first_page) {
      into_.why.push_back(
          fmt::format("{:#x} is not an address of the program's memory and too large for a field of a nil "
                      "pointer: a large array behind a nil pointer, or damaged memory",
                      *signal.address));
    } else if (signal.pc && *signal.pc == *signal.address) {
      into_.why.emplace_back("a function value that is nil was called");
    } else {
      explain_nil(*signal.address);
    }
  }

  void explain_fault_in_c(const TracebackSignal &signal) {
    if (is_memory_fault(signal.name) && signal.address && *signal.address < first_page)
      into_.why.push_back(
          fmt::format("C code used a null pointer: the address of the fault is {:#x}", *signal.address));
    else if (is_memory_fault(signal.name) && signal.address)
      into_.why.push_back(fmt::format("C code used {:#x}, which is no address of the program's memory: freed, out of "
                                      "bounds, or never set",
                                      *signal.address));
    else if (signal.name == "SIGABRT" && into_.why.empty())
      into_.why.emplace_back("C code called abort, as libraries do where they find a state that must not be; what they "
                             "said of it is not in the text");
  }

  /// The argument of the crashed call that is nil: its receiver first.
  void explain_nil(std::uint64_t address) {
    const auto parameters = decoder_.parameters(frame(frame_));
    const FrameParameter *nil = nullptr;
    std::size_t candidates = 0;
    for (const FrameParameter &parameter : parameters) {
      const bool pointer = parameter.receiver || (parameter.type != nullptr && parameter.type->kind == GoKind::pointer);
      if (!pointer || parameter.word != 0u || !(parameter.receiver || can_hold(parameter, address)))
        continue;
      ++candidates;
      if (nil == nullptr || !can_hold(*nil, address))
        nil = &parameter;
    }
    if (nil == nullptr && explain_stale(parameters, address))
      return;
    if (nil == nullptr) {
      into_.why.push_back(
          address == 0 ? "the address of the fault is 0: a nil pointer itself, or the first field behind one"
                       : fmt::format("the address of the fault, {0:#x}, is {0} bytes behind a nil pointer: a field "
                                     "at that offset, or an element of an array",
                                     address));
      into_.why.emplace_back(
          "no argument of the call is known to be nil: the nil pointer came from elsewhere (a field, a "
          "variable, a result)");
      return;
    }
    const bool sure = nil->receiver && candidates == 1 && !nil->stale;
    into_.why.push_back(fmt::format("{} is nil: {}the cause", name_of(*nil, frame(frame_)), sure ? "" : "probably "));
    into_.why.push_back(field_sentence(*nil, address));
    trace_origin(*nil);
  }

  /// At a function's first instructions its arguments are in registers only: the word in the text is an older one.
  bool explain_stale(const std::vector<FrameParameter> &parameters, std::uint64_t address) {
    for (const FrameParameter &parameter : parameters) {
      const GoType *type = parameter.type;
      const bool typed = type != nullptr && type->kind == GoKind::pointer && type->element != nullptr &&
                         type->element->size != 0 && can_hold(parameter, address);
      const bool unnamed_receiver = parameter.receiver && type == nullptr;
      if (!parameter.stale || (!typed && !unnamed_receiver))
        continue;
      into_.why.push_back(
          fmt::format("probably {} is nil; its word in the text is out of date", name_of(parameter, frame(frame_))));
      into_.why.push_back(field_sentence(parameter, address));
      return true;
    }
    return false;
  }

  static bool can_hold(const FrameParameter &parameter, std::uint64_t address) {
    const GoType *element = parameter.type != nullptr ? parameter.type->element : nullptr;
    return element == nullptr || element->kind == GoKind::unknown || element->size == 0 || address < element->size;
  }

  std::string field_sentence(const FrameParameter &nil, std::uint64_t address) const {
    const GoType *element = nil.type != nullptr ? nil.type->element : nullptr;
    const auto receiver = nil.receiver ? receiver_of(frame(frame_).function) : std::nullopt;
    std::string pointer = nil.type != nullptr ? nil.type->name : receiver ? receiver->printed() : "pointer";
    if (!can_hold(nil, address))
      return fmt::format("the address of the fault, {:#x}, lies behind the {} bytes of {} as it is declared", address,
                         element->size, element->name);
    const std::string field = element != nullptr ? field_at(*element, address) : std::string();
    if (!field.empty())
      return fmt::format("the address of the fault, {:#x}, is the offset of the field {} in a nil {}", address, field,
                         pointer);
    return fmt::format("the address of the fault, {:#x}, is a field's offset in a nil {}", address, pointer);
  }

  /// As long as callers pass nil on in the same place, the one before them is where it comes from.
  void trace_origin(const FrameParameter &nil) {
    if (!nil.receiver)
      return;
    std::size_t outermost = frame_;
    for (std::size_t i = frame_ + 1; i < goroutine_.frames.size(); ++i) {
      const auto receiver = receiver_of(frame(i).function);
      const auto mine = receiver_of(frame(frame_).function);
      if (!receiver || !mine || receiver->printed() != mine->printed() || frame(i).words.empty() ||
          frame(i).words.front() != 0)
        break;
      outermost = i;
    }
    if (outermost != frame_)
      into_.why.push_back(fmt::format("it was nil already in {}", place_of(frame(outermost))));
    if (outermost + 1 < goroutine_.frames.size() && goroutine_.frames_elided == 0)
      into_.why.push_back(fmt::format("the nil pointer comes from {}", place_of(frame(outermost + 1))));
  }

  /// A slice or string among the arguments that has the length of the message.
  void explain_bounds() {
    std::optional<BoundsMessage> bounds;
    for (const std::string &message : traceback_.messages)
      if (!bounds)
        bounds = read_bounds_message(message);
    if (!bounds || bounds->capacity)
      return;
    into_.why.push_back(fmt::format("the index is {}, the length is {}{}", bounds->index, bounds->bound,
                                    bounds->bound == 0 ? ": it is empty" : ""));
    for (const FrameParameter &parameter : decoder_.parameters(frame(frame_))) {
      const bool has_length = parameter.type != nullptr &&
                              (parameter.type->kind == GoKind::slice || parameter.type->kind == GoKind::string);
      if (has_length && parameter.second == bounds->bound)
        into_.why.push_back(fmt::format("{} has that length", name_of(parameter, frame(frame_))));
    }
  }

  void explain_recursion() {
    const bool overflow = std::ranges::any_of(traceback_.messages, [](const std::string &message) {
      return message.find("stack overflow") != std::string::npos || message.find("stack exceeds") != std::string::npos;
    });
    if (!overflow)
      return;
    std::unordered_map<std::string_view, std::size_t> counts;
    for (const TracebackFrame &each : goroutine_.frames)
      ++counts[each.function];
    std::vector<std::pair<std::size_t, std::string_view>> repeated;
    for (const auto &[function, count] : counts)
      if (count >= least_recursion)
        repeated.emplace_back(count, function);
    std::ranges::sort(repeated, std::greater{});
    if (repeated.empty())
      return;
    std::string names(repeated.front().second);
    for (std::size_t i = 1; i < repeated.size() && i < 4; ++i)
      names += fmt::format(", {}", repeated[i].second);
    into_.why.push_back(fmt::format("{} call{} {} again and again ({} of {} frames)", names,
                                    repeated.size() == 1 ? "s" : "", repeated.size() == 1 ? "itself" : "each other",
                                    repeated.front().first, goroutine_.frames.size()));
  }

  const Traceback &traceback_;
  const TracebackGoroutine &goroutine_;
  const CrashSite &site_;
  std::size_t frame_;
  FrameDecoder &decoder_;
  ExplainedTraceback &into_;
};

/// "panic: …" without what is said of its recovery.
std::string without_marks(std::string message) {
  for (const std::string_view mark : {" [recovered, repanicked]", " [recovered]"})
    if (message.ends_with(mark))
      message.erase(message.size() - mark.size());
  return message;
}

/// The C++ runtime says what an exception says in a line of its own: "  what():  boom".
std::string with_what(const std::vector<std::string> &messages, std::size_t at) {
  if (at + 1 < messages.size() && messages[at + 1].starts_with("what(): "))
    return messages[at] + ": " + messages[at + 1];
  return messages[at];
}

/// The message that says most: what a C library said before it called abort, the fatal error, the first panic.
std::string main_message(const Traceback &traceback) {
  const auto &messages = traceback.messages;
  for (std::size_t i = 0; i < messages.size(); ++i)
    if (!meaning_of_c_abort(messages[i]).empty() || messages[i].starts_with("fatal: morestack on "))
      return with_what(messages, i);
  for (const std::string_view begin : {"fatal error: ", "panic: ", "SIG", "Exception 0x", "WARNING: "})
    for (const std::string &message : messages)
      if (message.starts_with(begin))
        return without_marks(message);
  if (messages.size() > 1 && messages.front().ends_with("panic recovered:")) // gin: then the request, then the value
    return "panic recovered: " + messages.back();
  return messages.empty() ? std::string() : messages.front();
}

bool has_message(const Traceback &traceback, std::string_view part) {
  return std::ranges::any_of(traceback.messages,
                             [&](const std::string &message) { return message.find(part) != std::string::npos; });
}

/// abort() sends SIGABRT to its own thread; an operator's kill has SI_USER (sigaction(2)).
bool is_own_abort(const Traceback &traceback) {
  constexpr std::uint64_t si_tkill = static_cast<std::uint64_t>(-6);
  constexpr std::uint64_t si_tkill_32 = static_cast<std::uint32_t>(-6);
  const auto code = traceback.signal->code;
  return code == si_tkill || code == si_tkill_32 || std::ranges::any_of(traceback.messages, is_signal_in_c) ||
         std::ranges::any_of(traceback.messages,
                             [](const std::string &message) { return !meaning_of_c_abort(message).empty(); });
}

/// One that a thread can have run when it crashed: the others' stacks are where they wait.
bool can_have_crashed(const TracebackGoroutine &goroutine) {
  const bool no_thread = std::ranges::find(goroutine.notes, "m=nil") != goroutine.notes.end();
  return !no_thread && !goroutine.stack_unavailable && !goroutine.ancestor_of &&
         std::ranges::any_of(std::array{"running", "syscall", "runnable", "copystack", "preempted"},
                             [&](std::string_view status) { return goroutine.status.starts_with(status); });
}

std::string without_panic_prefix(std::string_view message) {
  constexpr std::string_view prefix = "panic: ";
  return std::string(message.starts_with(prefix) ? message.substr(prefix.size()) : message);
}

void explain_later_panics(const TracebackGoroutine &goroutine, const CrashSite &site, ExplainedTraceback &into) {
  for (const LaterPanic &later : site.later) {
    std::string text = later.passed_on ? "the same panic again in " : "a second panic while the first was handled, in ";
    text += place_in(goroutine, later.frame);
    if (!later.passed_on && !later.message.empty())
      text += ": " + without_panic_prefix(later.message);
    into.then.push_back(std::move(text));
  }
  if (site.during)
    into.then.push_back("it happened while a panic was handled that began in " + place_in(goroutine, *site.during));
}

/// Both accesses are where it happened.
void explain_race(const Traceback &traceback, ExplainedTraceback &into) {
  for (const TracebackGoroutine &goroutine : traceback.goroutines) {
    const CrashSite site = goroutine.ancestor_of ? CrashSite{} : crash_site(traceback, goroutine, into.kind);
    if (!site.frame)
      continue;
    std::string access =
        fmt::format("{} by goroutine {}, in {}", goroutine.status, goroutine.id, place_in(goroutine, *site.frame));
    if (into.where.empty())
      into.where = std::move(access);
    else
      into.then.push_back(std::move(access));
  }
}

/// No goroutine can have crashed: the innermost frame of the thread's own stack.
void explain_system_stack(const Traceback &traceback, ExplainedTraceback &into) {
  const auto system = std::ranges::find_if(traceback.goroutines, [](const TracebackGoroutine &goroutine) {
    return goroutine.id == 0 && !goroutine.ancestor_of;
  });
  into.where = "the stack of a thread, on which no goroutine of the program ran";
  if (system == traceback.goroutines.end())
    return;
  if (const auto frame = system_stack_site(*system))
    into.where += ", in " + place_of(system->frames[*frame]);
}

} // namespace

bool is_runtime_function(std::string_view function) {
  constexpr std::array<std::string_view, 6> prefixes = {"runtime.",          "runtime/",      "internal/runtime/",
                                                        "internal/bytealg.", "internal/abi.", "non-Go function"};
  return function == "panic" ||
         std::ranges::any_of(prefixes, [&](std::string_view prefix) { return function.starts_with(prefix); });
}

CrashKind crash_kind(const Traceback &traceback) {
  for (const std::string &message : traceback.messages) {
    if (message.starts_with("fatal error: "))
      return CrashKind::fatal_error;
    if (message.starts_with("WARNING: DATA RACE"))
      return CrashKind::data_race;
    if (message.starts_with("panic: ") || is_handler_message(message))
      return CrashKind::panic;
  }
  if (traceback.signal)
    return CrashKind::signal;
  // A handler that recovered printed its stack.
  const bool recovered = std::ranges::any_of(traceback.goroutines, [](const TracebackGoroutine &goroutine) {
    return (goroutine.status.starts_with("running") || goroutine.is_listing()) && is_panicking(goroutine);
  });
  return recovered ? CrashKind::panic : CrashKind::stacks;
}

bool has_crash(const Traceback &traceback, CrashKind kind) {
  if (kind == CrashKind::signal)
    return traceback.signal->name == "SIGABRT" ? is_own_abort(traceback) : traceback.signal->name != "SIGQUIT";
  return kind != CrashKind::stacks && kind != CrashKind::data_race && !has_message(traceback, " - deadlock!");
}

std::optional<std::size_t> crashed_goroutine(const Traceback &traceback, CrashKind kind) {
  if (!has_crash(traceback, kind))
    return std::nullopt;
  const auto &goroutines = traceback.goroutines;
  if (!has_message(traceback, "panic: ") && kind == CrashKind::panic)
    for (std::size_t i = 0; i < goroutines.size(); ++i)
      if (goroutines[i].is_listing() || (goroutines[i].status.starts_with("running") && is_panicking(goroutines[i])))
        return i;
  if (goroutines.size() == 1 && goroutines.front().is_listing())
    return 0;
  // The runtime prints it first, behind the thread's own stack.
  for (std::size_t i = 0; i < goroutines.size(); ++i)
    if (goroutines[i].id != 0)
      return can_have_crashed(goroutines[i]) ? std::optional(i) : std::nullopt;
  return std::nullopt;
}

void explain_cause(const Traceback &traceback, std::optional<std::size_t> crashed, FrameDecoder &decoder,
                   ExplainedTraceback &into) {
  into.what = main_message(traceback);
  for (const std::string &message : traceback.messages) {
    std::string_view meaning = meaning_of_c_abort(message);
    if (meaning.empty())
      meaning = meaning_of_message(message);
    if (!meaning.empty()) {
      into.why.emplace_back(meaning);
      break;
    }
  }
  const auto &goroutines = traceback.goroutines;
  if (into.kind == CrashKind::data_race)
    explain_race(traceback, into);
  if (!crashed && into.kind == CrashKind::stacks && goroutines.size() == 1 && goroutines.front().is_listing() &&
      goroutines.front().count == 1) { // where an error was made, or a message logged
    if (const CrashSite site = crash_site(traceback, goroutines.front(), into.kind); site.frame)
      into.where = place_in(goroutines.front(), *site.frame);
  }
  if (!crashed) {
    const bool not_panicked = into.kind == CrashKind::fatal_error || into.kind == CrashKind::signal;
    if (not_panicked && !traceback.goroutines.empty() && has_crash(traceback, into.kind) &&
        !crashed_goroutine(traceback, into.kind))
      explain_system_stack(traceback, into);
    return;
  }
  const TracebackGoroutine &goroutine = traceback.goroutines[*crashed];
  if (!goroutine.is_listing())
    into.crashed = goroutine.id;
  const CrashSite site = crash_site(traceback, goroutine, into.kind);
  if (!site.frame)
    return;
  into.where = place_in(goroutine, *site.frame);
  explain_later_panics(goroutine, site, into);
  if (*crashed + 1 < goroutines.size() && goroutine.frames.front().function == "runtime/debug.Stack" &&
      has_message(traceback, "panic: ")) {
    const TracebackGoroutine &last = goroutines[*crashed + 1];
    if (const CrashSite raised = crash_site(traceback, last, into.kind); raised.frame && can_have_crashed(last))
      into.then.push_back(fmt::format("goroutine {} panicked with that stack in the value, in {}", last.id,
                                      place_in(last, *raised.frame)));
  }
  CauseFinder(traceback, goroutine, site, decoder, into).find();
}

} // namespace inspect
