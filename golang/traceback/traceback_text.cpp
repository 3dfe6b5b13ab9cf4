#include "golang/traceback/traceback_text.h"

#include "golang/traceback/log_lines.h"
#include "golang/traceback/traceback_lines.h"

#include <algorithm>
#include <deque>
#include <unordered_set>

namespace inspect {
namespace {

constexpr std::size_t max_messages = 64;         // lines before the first goroutine
constexpr std::size_t max_message_length = 4096; // bytes of one
constexpr std::size_t max_runtime_notes = 16;    // of one goroutine
constexpr std::size_t max_registers = 64;

/// Reads a text line by line. A traceback is open once it has a header, a signal or a message; a goroutine is open from
/// its header on, and its frames come as pairs of lines.
class TracebackReader {
public:
  explicit TracebackReader(std::string_view text) : lines_(text) {}

  std::vector<Traceback> run() {
    while (auto line = lines_.next())
      take(*line);
    settle_pending(true);
    finish();
    flush_headless();
    return std::move(tracebacks_);
  }

private:
  void take(const LogLine &line);
  bool take_header(const LogLine &line);
  bool take_race_section(std::string_view content, const LogLine &line);
  bool take_in_goroutine(std::string_view content, const LogLine &line);
  bool take_place(std::string_view content);
  bool take_after_goroutines(std::string_view content);
  void take_message_candidate(const LogLine &line);

  void start_goroutine(TracebackGoroutine goroutine, const LogLine &line);
  void collect_messages();
  void flush_headless();
  void settle_pending(bool at_boundary);
  void finish();
  std::vector<std::string_view> readings(std::string_view line) const;
  Traceback &open(std::size_t text_line);

