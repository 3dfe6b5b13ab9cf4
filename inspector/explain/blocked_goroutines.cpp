#include "inspector/explain/blocked_goroutines.h"

#include "golang/arguments/receiver_name.h"
#include "inspector/explain/explanation.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <unordered_map>
#include <unordered_set>

namespace inspect {
namespace {

constexpr std::size_t max_sentences = 20;
constexpr std::size_t max_named = 3;               // goroutines in one sentence
constexpr std::uint64_t max_structure_size = 4096; // a lock is taken to lie inside what a word points to
constexpr std::size_t max_wait_depth = 8;          // frames from the top in which the wait shows
constexpr std::uint64_t min_pointer = 1 << 16;
constexpr std::size_t max_circle = 8; // goroutines

/// A function whose first word is what its caller waits for, or lies `offset` bytes behind its start.
struct WaitingFunction {
  std::string_view name;
  std::string_view what;
  std::uint64_t offset = 0;
  std::string_view how; ///< "lock", "read", "write", "receive", …
};

/// The runtime's own, whose first word is the semaphore that the lock's function waits for: where words of the
/// functions between them are out of date, or their calls inlined, it is the only one that is right.
constexpr std::string_view semaphore_function = "runtime.semacquire1";

constexpr std::uint64_t writer_semaphore = 8, reader_semaphore = 12; // of sync.RWMutex

// The fields' offsets: sync/mutex.go, sync/rwmutex.go, Go 1.5 to 1.26. internal/sync is Go 1.24's.
constexpr std::array waiting_functions = {
    WaitingFunction{"sync.(*RWMutex).RLock", "sync.RWMutex", 0, "read"},
    WaitingFunction{"sync.(*RWMutex).Lock", "sync.RWMutex", 0, "write"},
    WaitingFunction{"sync.(*Mutex).Lock", "sync.Mutex", 0, "lock"},
    WaitingFunction{"sync.(*Mutex).lockSlow", "sync.Mutex", 0, "lock"},
    WaitingFunction{"internal/sync.(*Mutex).Lock", "sync.Mutex", 0, "lock"},
    WaitingFunction{"internal/sync.(*Mutex).lockSlow", "sync.Mutex", 0, "lock"},
    WaitingFunction{"sync.runtime_SemacquireMutex", "sync.Mutex", 4, "lock"},
    WaitingFunction{"internal/sync.runtime_SemacquireMutex", "sync.Mutex", 4, "lock"},
    WaitingFunction{"sync.runtime_SemacquireRWMutex", "sync.RWMutex", writer_semaphore, "write"},
    WaitingFunction{"sync.runtime_SemacquireRWMutexR", "sync.RWMutex", reader_semaphore, "read"},
    WaitingFunction{"sync.(*WaitGroup).Wait", "sync.WaitGroup", 0, "wait group"},
    WaitingFunction{"sync.(*Cond).Wait", "sync.Cond", 0, "condition"},
    WaitingFunction{"runtime.chanrecv", "channel", 0, "receive"},
    WaitingFunction{"runtime.chanrecv1", "channel", 0, "receive"},
    WaitingFunction{"runtime.chanrecv2", "channel", 0, "receive"},
    WaitingFunction{"runtime.chansend", "channel", 0, "send"},
    WaitingFunction{"runtime.chansend1", "channel", 0, "send"},
};

struct Wait {
  std::string_view what;
  std::string_view how;
  std::uint64_t address = 0;
  std::size_t caller = 0; ///< frame that waits: the first outside runtime and sync
  bool reached = false;   ///< `address` is not its own, but what the caller reaches it from

