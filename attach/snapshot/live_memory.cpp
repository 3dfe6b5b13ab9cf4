#include "attach/snapshot/live_memory.h"

#include "attach/procfs/page_fault_handler.h"
#include "attach/procfs/permission.h"
#include "attach/procfs/proc_file.h"
#include "attach/procfs/process_list.h"
#include "attach/snapshot/read_limit.h"
#include "machine/worker_threads.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>

namespace inspect {
namespace {

/// Whether process_vm_readv(2) is allowed. It asks for the right to trace alone, which CAP_SYS_PTRACE gives;
/// /proc/PID/mem is a file of the target's user, too, which others open with CAP_DAC_OVERRIDE only.
bool may_read_directly(pid_t process) {
  std::byte byte{};
  const iovec local{&byte, 1};
  const iovec nothing{nullptr, 1};
  return ::process_vm_readv(process, &local, 1, &nothing, 1, 0) >= 0 || errno == EFAULT;
}

ssize_t write_directly(pid_t process, RunAddress address, std::span<const std::byte> bytes) {
  const iovec local{std::bit_cast<void *>(bytes.data()), bytes.size()}; // the kernel only reads there
  const iovec remote{reinterpret_cast<void *>(address.value), bytes.size()};
  return ::process_vm_writev(process, &local, 1, &remote, 1, 0);
}

/// So many reads that were not answered are enough to give the rest up.
constexpr int max_unanswered = 4;

} // namespace

Result<std::unique_ptr<LiveMemory>> LiveMemory::open(pid_t process, const LiveMemory *before) {
  // During an execve a living thread changes its id, and for a moment the new memory is nobody's to read but root's
  // (fs/exec.c, begin_new_exec: it is not dumpable yet); a second look then finds it.
  constexpr int attempts = 5;
  auto opened = open_once(process, before);
  for (int attempt = 1; attempt < attempts && !opened && process_exists(process); ++attempt)
    opened = open_once(process, before);
  return opened;
}

Result<std::unique_ptr<LiveMemory>> LiveMemory::open_once(pid_t process, const LiveMemory *before) {
  const auto thread = living_thread(process);
  if (!thread)
    return std::unexpected(thread.error());
  // A leader that has ended has no memory of its own any more; its threads show the same memory.
  const std::string path = *thread == process ? proc_path(process, "mem") : proc_path(process, *thread, "mem");
  FileDescriptor mem(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!mem && (errno == EACCES || errno == EPERM || errno == EROFS))
    mem = FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (const int refused = errno; !mem && (refused != EACCES || !may_read_directly(*thread)))
    return std::unexpected(proc_error(process, refused, fmt::format("opening {}", path)));
  std::unique_ptr<LiveMemory> memory(new LiveMemory(*thread, std::move(mem)));
  if (before != nullptr && before->has_handler_.load() && memory->mem_) {
    memory->has_handler_.store(true);
    memory->fallback_.store(true);
  }
  if (before != nullptr)
    memory->looked_at_.store(before->looked_at_.load());
  memory->look_for_page_fault_handler();
  return memory;
}

Error LiveMemory::why_unreadable(RunAddress address, std::size_t size, bool in_time) const {
  if (!process_exists(process_))
    return Error::from_errno(ESRCH, fmt::format("reading {} bytes at {:#x}", size, address.value));
  const std::string_view why = !in_time ? ": they were not delivered in time"
                               : has_handler_.load()
                                   ? ": they are not mapped, or for the process to fill in when they are "
                                     "used (userfaultfd)"
                                   : ": Input/output error";
  return {ErrorKind::unreadable, fmt::format("reading {} bytes at {:#x}{}", size, address.value, why)};
}

Result<void> LiveMemory::read(RunAddress address, std::span<std::byte> into) const {
  if (into.empty())
    return {};
  MemoryRead one{address, into};
  const bool in_time = read_in_time(std::span(&one, 1));
  if (one.done)
    return {};
  return std::unexpected(why_unreadable(address, into.size(), in_time));
}

void LiveMemory::read_many(std::span<MemoryRead> reads) const {
  static_cast<void>(read_in_time(reads)); // each says for itself whether it arrived
}

bool LiveMemory::read_in_time(std::span<MemoryRead> reads) const {
  if (ReadLimit *limit = limits_->current.load()) {
    limit->read_many(source(), reads);
    return !limit->has_expired();
  }
  if (needs_own_limit(reads))
    return read_with_own_limit(reads);
  source().read_many(reads, call_directly);
  return true;
}

void LiveMemory::read_many_lasting(std::span<MemoryRead> reads) const {
  ReadLimit *limit = limits_->current.load();
  if (limit == nullptr)
    return read_many(reads);
  source().read_many(reads,
                     [limit](std::int64_t number, const auto &arguments) { return limit->call(number, arguments); });
}

bool LiveMemory::needs_own_limit(std::span<const MemoryRead> reads) const {
  if (limits_->is_suspect.load(std::memory_order_relaxed))
    return true;
  return !slow_ranges_.empty() && std::ranges::any_of(reads, [&](const MemoryRead &one) {
    const auto after = std::ranges::lower_bound(slow_ranges_, one.address, std::ranges::less_equal{}, &RunRange::end);
    return after != slow_ranges_.end() && after->begin < one.address + one.into.size();
  });
}

bool LiveMemory::read_with_own_limit(std::span<MemoryRead> reads) const {
  for (MemoryRead &one : reads)
    one.done = false;
  if (limits_->unanswered.load() >= max_unanswered)
    return false;
  auto limit = ReadLimit::start(command_patience, 1, std::array{mem_.get()});
  if (!limit)
    return false; // no process can be started: not to read is what is left of not to wait
  (*limit)->read_many(source(), reads);
  if ((*limit)->has_expired())
    ++limits_->unanswered;
  return !(*limit)->has_expired();
}

LiveMemory::LimitedReads::LimitedReads(std::shared_ptr<Limits> limits, std::unique_ptr<ReadLimit> limit)
    : limits_(std::move(limits)), limit_(std::move(limit)), before_(limits_->current.exchange(limit_.get())) {}

LiveMemory::LimitedReads::~LimitedReads() {
  limits_->current.store(before_);
  if (limit_->has_expired())
    limits_->is_suspect.store(true);
}

bool LiveMemory::LimitedReads::expired() const {
  return limit_->has_expired();
}

bool LiveMemory::LimitedReads::may_still_write() const {
  return limit_->may_still_write();
}

std::expected<std::string, int> LiveMemory::LimitedReads::read_file(int descriptor) const {
  return limit_->read_to_end(descriptor);
}

Result<std::unique_ptr<LiveMemory::LimitedReads>> LiveMemory::limit_reads(std::chrono::microseconds patience,
                                                                          int file) const {
  auto limit = ReadLimit::start(patience, worker_count(), std::array{mem_.get(), file});
  if (!limit)
    return std::unexpected(limit.error());
  limits_->unanswered.store(0);
  return std::make_unique<LimitedReads>(limits_, std::move(*limit));
}

void LiveMemory::look_for_page_fault_handler() const {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds good_for{1};
  const auto now = Clock::now().time_since_epoch();
  const Clock::rep before = looked_at_.load();
  if (has_handler_.load() || !mem_ || (before != 0 && now - Clock::duration(before) < good_for))
    return;
  looked_at_.store(now.count());
  if (handles_page_faults(process_)) {
    has_handler_.store(true);
    fallback_.store(true);
  }
}

Result<void> LiveMemory::write(RunAddress address, std::span<const std::byte> bytes) const {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto offset = static_cast<off_t>(address.value + done);
    if (offset < 0)
      return std::unexpected(Error::from_errno(EIO, fmt::format("writing at {:#x}", address.value)));
    const auto rest = bytes.subspan(done);
    const ssize_t count =
        mem_ ? ::pwrite(mem_.get(), rest.data(), rest.size(), offset) : write_directly(process_, address + done, rest);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0 && errno == EBADF)
      return std::unexpected(Error(ErrorKind::not_permitted,
                                   fmt::format("the memory of process {} is open for reading only", process_),
                                   "run inspect as root (sudo) or with CAP_SYS_PTRACE"));
    if (count < 0 && errno == EFAULT && !mem_)
      return std::unexpected(
          Error(ErrorKind::not_permitted,
                fmt::format(
                    "{} bytes at {:#x} could not be written: CAP_DAC_OVERRIDE is missing for /proc/{}/mem, and without "
                    "it only memory that the process itself may write to can be changed",
                    rest.size(), address.value + done, process_),
                "run inspect as root (sudo) or with CAP_SYS_PTRACE and CAP_DAC_OVERRIDE"));
    if (count <= 0)
      return std::unexpected(Error::from_errno(count == 0 ? ESRCH : errno,
                                               fmt::format("writing {} bytes at {:#x}", bytes.size(), address.value)));
    done += static_cast<std::size_t>(count);
  }
  return {};
}

} // namespace inspect
