#include "golang/traceback/traceback_text.h"

#include "golang/traceback/c_abort_messages.h"
#include "golang/traceback/log_carriers.h"
#include "golang/traceback/log_lines.h"
#include "golang/traceback/stack_listing.h"
#include "golang/traceback/traceback_lines.h"

#include <algorithm>
#include <deque>
#include <map>
#include <unordered_set>
#include <utility>

namespace inspect {
namespace {

constexpr std::size_t max_messages = 64;         // lines before the first goroutine
constexpr std::size_t max_message_length = 4096; // bytes of one
constexpr std::size_t max_runtime_notes = 16;    // of one goroutine
constexpr std::size_t max_registers = 64;
constexpr std::size_t max_lines_between = 8; // a C library's message and the signal

/// Reads a text line by line. A traceback is open once it has a header, a signal or a message; a goroutine is open from
/// its header on, and its frames come as pairs of lines.
class TracebackReader {
public:
  explicit TracebackReader(const LogText &log) : lines_(log) {}

  std::vector<Traceback> run() {
    while (auto line = lines_.next())
      take(*line);
    settle_pending(true);
    close_listing();
    finish();
    flush_headless();
    return std::move(tracebacks_);
  }

private:
  void take(const LogLine &line);
  bool take_header(const LogLine &line);
  bool take_profile_record(const LogLine &line);
  bool take_profile_frame(std::string_view content, const LogLine &line);
  bool take_listing(std::string_view content, const LogLine &line);
  void close_listing();
  void attach_creations();
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
  StackListing listing_;
  std::vector<Traceback> tracebacks_;
  std::optional<Traceback> current_;
  bool in_goroutine_ = false;
  bool in_race_ = false;
  bool in_profile_ = false;    ///< of /debug/pprof/goroutine?debug=1
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
    std::size_t index = 0;
  };
  std::size_t listing_index_ = 0;
  std::size_t stack_index_ = 0; ///< of the line that the last stack began in
  std::deque<Before> before_;   ///< lines since the last goroutine that are not part of it
  bool race_announced_ = false;
  bool pending_doubtful_ = false; ///< something else followed the call
};

/// Not brackets and colons alone.
static bool has_words(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }) >= 2;
}

Traceback &TracebackReader::open(std::size_t text_line) {
  if (!current_) {
    current_.emplace();
    current_->text_line = text_line;
  }
  return *current_;
}

/// The race detector tells where its goroutines were created in sections of their own.
void TracebackReader::attach_creations() {
  for (const TracebackGoroutine &creation : current_->goroutines)
    if (creation.ancestor_of && creation.id == 0 && !creation.frames.empty())
      for (TracebackGoroutine &goroutine : current_->goroutines)
        if (goroutine.id == *creation.ancestor_of && !goroutine.created_by && !goroutine.ancestor_of)
          goroutine.created_by = creation.frames.front();
}

void TracebackReader::finish() {
  if (current_ && in_race_)
    attach_creations();
  if (current_ && (!current_->goroutines.empty() || current_->signal))
    tracebacks_.push_back(std::move(*current_));
  current_.reset();
  in_goroutine_ = in_race_ = in_profile_ = creator_open_ = separated_ = several_dumps_ = false;
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
  if (take_header(line) || take_profile_record(line))
    return;
  const auto contents = readings(line.text);
  for (const std::string_view content : contents)
    if (take_race_section(content, line) || (in_profile_ && take_profile_frame(content, line)) ||
        (in_goroutine_ && take_in_goroutine(content, line)) || (current_ && take_after_goroutines(content)))
      return;
  if (take_listing(contents.front(), line))
    return;
  if (trim_blanks(contents.front()).empty())
    return;
  // A position may be the line that the text breaks off in.
  pending_doubtful_ = !line.last || (contents.front().front() != '\t' && contents.front().front() != ' ');
  last_plain_ = in_goroutine_ ? trim_blanks(contents.front()).substr(0, max_message_length) : std::string_view();
  take_message_candidate(line);
}

/// "12 @ 0x43e1f6 0x44f2b3": goroutines with one stack.
bool TracebackReader::take_profile_record(const LogLine &line) {
  const auto record = read_profile_record(line.text);
  if (!record)
    return false;
  settle_pending(true);
  close_listing();
  prefix_ = LogPrefix(line.text.substr(0, record->column));
  if (!in_profile_)
    finish();
  TracebackGoroutine goroutine;
  goroutine.count = record->count;
  start_goroutine(std::move(goroutine), line);
  return in_profile_ = true;
}

bool TracebackReader::take_profile_frame(std::string_view content, const LogLine &line) {
  TracebackGoroutine &goroutine = current_->goroutines.back();
  if (auto frame = read_profile_frame(content)) {
    frame->text_line = line.number;
    frame->listed = true;
    goroutine.frames.push_back(std::move(*frame));
    return true;
  }
  const std::string_view text = trim_blanks(content);
  if (!text.starts_with("# labels: ") || goroutine.notes.size() >= max_runtime_notes)
    return false;
  goroutine.notes.emplace_back(text.substr(2, max_message_length));
  return true;
}

bool TracebackReader::take_listing(std::string_view content, const LogLine &line) {
  const bool first = listing_.frames().empty();
  if (!listing_.take(content, line.number)) {
    if (!first)
      close_listing();
    return false;
  }
  if (!first)
    return true;
  // Its function was taken for a message.
  listing_index_ = line.index;
  if (!before_.empty() && trim_blanks(before_.back().text).starts_with(listing_.frames().front().function)) {
    before_.pop_back();
    --listing_index_;
  }
  in_goroutine_ = false;
  return true;
}

