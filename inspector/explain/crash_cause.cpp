#include "inspector/explain/crash_cause.h"

#include "golang/arguments/receiver_name.h"
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

class CauseFinder {
public:
  CauseFinder(const Traceback &traceback, const TracebackGoroutine &goroutine, std::size_t frame, FrameDecoder &decoder,
              ExplainedTraceback &into)
      : traceback_(traceback), goroutine_(goroutine), frame_(frame), decoder_(decoder), into_(into) {}

  void find() {
    if (const auto &signal = traceback_.signal)
      explain_fault(*signal);
    explain_bounds();
    explain_recursion();
  }

private:
  const TracebackFrame &frame(std::size_t index) const { return goroutine_.frames[index]; }

  void explain_fault(const TracebackSignal &signal) {
    if (std::string meaning = meaning_of_fault(signal.name, signal.code, signal.address); !meaning.empty()) {
      into_.why.push_back(std::move(meaning));
      return;
    }
    if (signal.name != "SIGSEGV" || !signal.address)
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
  std::size_t frame_;
  FrameDecoder &decoder_;
  ExplainedTraceback &into_;
};

/// The message that says most: the last panic, or the fatal error.
std::string main_message(const Traceback &traceback) {
  std::string best;
  for (const std::string &message : traceback.messages)
    if (message.starts_with("panic: ") || message.starts_with("fatal error: ") || message.starts_with("SIG") ||
        message.starts_with("WARNING: "))
      best = message;
  if (best.empty() && !traceback.messages.empty())
    best = traceback.messages.front();
  return best;
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
    if (message.starts_with("panic: ") || message.find("panic serving ") != std::string::npos)
      return CrashKind::panic;
  }
  return traceback.signal ? CrashKind::signal : CrashKind::stacks;
}

std::optional<std::size_t> crashed_goroutine(const Traceback &traceback, CrashKind kind) {
  const bool asked_for =
      kind == CrashKind::stacks || kind == CrashKind::data_race ||
      (kind == CrashKind::signal && (traceback.signal->name == "SIGQUIT" || traceback.signal->name == "SIGABRT"));
  const bool deadlock = std::ranges::any_of(traceback.messages, [](const std::string &message) {
    return message.find("all goroutines are asleep") != std::string::npos;
  });
  if (asked_for || deadlock)
    return std::nullopt;
  // The runtime prints it first, behind its own stack.
  for (std::size_t i = 0; i < traceback.goroutines.size(); ++i)
    if (traceback.goroutines[i].id != 0)
      return i;
  return traceback.goroutines.empty() ? std::nullopt : std::optional<std::size_t>(0);
}

std::optional<std::size_t> crashed_frame(const TracebackGoroutine &goroutine) {
  for (std::size_t i = 0; i < goroutine.frames.size(); ++i)
    if (!is_runtime_function(goroutine.frames[i].function))
      return i;
  return std::nullopt;
}

void explain_cause(const Traceback &traceback, std::optional<std::size_t> crashed, FrameDecoder &decoder,
                   ExplainedTraceback &into) {
  into.what = main_message(traceback);
  for (const std::string &message : traceback.messages)
    if (const std::string_view meaning = meaning_of_message(message); !meaning.empty()) {
      into.why.emplace_back(meaning);
      break;
    }
  if (!crashed)
    return;
  const TracebackGoroutine &goroutine = traceback.goroutines[*crashed];
  into.crashed = goroutine.id;
  const auto frame = crashed_frame(goroutine);
  if (!frame)
    return;
  into.where = place_of(goroutine.frames[*frame]);
  CauseFinder(traceback, goroutine, *frame, decoder, into).find();
}

} // namespace inspect