  LogLines lines_;
  std::vector<Traceback> tracebacks_;
  std::optional<Traceback> current_;
  bool in_goroutine_ = false;
  bool in_race_ = false;
  bool creator_open_ = false;  ///< "created by" was read, its position was not
  bool separated_ = false;     ///< "-----": the next dump belongs to the same crash (GOTRACEBACK=crash)
  bool several_dumps_ = false; ///< there was such a line in this traceback
  std::unordered_set<std::uint64_t> ids_;
  LogPrefix prefix_;
  std::optional<TracebackFrame> pending_; ///< a call whose position has not been read
  std::string last_plain_;                ///< a line that was nothing else: a C function, when a position follows
  struct Before {
    std::string text;
    std::size_t number = 0;
  };
  std::deque<Before> before_; ///< lines since the last goroutine that are not part of it
  bool race_announced_ = false;
  bool pending_doubtful_ = false; ///< something else followed the call
};

Traceback &TracebackReader::open(std::size_t text_line) {
  if (!current_) {
    current_.emplace();
    current_->text_line = text_line;
  }
  return *current_;
}

void TracebackReader::finish() {
  if (current_ && (!current_->goroutines.empty() || current_->signal))
    tracebacks_.push_back(std::move(*current_));
  current_.reset();
  in_goroutine_ = in_race_ = creator_open_ = separated_ = several_dumps_ = false;
  ids_.clear();
}

/// What the content of a line may be, most likely first: behind the prefix, the line as it is, and, for prefixes that
/// are never the same, behind the last tab or wide gap, or from the blank before the call's name.
std::vector<std::string_view> TracebackReader::readings(std::string_view line) const {
  std::vector<std::string_view> all;
  if (!prefix_.empty())
    if (const auto stripped = prefix_.strip(line))
      all.push_back(*stripped);
  if (all.empty()) {
    all.push_back(line);
    if (prefix_.empty())
      return all;
    if (const std::size_t tab = line.rfind('\t'); tab != std::string_view::npos)
      all.push_back(line.substr(tab));
    if (const std::size_t gap = line.rfind("  "); gap != std::string_view::npos)
      all.push_back(line.substr(gap));
    const std::size_t open = line.rfind('(');
    if (const std::size_t blank = line.substr(0, open).rfind(' '); blank != std::string_view::npos)
      all.push_back(line.substr(blank));
  }
  return all;
}

/// A call without a position is one only where the text breaks off, or something of the traceback follows.
void TracebackReader::settle_pending(bool at_boundary) {
  if (pending_ && !pending_doubtful_ && current_ && !current_->goroutines.empty() && at_boundary &&
      pending_->function.find('.') != std::string::npos)
    current_->goroutines.back().frames.push_back(std::move(*pending_));
  pending_.reset();
  pending_doubtful_ = false;
}

void TracebackReader::take(const LogLine &line) {
  if (take_header(line))
    return;
  const auto contents = readings(line.text);
  for (const std::string_view content : contents)
    if (take_race_section(content, line) || (in_goroutine_ && take_in_goroutine(content, line)) ||
        (current_ && take_after_goroutines(content)))
      return;
  if (trim_blanks(contents.front()).empty())
    return;
  // A position may be the line that the text breaks off in.
  pending_doubtful_ = !line.last || (contents.front().front() != '\t' && contents.front().front() != ' ');
  last_plain_ = in_goroutine_ ? trim_blanks(contents.front()).substr(0, max_message_length) : std::string_view();
  take_message_candidate(line);
}

bool TracebackReader::take_header(const LogLine &line) {
  auto header = read_traceback_header(line.text);
  if (!header) {
    const std::string_view text = line.text.substr(0, line.text.find_last_not_of(' ') + 1);
    if (!text.ends_with("runtime stack:"))
      return false;
    const std::size_t at = text.rfind("runtime stack:");
    header.emplace();
    header->goroutine.status = "runtime stack";
    header->column = at;
  }
  settle_pending(true);
  prefix_ = LogPrefix(line.text.substr(0, header->column));
  start_goroutine(std::move(header->goroutine), line);
  return true;
}

void TracebackReader::start_goroutine(TracebackGoroutine goroutine, const LogLine &line) {
  const bool begins_anew = std::ranges::any_of(before_, [&](const Before &before) {
    return classify_message_line(prefix_.strip(before.text).value_or(before.text)) == MessageLine::begins;
  });
  const bool seen = !several_dumps_ && goroutine.id != 0 && ids_.contains(goroutine.id);
  if (current_ && !separated_ && !current_->goroutines.empty() && (begins_anew || seen || current_->exit_status))
    finish();
  open(line.number);
  collect_messages();
  separated_ = false;
  ids_.insert(goroutine.id);
  goroutine.text_line = line.number;
  current_->goroutines.push_back(std::move(goroutine));
  in_goroutine_ = true;
  creator_open_ = in_race_ = race_announced_ = false;
  last_plain_.clear();
}

/// The lines before the first goroutine that belong to the crash.
void TracebackReader::collect_messages() {
  std::vector<std::pair<std::string_view, std::size_t>> texts;
  for (const Before &line : before_)
    texts.emplace_back(prefix_.strip(line.text).value_or(line.text), line.number);
  std::size_t first = texts.size();
  for (std::size_t i = texts.size(); i-- > 0;)
    if (classify_message_line(texts[i].first) == MessageLine::begins) {
      first = i;
      break;
    }
  if (first == texts.size() && current_->goroutines.empty())
    for (std::size_t i = 0; i < texts.size() && first == texts.size(); ++i)
      if (classify_message_line(texts[i].first) == MessageLine::belongs)
        first = i;
  while (first > 0 && first < texts.size() && classify_message_line(texts[first - 1].first) != MessageLine::none)
    --first;
  // debug.Stack and the like: the line right above may say why.
  if (first == texts.size() && !texts.empty() && current_->messages.empty() && current_->goroutines.empty() &&
      !trim_blanks(texts.back().first).empty() && texts.back().second + 1 == current_->text_line)
    first = texts.size() - 1;
  if (first < texts.size() && current_->goroutines.empty())
    current_->text_line = texts[first].second;
  for (std::size_t i = first; i < texts.size(); ++i) {
    const std::string_view text = texts[i].first.substr(0, max_message_length);
    if (trim_blanks(text).empty())
      continue;
    if (!current_->signal || current_->goroutines.empty()) // the first one is the crash's
      read_signal_line(text, current_->signal);
    if (current_->messages.size() < max_messages)
      current_->messages.emplace_back(trim_blanks(text));
  }
  before_.clear();
}

/// GOTRACEBACK=none, or a text that breaks off: a message and no goroutine.
void TracebackReader::flush_headless() {
  const auto begins = std::ranges::find_if(
      before_, [](const Before &line) { return classify_message_line(line.text) == MessageLine::begins; });
  if (begins == before_.end())
    return;
  prefix_ = LogPrefix();
  open(begins->number);
  collect_messages();
  tracebacks_.push_back(std::move(*current_));
  current_.reset();
}

void TracebackReader::take_message_candidate(const LogLine &line) {
  race_announced_ = race_announced_ || line.text.find("WARNING: DATA RACE") != std::string_view::npos;
  before_.push_back({std::string(line.text.substr(0, max_message_length)), line.number});
  if (before_.size() > max_messages)
    before_.pop_front();
}

bool TracebackReader::take_race_section(std::string_view content, const LogLine &line) {
  if (!in_race_ && !race_announced_)
    return false;
  auto section = read_race_section(content);
  if (!section)
    return false;
  settle_pending(true);
  TracebackGoroutine goroutine;
  if (section->access.empty()) {
    if (!current_)
      return false;
    goroutine.ancestor_of = section->goroutine;
    goroutine.text_line = line.number;
    current_->goroutines.push_back(std::move(goroutine));
    return in_goroutine_ = true;
  }
  prefix_ = LogPrefix(line.text.substr(0, static_cast<std::size_t>(trim_blanks(content).data() - line.text.data())));
  if (race_announced_)
    finish();
  goroutine.id = section->goroutine;
  goroutine.status = section->access;
  ids_.clear();
  start_goroutine(std::move(goroutine), line);
  return in_race_ = true;
}

bool TracebackReader::take_in_goroutine(std::string_view content, const LogLine &line) {
  TracebackGoroutine &goroutine = current_->goroutines.back();
  if (auto call = read_traceback_call(content, line.last)) {
    settle_pending(true);
    call->text_line = line.number;
    pending_ = std::move(*call);
    pending_doubtful_ = false;
    creator_open_ = false;
    return true;
  }
  if (take_place(content))
    return true;
  if (auto creator = read_traceback_creator(content)) {
    settle_pending(true);
    goroutine.created_by.emplace();
    goroutine.created_by->function = std::move(creator->function);
    goroutine.created_by->text_line = line.number;
    goroutine.created_in = creator->goroutine;
    return creator_open_ = true;
  }
  if (const auto elided = read_elided_frames(content)) {
    settle_pending(true);
    goroutine.frames_elided += *elided;
    return true;
  }
  if (const auto ancestor = read_ancestor(content)) {
    settle_pending(true);
    TracebackGoroutine origin;
    origin.id = *ancestor;
    origin.ancestor_of = goroutine.ancestor_of ? *goroutine.ancestor_of : goroutine.id;
    origin.text_line = line.number;
    current_->goroutines.push_back(std::move(origin));
    return true;
  }
  const std::string_view text = trim_blanks(content);
  if (text.ends_with("stack unavailable") && text.starts_with("goroutine running on other thread"))
    return goroutine.stack_unavailable = true;
  if (text.starts_with("non-Go function at pc=")) {
    settle_pending(true);
    TracebackFrame frame;
    frame.function = "non-Go function";
    frame.text_line = line.number;
    read_traceback_place(text.substr(text.rfind(' ') + 1), frame);
    goroutine.frames.push_back(std::move(frame));
    return true;
  }
  if (text.starts_with("runtime: ") && goroutine.notes.size() < max_runtime_notes)
    goroutine.notes.emplace_back(text.substr(0, max_message_length)); // and a message of what may follow
  return false;
}

/// The position completes a call, a creator, or a C function that a cgo symbolizer named.
bool TracebackReader::take_place(std::string_view content) {
  TracebackFrame place;
  if (!pending_ && !creator_open_ && last_plain_.empty())
    return false;
  if (!read_traceback_place(content, place))
    return false;
  TracebackGoroutine &goroutine = current_->goroutines.back();
  const auto complete = [&](TracebackFrame &frame) {
    frame.file = place.file;
    frame.line = place.line;
    frame.offset = place.offset;
    frame.frame_pointer = place.frame_pointer;
    frame.stack_pointer = place.stack_pointer;
    frame.pc = place.pc;
  };
  if (pending_) {
    complete(*pending_);
    goroutine.frames.push_back(std::move(*pending_));
    pending_.reset();
  } else if (creator_open_) {
    complete(*goroutine.created_by);
    creator_open_ = false;
  } else {
    if (!place.pc || last_plain_.find(": ") != std::string::npos)
      return false;
    place.function = last_plain_;
    place.text_line = before_.empty() ? 0 : before_.back().number;
    goroutine.frames.push_back(std::move(place));
    before_.clear();
  }
  last_plain_.clear();
  return true;
}

bool TracebackReader::take_after_goroutines(std::string_view content) {
  if (auto found = read_register(content)) {
    if (current_->registers.size() < max_registers &&
        std::ranges::find(current_->registers, found->first, &std::pair<std::string, std::uint64_t>::first) ==
            current_->registers.end()) // GOTRACEBACK=crash has a block per thread
      current_->registers.push_back(std::move(*found));
    return true;
  }
  if (const auto status = read_exit_status(content)) {
    settle_pending(true);
    current_->exit_status = status;
    return true;
  }
  if (trim_blanks(content) == "-----") {
    settle_pending(true);
    return separated_ = several_dumps_ = true;
  }
  return false;
}

} // namespace

std::vector<Traceback> parse_tracebacks(std::string_view text) {
  return TracebackReader(text).run();
}

} // namespace inspect