void TracebackReader::close_listing() {
  std::vector<TracebackFrame> frames = listing_.finish();
  if (frames.empty())
    return;
  const std::size_t text_line = frames.front().text_line;
  settle_pending(true);
  finish();
  prefix_ = LogPrefix();
  open(text_line);
  stack_index_ = listing_index_;
  collect_messages();
  TracebackGoroutine &goroutine = current_->goroutines.emplace_back();
  goroutine.text_line = text_line;
  goroutine.frames = std::move(frames);
  finish();
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
  close_listing();
  prefix_ = LogPrefix(line.text.substr(0, header->column));
  start_goroutine(std::move(header->goroutine), line);
  return true;
}

/// The value of a panic may hold the stack of an earlier one, which is printed in front of the goroutine's own
/// (golang.org/x/sync/singleflight and errgroup).
static bool holds_value_with_stack(const Traceback &traceback) {
  const bool panic = std::ranges::any_of(traceback.messages,
                                         [](const std::string &message) { return message.starts_with("panic: "); });
  return panic && traceback.goroutines.size() == 1 && !traceback.goroutines.front().frames.empty() &&
         traceback.goroutines.front().frames.front().function == "runtime/debug.Stack";
}

void TracebackReader::start_goroutine(TracebackGoroutine goroutine, const LogLine &line) {
  const bool begins_anew = std::ranges::any_of(before_, [&](const Before &before) {
    return classify_message_line(prefix_.strip(before.text).value_or(before.text)) == MessageLine::begins;
  });
  const bool seen = !several_dumps_ && !in_profile_ && goroutine.id != 0 && ids_.contains(goroutine.id);
  if (current_ && !separated_ && !current_->goroutines.empty() &&
      (begins_anew || (seen && !holds_value_with_stack(*current_)) || current_->exit_status))
    finish();
  open(line.number);
  stack_index_ = line.index;
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
  // Other threads may have written something between the C library's words and the signal's.
  if (first < texts.size() && texts[first].first.contains("SIGABRT"))
    for (std::size_t back = 1; back <= std::min(first, max_lines_between); ++back)
      if (!meaning_of_c_abort(texts[first - back].first).empty()) {
        first -= back;
        break;
      }
  if (first == texts.size() && current_->goroutines.empty())
    for (std::size_t i = texts.size(); i-- > 0 && first == texts.size();)
      if (const auto message = message_behind_text(texts[i].first)) {
        texts[i].first = *message;
        first = i;
      }
  // debug.Stack and the like: the line right above may say why.
  if (first == texts.size() && !texts.empty() && current_->messages.empty() && current_->goroutines.empty() &&
      has_words(texts.back().first) && before_.back().index + 1 == stack_index_)
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
  before_.push_back({std::string(line.text.substr(0, max_message_length)), line.number, line.index});
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
    // gccgo's calls have no brackets; of one goroutine all or none have.
    const bool bare = is_function_line(last_plain_) && content.find_first_of(" \t") == 0 &&
                      std::ranges::none_of(goroutine.frames, &TracebackFrame::has_arguments);
    if (!bare && (!place.pc || last_plain_.find(": ") != std::string::npos))
      return false;
    place.function = last_plain_;
    place.listed = bare;
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

namespace {

/// How well a text reads: every part of a traceback that is whole counts, and the lines without which a part is not
/// whole against it. A record may have one traceback in several forms: of goroutines with one number from one line of
/// the input only the best counts.
class ReadingScore {
public:
  explicit ReadingScore(const std::vector<Traceback> &tracebacks) {
    for (const Traceback &traceback : tracebacks) {
      // What is not known to be a message may be anything that stands there; behind one it speaks of broken lines.
      const auto known = std::ranges::count_if(
          traceback.messages, [](const std::string &line) { return classify_message_line(line) != MessageLine::none; });
      rests_ += known > 0 ? traceback.messages.size() - static_cast<std::size_t>(known) : 0;
      std::size_t messages = known > 0 ? message : 0;
      if (const auto &signal = traceback.signal)
        messages += message + (signal->address ? detail : 0) + (signal->pc ? detail : 0);
      for (const TracebackGoroutine &goroutine : traceback.goroutines)
        count(goroutine, std::exchange(messages, 0));
    }
  }

  LogTextReading reading() const { return {total_ - std::min(total_, lost_), rests_}; }

private:
  static constexpr std::size_t message = 4, header = 4, place = 6, detail = 1;

  void count(const TracebackGoroutine &goroutine, std::size_t messages) {
    if (goroutine.is_listing()) { // which headers, where there are such, are part of
      total_ += goroutine.frames.size() + messages;
      return;
    }
    std::size_t score = messages + (goroutine.frames.empty() ? 0 : header);
    std::size_t lost = 0;
    const auto count_frame = [&](const TracebackFrame &frame) {
      const bool whole = !frame.file.empty() && !frame.file.substr(0, 8).contains("\\t/");
      score += (whole ? place : 0) + (frame.offset || frame.pc ? detail : 0);
      lost += whole ? 0 : 1;
    };
    std::ranges::for_each(goroutine.frames, count_frame);
    if (goroutine.created_by)
      count_frame(*goroutine.created_by);
    lost_ += lost;
    std::size_t &best = best_[{goroutine.text_line, goroutine.id}];
    total_ += std::max(best, score) - best;
    best = std::max(best, score);
  }

  std::map<std::pair<std::size_t, std::uint64_t>, std::size_t> best_; ///< by line of the input and number
  std::size_t total_ = 0;
  std::size_t lost_ = 0;
  std::size_t rests_ = 0;
};

} // namespace

std::vector<Traceback> parse_tracebacks(std::string_view text) {
  const LogText log = without_carriers({std::string(text), {}}, [](const LogText &candidate) {
    return ReadingScore(TracebackReader(candidate).run()).reading();
  });
  return TracebackReader(log).run();
}

} // namespace inspect
