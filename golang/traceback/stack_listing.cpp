#include "golang/traceback/stack_listing.h"

#include "golang/traceback/traceback_lines.h"

#include <algorithm>
#include <charconv>

namespace inspect {
namespace {

constexpr std::size_t max_function_length = 512;
constexpr std::size_t max_frames = 1 << 16;
constexpr std::size_t least_frames = 2;

bool is_indented(std::string_view line) {
  return line.starts_with('\t') || line.starts_with(' ');
}

/// "/src/load.go:12 (0x4b3f)"
std::optional<TracebackFrame> read_position_with_pc(std::string_view line) {
  std::string_view text = trim_blanks(line);
  const std::size_t open = text.rfind(" (0x");
  if (open == std::string_view::npos || !text.ends_with(')') || is_indented(line))
    return std::nullopt;
  TracebackFrame frame;
  std::uint64_t pc = 0;
  const char *const end = text.data() + text.size() - 1;
  const auto [last, failed] = std::from_chars(text.data() + open + 4, end, pc, 16);
  if (failed != std::errc() || last != end || !read_traceback_place(text.substr(0, open), frame))
    return std::nullopt;
  frame.pc = pc;
  return frame;
}

/// "/src/load.go:12", of Go or assembly.
bool read_source(std::string_view text, TracebackFrame &into) {
  return read_traceback_place(trim_blanks(text), into) && !into.offset && !into.pc &&
         (into.file.ends_with(".go") || into.file.ends_with(".s"));
}

/// "at main.load ( load.go:12 )", "main.load (/src/load.go:12)", "main.load /src/load.go:12", "/src/load.go:12
/// main.load"
std::optional<TracebackFrame> read_single_line(std::string_view line) {
  std::string_view text = trim_blanks(line);
  if (text.starts_with("at "))
    text = trim_blanks(text.substr(3));
  TracebackFrame frame;
  const auto named = [&](std::string_view function) -> std::optional<TracebackFrame> {
    function = trim_blanks(function);
    if (!is_function_line(function))
      return std::nullopt;
    frame.function = function;
    return frame;
  };
  const std::size_t open = text.rfind('(');
  if (text.ends_with(')') && open != std::string_view::npos &&
      read_source(text.substr(open + 1, text.size() - open - 2), frame))
    return named(text.substr(0, open));
  const std::size_t last = text.rfind(' '), first = text.find(' ');
  if (last != std::string_view::npos && read_source(text.substr(last + 1), frame))
    return named(text.substr(0, last));
  if (first != std::string_view::npos && read_source(text.substr(0, first), frame))
    return named(text.substr(first + 1));
  return std::nullopt;
}

} // namespace

bool is_function_line(std::string_view line) {
  const std::string_view text = trim_blanks(line);
  if (text.size() > max_function_length || text.find('.') == std::string_view::npos || text.contains(": ") ||
      text.contains("://"))
    return false;
  int depth = 0;
  for (const char c : text) {
    if (c == '(' || c == '[' || c == '{')
      ++depth;
    else if (c == ')' || c == ']' || c == '}')
      --depth;
    else if ((static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == ':') && depth <= 0)
      return false;
  }
  const char first = text.front();
  const bool letter = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '_' ||
                      static_cast<unsigned char>(first) >= 0x80;
  return letter && depth == 0 && text.back() != '.' && text.back() != ',';
}

bool StackListing::take_position(std::string_view line, std::size_t number) {
  if (auto frame = read_position_with_pc(line)) {
    frame->text_line = number;
    frame->function = "(function not named)";
    frames_.push_back(std::move(*frame));
    function_.clear();
    return nameless_ = true;
  }
  if (auto frame = read_single_line(line)) {
    frame->text_line = number;
    frames_.push_back(std::move(*frame));
    function_.clear();
    nameless_ = false;
    return true;
  }
  TracebackFrame frame;
  if (call_ && is_indented(line) && read_traceback_place(line, *call_)) { // its goroutine's header is cut off
    frames_.push_back(std::move(*call_));
    call_.reset();
    return true;
  }
  if (function_.empty() || !is_indented(line) || !read_traceback_place(line, frame) || frame.offset || frame.pc)
    return false;
  frame.function = std::move(function_);
  frame.text_line = function_line_;
  function_.clear();
  frames_.push_back(std::move(frame));
  nameless_ = false;
  return true;
}

bool StackListing::take(std::string_view line, std::size_t number) {
  if (frames_.size() >= max_frames)
    return false;
  if (take_position(line, number))
    return true;
  if (nameless_ && is_indented(line)) {
    const std::string_view text = trim_blanks(line);
    const std::size_t colon = text.find(": ");
    frames_.back().function = text.substr(0, std::min(colon, max_function_length));
    nameless_ = false;
    return true;
  }
  function_.clear();
  call_.reset();
  if (is_indented(line))
    return false;
  if (auto call = read_traceback_call(line, false); call && call->function.contains('.')) {
    call_ = std::move(call);
    call_->text_line = number;
    return !frames_.empty();
  }
  if (!is_function_line(line))
    return false;
  function_ = trim_blanks(line);
  function_line_ = number;
  return !frames_.empty();
}

std::vector<TracebackFrame> StackListing::finish() {
  std::vector<TracebackFrame> frames = std::move(frames_);
  frames_.clear();
  function_.clear();
  call_.reset();
  nameless_ = false;
  if (frames.size() < least_frames)
    frames.clear();
  for (TracebackFrame &frame : frames)
    frame.listed = !frame.has_arguments && !frame.offset;
  return frames;
}

} // namespace inspect
