#include "attach/unstopped/sleeping_threads.h"

#include "attach/procfs/permission.h"
#include "attach/procfs/proc_file.h"
#include "attach/procfs/process_list.h"
#include "attach/procfs/process_status.h"
#include "attach/snapshot/signal_frame_search.h"
#include "attach/snapshot/stack_ranges.h"
#include "attach/unstopped/thread_look.h"
#include "machine/x86_64/registers.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fmt/format.h>
#include <sched.h>

namespace inspect {
namespace {

constexpr std::uint64_t page = 4096;
/// However much the others take, a stack gets so much.
constexpr std::uint64_t least_stack = 64U << 10;

RegisterSet registers_of(const BlockedCall &call) {
  constexpr std::array<unsigned, 6> places = {x86_64::rdi, x86_64::rsi, x86_64::rdx,
                                              x86_64::r10, x86_64::r8,  x86_64::r9};
  RegisterSet registers;
  registers.set(x86_64::return_address, call.pc.value);
  registers.set(x86_64::rsp, call.stack_pointer.value);
  if (call.number != -1)
    for (std::size_t i = 0; i < places.size(); ++i)
      registers.set(places[i], call.arguments[i]);
  return registers;
}

/// Those that have something to do come to sleep: at first those that only wait for this processor, then those, too,
/// that run on another one.
void let_them_run(int look) {
  constexpr int yields = 3;
  const timespec time{0, 500'000};
  if (look <= yields)
    ::sched_yield();
  else
    ::nanosleep(&time, nullptr);
}

/// A piece of a stack as it was read, before it is known whether that counts.
struct Piece {
  RunRange range;
  std::vector<std::byte> bytes;
  bool cut = false;
};

struct KeptPiece {
  SnapshotMemory::Range piece;
  bool ran_since_mark = false;
};

class SleeperReader {
public:
  SleeperReader(pid_t process, ThreadLooks looks, const MemoryView &memory, const std::vector<Mapping> &maps,
                const UnstoppedOptions &options)
      : process_(process), looks_(std::move(looks)), memory_(memory), maps_(maps), options_(options) {}

  /// An error where nothing can be read of any.
  Result<void> read(const std::vector<pid_t> &threads);
  SleepingThreads take();

private:
  enum class Outcome { done, again, refused };
  Outcome look_at(StoppedThread &thread);
  bool copy_stack(RunAddress stack_pointer);
  bool copy(StackRange stack);
  void keep_pieces(bool ran_since_mark);
  std::optional<StackRange> range_of(RunAddress stack_pointer);
  std::optional<StackRange> interrupted_range(RunAddress interrupted, RunRange of_thread);
  const std::vector<Mapping> &maps() const { return newer_maps_ ? *newer_maps_ : maps_; }
  bool cancelled() const { return options_.cancellation != nullptr && options_.cancellation->requested(); }

  pid_t process_;
  ThreadLooks looks_;
  const MemoryView &memory_;
  const std::vector<Mapping> &maps_;
  const UnstoppedOptions &options_;
  std::optional<std::vector<Mapping>> newer_maps_;
  std::vector<Piece> pieces_; ///< of the thread at hand: its stack, and the one that a signal handler interrupted
  std::vector<StoppedThread> threads_;
  std::vector<KeptPiece> kept_;
  CopyBuffer buffer_;
  std::uint64_t taken_ = 0;
  std::size_t cut_ = 0;
  std::size_t without_memory_ = 0;
  int refusal_ = 0; ///< the error number
};

Result<void> SleeperReader::read(const std::vector<pid_t> &threads) {
  std::vector<std::size_t> left;
  for (const pid_t thread : threads) {
    left.push_back(threads_.size());
    StoppedThread &one = threads_.emplace_back();
    one.thread = thread;
    one.state = StopState::not_asleep;
    one.reason = "it was not looked at, for that was cancelled";
  }
  for (int look = 0; look <= options_.more_looks && !left.empty(); ++look) {
    if (look > 0)
      let_them_run(look);
    std::erase_if(left, [&](std::size_t i) { return !cancelled() && look_at(threads_[i]) != Outcome::again; });
    if (refusal_ != 0)
      break;
  }
  if (refusal_ == EACCES || refusal_ == EPERM)
    return std::unexpected(explain_not_permitted(process_, refusal_, "reading what its threads wait in"));
  if (refusal_ != 0)
    return std::unexpected(Error::from_errno(
        refusal_, fmt::format("reading {}", proc_path(process_, threads.front(), "syscall")),
        "the kernel must have CONFIG_HAVE_ARCH_TRACEHOOK and a complete /proc to tell where a thread waits"));
  return {};
}

SleeperReader::Outcome SleeperReader::look_at(StoppedThread &thread) {
  const auto before = looks_.at(thread.thread);
  if (!before) {
    const auto stat = read_thread_stat(process_, thread.thread);
    if (stat && !has_ended(stat->state)) {
      refusal_ = before.error();
      return Outcome::refused;
    }
    thread.state = StopState::ended;
    thread.reason = thread.thread == process_ && stat ? "the main thread has ended, the others live on"
                                                      : "it ended before it could be read";
    return Outcome::done;
  }
  const auto stat = read_thread_stat(process_, thread.thread);
  thread.task_state = stat ? stat->state : '?';
  if (!before->call && !before->text.starts_with("running")) {
    thread.reason = "it is a worker of the kernel's own (io_uring) and has no stack of the program";
    return Outcome::done;
  }
  if (!before->call) {
    thread.reason = stat && stat->processor >= 0
                        ? fmt::format("it runs (on CPU {}), and its stack is not read without a stop", stat->processor)
                        : "it runs, and its stack is not read without a stop";
    return Outcome::again;
  }
  const bool uninterruptible = stat && stat->state == 'D';
  KernelWait kernel =
      looks_.kernel_wait(thread.thread, uninterruptible || options_.kernel_stacks ? KernelWaitDetail::with_stack
                                                                                  : KernelWaitDetail::channel_only);
  pieces_.clear();
  const bool has_stack = copy_stack(before->call->stack_pointer);
  const auto after = looks_.at(thread.thread);
  if (!after || *after != *before) {
    thread.reason = "it ran while it was being read, at every look";
    return Outcome::again;
  }
  if (options_.marks != nullptr) {
    const auto mark = options_.marks->find(thread.thread);
    thread.ran_since_mark = mark == options_.marks->end() || mark->second != before->schedule;
  }
  if (has_stack)
    keep_pieces(thread.ran_since_mark);
  thread.state = StopState::read_without_stop;
  thread.reason.clear();
  thread.registers = registers_of(*before->call);
  thread.system_call = before->call->number;
  thread.was_group_stopped = stat && stat->state == 'T';
  thread.kernel = std::move(kernel);
  return Outcome::done;
}

std::optional<StackRange> SleeperReader::range_of(RunAddress stack_pointer) {
  if (options_.source != nullptr)
    if (const auto known = options_.source->stack_at(stack_pointer)) {
      const RunAddress begin = stack_pointer - std::min(red_zone_bytes, stack_pointer - known->begin);
      const std::uint64_t size = std::min(known->end - begin, options_.stack_limit_bytes);
      return StackRange{{begin, begin + size}, size < known->end - begin};
    }
  auto stack = stack_range(maps(), stack_pointer, options_.stack_limit_bytes);
  if (stack || newer_maps_)
    return stack;
  // A thread was born, or the main stack grew, after the mappings were read.
  auto newer = read_memory_map(process_);
  newer_maps_ = newer ? std::move(*newer) : std::vector<Mapping>();
  return stack_range(*newer_maps_, stack_pointer, options_.stack_limit_bytes);
}

bool SleeperReader::copy_stack(RunAddress stack_pointer) {
  const auto stack = range_of(stack_pointer);
  if (!stack || !copy(*stack))
    return false;
  const std::uint64_t below = stack_pointer - stack->range.begin;
  if (below >= pieces_.front().bytes.size())
    return true;
  for (const RunAddress interrupted :
       find_interrupted_stacks(stack_pointer, std::span(pieces_.front().bytes).subspan(below)))
    if (const auto other = interrupted_range(interrupted, stack->range))
      copy(*other);
  return true;
}

/// Old frames of signals lie in memory that became a stack, too. Where the source knows the stacks of a mapping (Go's
/// heap), and none is where such a frame points to, nothing was interrupted there.
std::optional<StackRange> SleeperReader::interrupted_range(RunAddress interrupted, RunRange of_thread) {
  if (options_.source == nullptr)
    return stack_range(maps(), interrupted, options_.stack_limit_bytes);
  const auto range = range_of(interrupted);
  const bool is_known = options_.source->stack_at(interrupted).has_value();
  const bool has_threads_stack = range && range->range.begin < of_thread.end && of_thread.begin < range->range.end;
  return is_known || !has_threads_stack ? range : std::nullopt;
}

bool SleeperReader::copy(StackRange stack) {
  const std::uint64_t room =
      std::max(least_stack, options_.total_limit_bytes - std::min(taken_, options_.total_limit_bytes));
  const std::uint64_t size = std::min(stack.range.size(), room);
  Piece &piece = pieces_.emplace_back();
  piece.cut = stack.cut || size < stack.range.size();
  piece.range = {stack.range.begin, stack.range.begin + size};
  piece.bytes.resize(size);
  if (memory_.read(piece.range.begin, piece.bytes))
    return true;
  // The mapping may have become shorter: what is readable from the stack pointer on is what unwinding needs first.
  std::uint64_t done = 0;
  while (done < size) {
    const RunAddress at = piece.range.begin + done;
    const std::uint64_t count = std::min(page - at.value % page, size - done);
    if (!memory_.read(at, std::span(piece.bytes).subspan(done, count)))
      break;
    done += count;
  }
  piece.bytes.resize(done);
  piece.range.end = piece.range.begin + done;
  return done > 0;
}

void SleeperReader::keep_pieces(bool ran_since_mark) {
  for (const Piece &piece : pieces_) {
    if (piece.bytes.empty())
      continue;
    std::byte *room = buffer_.take(piece.bytes.size());
    if (room == nullptr) {
      ++without_memory_;
      continue;
    }
    std::memcpy(room, piece.bytes.data(), piece.bytes.size());
    taken_ += piece.bytes.size();
    cut_ += piece.cut;
    kept_.push_back({{piece.range, room}, ran_since_mark});
  }
}

SleepingThreads SleeperReader::take() {
  SleepingThreads all;
  // Where two mappings adjoin, the lower one's stack seems to reach into the upper one's. It does not: what lies there
  // is the upper thread's own, as it was when that one was read.
  std::ranges::stable_sort(kept_, {}, [](const KeptPiece &one) { return one.piece.range.begin; });
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    SnapshotMemory::Range one = kept_[i].piece;
    if (i + 1 < kept_.size())
      one.range.end = std::min(one.range.end, kept_[i + 1].piece.range.begin);
    if (one.range.size() == 0)
      continue;
    all.ranges.push_back(one);
    all.held.push_back({one.range, !kept_[i].ran_since_mark});
  }
  all.buffer = std::move(buffer_);
  all.threads = std::move(threads_);
  if (cut_ > 0)
    all.warnings.push_back(fmt::format("{} stacks are longer than what is copied of one, or than what is left for all "
                                       "together ({} bytes), and were copied only in part",
                                       cut_, options_.total_limit_bytes));
  if (without_memory_ > 0)
    all.warnings.push_back(
        fmt::format("{} stacks were not copied, because there is no memory left for them", without_memory_));
  return all;
}

/// This process' own threads read themselves, and threads of the kernel have no stack of a program.
Result<void> check_readable(pid_t process) {
  const auto stat = read_process_stat(process);
  if (!stat)
    return std::unexpected(stat.error());
  if (stat->is_kernel_thread())
    return std::unexpected(
        Error(ErrorKind::unsupported,
              fmt::format("process {} ({}) is a thread of the kernel and has no user stack", process, stat->name)));
  const auto living = living_thread(process);
  return living ? Result<void>() : std::unexpected(living.error());
}

} // namespace

Result<SleepingThreads> read_sleeping_threads(pid_t process, const MemoryView &memory, const std::vector<Mapping> &maps,
                                              const UnstoppedOptions &options) {
  if (auto readable = check_readable(process); !readable)
    return std::unexpected(readable.error());
  auto looks = ThreadLooks::open(process);
  if (!looks)
    return std::unexpected(looks.error());
  auto threads = list_threads(process);
  if (!threads)
    return std::unexpected(threads.error());
  if (!options.only.empty())
    std::erase_if(*threads, [&](pid_t one) { return std::ranges::find(options.only, one) == options.only.end(); });
  SleeperReader reader(process, std::move(*looks), memory, maps, options);
  if (auto read = reader.read(*threads); !read)
    return std::unexpected(read.error());
  return reader.take();
}

} // namespace inspect