  bool is_lock() const { return how == "lock" || how == "read" || how == "write"; }
};

bool is_stale(const TracebackFrame &frame) {
  return !frame.layout.tokens.empty() && frame.layout.tokens.front().stale;
}

bool is_synchronisation(std::string_view function) {
  return is_runtime_function(function) || function.starts_with("sync.") || function.starts_with("internal/sync.");
}

std::size_t caller_frame(const TracebackGoroutine &goroutine) {
  std::size_t frame = 0;
  while (frame < goroutine.frames.size() && is_synchronisation(goroutine.frames[frame].function))
    ++frame;
  return frame;
}

std::optional<Wait> shown_wait(const TracebackGoroutine &goroutine) {
  std::optional<Wait> found;
  std::uint64_t semaphore = 0;
  bool bare_semaphore = false; // of which lock, only the next function tells: an RWMutex has two of them up to Go 1.19
  for (std::size_t i = 0; i < goroutine.frames.size() && i < max_wait_depth; ++i) {
    const TracebackFrame &frame = goroutine.frames[i];
    if (!is_synchronisation(frame.function))
      break;
    const bool has_word = !frame.words.empty() && frame.words.front() >= min_pointer;
    if (frame.function == semaphore_function && has_word)
      semaphore = frame.words.front();
    const auto *known = std::ranges::find(waiting_functions, frame.function, &WaitingFunction::name);
    if (known == waiting_functions.end())
      continue;
    // The outermost one is what the program called: an RWMutex has a Mutex inside, a Cond too.
    if (!found)
      found.emplace();
    found->what = known->what;
    found->how = known->how;
    const std::uint64_t in_lock = known->offset != 0      ? known->offset
                                  : known->how == "read"  ? reader_semaphore
                                  : known->how == "write" ? writer_semaphore
                                                          : 0;
    if (has_word)
      found->address = frame.words.front() - known->offset;
    else if ((found->address == 0 || bare_semaphore) && semaphore > in_lock && in_lock != 0)
      found->address = semaphore - in_lock;
    bare_semaphore = known->name == "sync.runtime_SemacquireMutex";
  }
  if (!found)
    return std::nullopt;
  found->caller = caller_frame(goroutine);
  if (found->address == 0 && found->is_lock() && found->caller < goroutine.frames.size()) {
    const TracebackFrame &caller = goroutine.frames[found->caller];
    const auto receiver = receiver_of(caller.function);
    if (receiver && receiver->pointer && !caller.words.empty() && caller.words.front() >= min_pointer) {
      found->address = caller.words.front();
      found->reached = true;
    }
  }
  return found->address != 0 ? found : std::nullopt;
}

class WaitExplainer {
public:
  WaitExplainer(const Traceback &traceback, FrameDecoder &decoder)
      : goroutines_(traceback.goroutines), decoder_(decoder) {}

  std::vector<std::string> explain() {
    collect();
    index_words();
    say_longest();
    std::vector<std::uint64_t> addresses;
    for (const auto &[address, members] : waiters_)
      addresses.push_back(address);
    std::ranges::stable_sort(addresses, std::greater{}, [&](std::uint64_t a) { return waiters_[a].size(); });
    for (const std::uint64_t address : addresses)
      say_waiters(address);
    say_circle();
    say_nil_channels();
    if (sentences_.size() > max_sentences) {
      const std::size_t more = sentences_.size() - max_sentences;
      sentences_.resize(max_sentences);
      sentences_.push_back(fmt::format("and {} more of this kind", more));
    }
    return std::move(sentences_);
  }

private:
  struct Place {
    std::size_t goroutine = 0;
    std::size_t frame = 0;
  };

  void collect() {
    waits_.resize(goroutines_.size());
    for (std::size_t i = 0; i < goroutines_.size(); ++i) {
      if (goroutines_[i].ancestor_of)
        continue;
      waits_[i] = shown_wait(goroutines_[i]);
      if (!waits_[i] && goroutines_[i].status.starts_with("chan "))
        waits_[i] = typed_wait(goroutines_[i]);
      if (waits_[i])
        waiters_[waits_[i]->address].push_back(i);
    }
  }

  /// The runtime's frames are not shown: the only channel among the arguments of a goroutine that waits for one.
  std::optional<Wait> typed_wait(const TracebackGoroutine &goroutine) {
    const std::size_t caller = caller_frame(goroutine);
    if (caller >= goroutine.frames.size())
      return std::nullopt;
    std::optional<Wait> found;
    for (const FrameParameter &parameter : parameters_of(goroutine.frames[caller])) {
      if (parameter.type == nullptr || parameter.type->kind != GoKind::channel || !parameter.word ||
          *parameter.word < min_pointer)
        continue;
      if (found)
        return std::nullopt;
      found = Wait{"channel", goroutine.status.starts_with("chan send") ? "send" : "receive", *parameter.word, caller};
    }
    return found;
  }

  std::vector<FrameParameter> parameters_of(const TracebackFrame &frame) { return decoder_.parameters(frame); }

  /// Where words stand that are waited for, or that point to what holds such: one pass over all words.
  void index_words() {
    std::unordered_set<std::uint64_t> wanted;
    for (std::size_t i = 0; i < goroutines_.size(); ++i)
      if (waits_[i])
        for (const std::uint64_t word : holders_of(i))
          wanted.insert(word);
    if (wanted.empty())
      return;
    for (std::size_t i = 0; i < goroutines_.size(); ++i)
      for (std::size_t k = 0; k < goroutines_[i].frames.size(); ++k)
        for (const std::uint64_t word : goroutines_[i].frames[k].words)
          if (wanted.contains(word) && places_[word].size() < max_places)
            places_[word].push_back({i, k});
  }

  /// The words that lead to what goroutine `i` waits for: its address, and what its caller has in front of it.
  std::vector<std::uint64_t> holders_of(std::size_t i) const {
    const Wait &wait = *waits_[i];
    std::vector<std::uint64_t> words = {wait.address};
    if (wait.caller < goroutines_[i].frames.size())
      for (const std::uint64_t word : goroutines_[i].frames[wait.caller].words)
        if (word >= min_pointer && word < wait.address && wait.address - word < max_structure_size)
          words.push_back(word);
    return words;
  }

