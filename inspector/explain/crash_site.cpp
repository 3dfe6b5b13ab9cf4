#include "inspector/explain/crash_site.h"

#include "golang/traceback/traceback_lines.h"
#include "golang/traceback/traceback_rules.h"

#include <algorithm>
#include <array>

namespace inspect {
namespace {

constexpr std::string_view panic_prefix = "panic: ";

/// What stands on top of a stack because it was asked for, not because of a panic.
bool takes_stacks(std::string_view function) {
  return function == "runtime/debug.Stack" || function == "runtime/debug.PrintStack" || function == "runtime.Stack" ||
         function == "runtime.Callers";
}

/// "panic: …" and the lines of its value, with what printpanics says behind it.
struct PanicMessage {
  std::string text;
  bool recovered = false;
  bool repanicked = false; ///< the panics with the same value are not printed
};

bool take_end(std::string &text, std::string_view end) {
  if (!text.ends_with(end))
    return false;
  text.erase(text.size() - end.size());
  return true;
}

std::vector<PanicMessage> panic_messages(const Traceback &traceback) {
  std::vector<PanicMessage> all;
  for (const std::string &line : traceback.messages) {
    if (line.starts_with(panic_prefix))
      all.push_back({line, false, false});
    else if (!all.empty() && !line.starts_with("[signal ") && !line.starts_with("goroutine "))
      all.back().text += "\n" + line;
  }
  for (PanicMessage &message : all) {
    message.repanicked = take_end(message.text, " [recovered, repanicked]");
    message.recovered = message.repanicked || take_end(message.text, " [recovered]");
  }
  return all;
}

bool is_fault_message(std::string_view text) {
  return text.contains("invalid memory address or nil pointer dereference") ||
         text.contains("unexpected fault address");
}

/// Which message is whose, as far as it is certain: the first is the first panic's, the last one the last one's; all of
/// them where none was left out.
void assign_messages(const std::vector<PanicMessage> &messages, std::vector<LaterPanic> &later) {
  const bool all_printed = messages.size() == later.size() + 1;
  for (std::size_t i = 0; i < later.size(); ++i) {
    const bool last = i + 1 == later.size() && messages.size() > 1 && !messages.back().repanicked;
    if (!all_printed && !last) {
      later[i].passed_on = messages.empty() || messages.front().repanicked;
      continue;
    }
    const std::size_t own = all_printed ? i + 1 : messages.size() - 1;
    later[i].message = messages[own].text;
    later[i].passed_on = messages[own].text == messages[own - 1].text;
  }
  // gp.sig is that of the last fault.
  std::size_t faulted = 0;
  for (std::size_t i = 0; i < messages.size(); ++i)
    if (is_fault_message(messages[i].text))
      faulted = i;
  if (all_printed && faulted > 0 && !later[faulted - 1].passed_on)
    later[faulted - 1].has_signal = true;
}

/// "/usr/local/go/src/runtime/panic.go"; with -trimpath "runtime/panic.go".
bool in_runtime_folder(std::string_view file) {
  const std::size_t slash = file.find_last_of("/\\");
  if (slash == std::string_view::npos)
    return false;
  const std::string_view folder = file.substr(0, slash);
  return folder == "runtime" || folder.ends_with("/src/runtime") || folder.ends_with("\\src\\runtime") ||
         folder.ends_with("/src/internal/runtime/maps");
}

/// A listing may have functions without their packages.
bool is_panic_call(const TracebackFrame &frame) {
  const std::string_view function = frame.function;
  return function == "panic" || function == "runtime.gopanic" || function == "runtime.sigpanic" ||
         ((function == "gopanic" || function == "sigpanic") && in_runtime_folder(frame.file));
}

/// Frames that panicked, the innermost first. A call of panic that leads to no frame outside the runtime is left out.
struct PanicFrames {
  std::vector<std::size_t> sites;
  std::optional<std::size_t> top; ///< the innermost frame outside the runtime that is above the first call of panic
};

PanicFrames panic_frames(const TracebackGoroutine &goroutine) {
  PanicFrames found;
  bool below_panic = false;
  bool any_panic = false;
  for (std::size_t i = 0; i < goroutine.frames.size(); ++i) {
    const TracebackFrame &frame = goroutine.frames[i];
    if (is_panic_call(frame)) {
      below_panic = any_panic = true;
    } else if (!is_runtime_frame(frame)) {
      if (below_panic)
        found.sites.push_back(i);
      else if (!any_panic && !found.top)
        found.top = i;
      below_panic = false;
    }
  }
  return found;
}

} // namespace

bool is_runtime_frame(const TracebackFrame &frame) {
  return is_runtime_function(frame.function) || in_runtime_folder(frame.file);
}

bool is_panicking(const TracebackGoroutine &goroutine) {
  const PanicFrames frames = panic_frames(goroutine);
  return !frames.sites.empty() && frames.top.has_value();
}

CrashSite crash_site(const Traceback &traceback, const TracebackGoroutine &goroutine, CrashKind kind) {
  const PanicFrames frames = panic_frames(goroutine);
  CrashSite site;
  if (kind != CrashKind::panic || frames.sites.empty()) {
    site.frame = frames.top ? frames.top : frames.sites.empty() ? std::nullopt : std::optional(frames.sites.front());
    if (frames.top && !frames.sites.empty() && kind != CrashKind::stacks)
      site.during = frames.sites.back();
    return site;
  }
  site.frame = frames.sites.back();
  for (std::size_t i = frames.sites.size() - 1; i-- > 0;)
    site.later.push_back({frames.sites[i], {}, false, false});
  const std::vector<PanicMessage> messages = panic_messages(traceback);
  // Of an uncaught panic the innermost call of panic is not printed; of a stack that a handler printed, the handler is
  // on top.
  const bool more_messages = messages.size() > frames.sites.size() || (!messages.empty() && messages.back().repanicked);
  const bool uncaught = more_messages && !takes_stacks(goroutine.frames.front().function);
  if (uncaught && frames.top)
    site.later.push_back({*frames.top, {}, false, false});
  assign_messages(messages, site.later);
  return site;
}

std::optional<std::size_t> program_frame_below(const TracebackGoroutine &goroutine, std::size_t frame) {
  const auto is_foreign = [](const TracebackFrame &one) {
    return is_standard_library(one.function) || one.function.contains("._Cfunc_") || is_runtime_frame(one);
  };
  if (frame >= goroutine.frames.size() || !is_foreign(goroutine.frames[frame]))
    return std::nullopt;
  // What a panic interrupted did not call the handler.
  for (std::size_t i = frame + 1; i < goroutine.frames.size() && !is_panic_call(goroutine.frames[i]); ++i)
    if (!is_foreign(goroutine.frames[i]))
      return i;
  return std::nullopt;
}

std::optional<std::size_t> system_stack_site(const TracebackGoroutine &goroutine) {
  constexpr std::array reporting = std::to_array<std::string_view>(
      {"runtime.throw", "runtime.fatal", "runtime.fatalthrow", "runtime.fatalthrow.func1", "runtime.throw.func1",
       "runtime.sigpanic", "runtime.gopanic", "runtime.dopanic_m", "runtime.panicmem", "runtime.sighandler", "panic",
       "runtime.abort", "runtime.crash", "runtime.badmorestackg0", "runtime.morestack", "runtime.morestack_noctxt"});
  for (std::size_t i = 0; i < goroutine.frames.size(); ++i)
    if (std::ranges::find(reporting, goroutine.frames[i].function) == reporting.end())
      return i;
  return std::nullopt;
}

} // namespace inspect