  void say_longest() {
    const TracebackGoroutine *longest = nullptr;
    for (const TracebackGoroutine &goroutine : goroutines_)
      if (goroutine.wait_minutes && (longest == nullptr || *goroutine.wait_minutes > *longest->wait_minutes))
        longest = &goroutine;
    if (longest != nullptr)
      sentences_.push_back(fmt::format("the longest wait: goroutine {}, {} minutes in {}", longest->id,
                                       *longest->wait_minutes, longest->status));
  }

  static std::string names(const std::vector<std::uint64_t> &ids) {
    std::string text = ids.size() == 1 ? "goroutine " : fmt::format("{} goroutines (", ids.size());
    for (std::size_t i = 0; i < ids.size() && i < max_named; ++i)
      text += fmt::format("{}{}", i == 0 ? "" : ", ", ids[i]);
    if (ids.size() > max_named)
      text += ", …";
    return ids.size() == 1 ? text : text + ")";
  }

  static std::string_view verb_of(std::string_view how) {
    if (how == "send")
      return "to send on";
    if (how == "receive")
      return "to receive from";
    return how == "read" ? "to read under" : how == "write" ? "to write under" : "for";
  }

  static std::string what_text(const Wait &wait, const TracebackGoroutine &goroutine) {
    if (!wait.reached)
      return fmt::format("the {} at {:#x}", wait.what, wait.address);
    return fmt::format("a {} that {} reaches from {:#x}", wait.what, goroutine.frames[wait.caller].function,
                       wait.address);
  }

  void say_waiters(std::uint64_t address) {
    const std::vector<std::size_t> &members = waiters_[address];
    std::map<std::string_view, std::vector<std::uint64_t>> by_kind;
    for (const std::size_t member : members)
      by_kind[waits_[member]->how].push_back(goroutines_[member].id);
    const std::string what = what_text(*waits_[members.front()], goroutines_[members.front()]);
    const std::vector<Place> others = possible_holders(members);
    const bool interesting = members.size() > 1 || !others.empty() || waits_[members.front()]->is_lock();
    if (!interesting)
      return;
    std::string sentence;
    for (const auto &[how, ids] : by_kind)
      sentence += fmt::format("{}{} wait{} {} {}", sentence.empty() ? "" : "; ", names(ids), ids.size() == 1 ? "s" : "",
                              verb_of(how), sentence.empty() || how != "write" ? what : "it");
    // sync/rwmutex.go: a writer that waits keeps new readers out.
    if (by_kind.contains("read") && by_kind.contains("write"))
      sentence += "; the readers wait behind the writer, which waits for those that hold it already";
    sentences_.push_back(sentence + holders_text(members, others));
  }

  /// A goroutine has the word of a lock that it waits for, and does not hold that one.
  bool waits_for_word(std::size_t goroutine, std::uint64_t word) const {
    const auto &wait = waits_[goroutine];
    return wait && wait->is_lock() && !wait->reached && wait->address == word;
  }

  /// Calls of other goroutines that have it, or what it lies in, among their words; the innermost of each.
  std::vector<Place> possible_holders(const std::vector<std::size_t> &members) const {
    std::vector<Place> found;
    std::unordered_set<std::size_t> seen(members.begin(), members.end());
    for (const std::uint64_t word : holders_of(members.front()))
      if (const auto places = places_.find(word); places != places_.end())
        for (const Place &place : places->second)
          if (!waits_for_word(place.goroutine, word) && seen.insert(place.goroutine).second)
            found.push_back(place);
    return found.empty() ? similar_holders(members) : found;
  }

  /// Where the waiter's own words are out of date: methods of the same type, on something that the lock may lie in.
  std::vector<Place> similar_holders(const std::vector<std::size_t> &members) const {
    std::vector<Place> found;
    const Wait &wait = *waits_[members.front()];
    const auto &frames = goroutines_[members.front()].frames;
    const auto receiver = wait.is_lock() && wait.caller < frames.size() && sentences_.size() < max_sentences
                              ? receiver_of(frames[wait.caller].function)
                              : std::nullopt;
    if (!receiver || !receiver->pointer)
      return found;
    for (std::size_t i = 0; i < goroutines_.size(); ++i) {
      if (waits_[i] && waits_[i]->address == wait.address)
        continue;
      for (std::size_t k = 0; k < goroutines_[i].frames.size(); ++k) {
        const TracebackFrame &frame = goroutines_[i].frames[k];
        // Of a call whose own word is out of date only the type is known.
        const bool unknown = !frame.words.empty() && (is_stale(frame) || frame.words.front() < min_pointer);
        if (frame.words.empty() || (!unknown && (frame.words.front() > wait.address ||
                                                 wait.address - frame.words.front() >= max_structure_size)))
          continue;
        const auto other = receiver_of(frame.function);
        if (!other || other->type != receiver->type || other->package_path != receiver->package_path)
          continue;
        found.push_back({i, k});
        break;
      }
    }
    return found;
  }

  std::string holders_text(const std::vector<std::size_t> &members, const std::vector<Place> &others) const {
    const bool lock = waits_[members.front()]->is_lock();
    if (others.empty())
      return lock ? own_text(members) : std::string();
    std::string text = lock ? ": it may be held by " : ": also known to ";
    for (std::size_t i = 0; i < others.size() && i < max_named; ++i)
      text += fmt::format("{}{}", i == 0 ? "" : "; ", place_text(others[i]));
    if (others.size() > max_named)
      text += fmt::format("; and {} more", others.size() - max_named);
    return text;
  }

  std::string place_text(const Place &place) const {
    const TracebackGoroutine &goroutine = goroutines_[place.goroutine];
    const TracebackFrame &frame = goroutine.frames[place.frame];
    std::string text = fmt::format("goroutine {} [{}] in {} at {}:{}", goroutine.id, goroutine.status, frame.function,
                                   frame.file, frame.line);
    if (const auto &wait = waits_[place.goroutine])
      text += ", which waits for " + what_text(*wait, goroutine);
    else if (!frame.words.empty() && (is_stale(frame) || frame.words.front() < min_pointer) &&
             receiver_of(frame.function))
      text += ", a method of the same type whose own pointer is not in the text";
    return text;
  }

  /// Nobody else has it: a call further out, on the same structure, may have taken the lock already.
  std::string own_text(const std::vector<std::size_t> &members) const {
    for (const std::size_t member : members) {
      const auto words = holders_of(member);
      const auto &frames = goroutines_[member].frames;
      for (std::size_t k = waits_[member]->caller + 1; k < frames.size(); ++k)
        for (const std::uint64_t word : frames[k].words)
          if (std::ranges::find(words, word) != words.end())
            return fmt::format(": goroutine {} may hold it itself: {} at {}:{} has the same pointer and called {}",
                               goroutines_[member].id, frames[k].function, frames[k].file, frames[k].line,
                               frames[waits_[member]->caller].function);
    }
    return ": no other goroutine in the text is seen to have it";
  }

  /// Locks that wait for each other in a circle, as far as who may hold which is seen; the first one found.
  void say_circle() {
    std::map<std::size_t, std::size_t> waits_for; // of one goroutine that may hold what this one waits for
    for (const auto &[address, members] : waiters_) {
      if (!waits_[members.front()]->is_lock())
        continue;
      for (const Place &place : possible_holders(members))
        if (waits_[place.goroutine] && waits_[place.goroutine]->is_lock()) {
          for (const std::size_t member : members)
            waits_for.emplace(member, place.goroutine);
          break;
        }
    }
    for (const auto &[begin, next] : waits_for) {
      std::vector<std::uint64_t> circle = {goroutines_[begin].id};
      std::size_t at = next;
      while (at != begin && circle.size() < max_circle) {
        circle.push_back(goroutines_[at].id);
        const auto on = waits_for.find(at);
        if (on == waits_for.end())
          break;
        at = on->second;
      }
      if (at != begin)
        continue;
      std::ranges::sort(circle);
      sentences_.insert(sentences_.begin(),
                        fmt::format("goroutines {} may wait for each other's locks: a deadlock, if they hold them",
                                    fmt::join(circle, ", ")));
      return;
    }
  }

  void say_nil_channels() {
    std::vector<std::uint64_t> forever;
    for (const TracebackGoroutine &goroutine : goroutines_)
      if (goroutine.status.ends_with("(nil chan)") || goroutine.status == "select (no cases)")
        forever.push_back(goroutine.id);
    if (!forever.empty())
      sentences_.push_back(fmt::format("{} wait{} for ever: on a channel that is nil, or a select without cases",
                                       names(forever), forever.size() == 1 ? "s" : ""));
  }

  static constexpr std::size_t max_places = 64; // of one word

  const std::vector<TracebackGoroutine> &goroutines_;
  FrameDecoder &decoder_;
  std::vector<std::optional<Wait>> waits_;
  std::map<std::uint64_t, std::vector<std::size_t>> waiters_; ///< by address
  std::unordered_map<std::uint64_t, std::vector<Place>> places_;
  std::vector<std::string> sentences_;
};

} // namespace

std::vector<std::string> explain_waiting(const Traceback &traceback, FrameDecoder &decoder) {
  return WaitExplainer(traceback, decoder).explain();
}

} // namespace inspect
