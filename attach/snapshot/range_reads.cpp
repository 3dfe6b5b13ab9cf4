#include "attach/snapshot/range_reads.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace inspect {
namespace {

std::uint64_t to_word(const void *pointer) {
  return reinterpret_cast<std::uint64_t>(pointer);
}

/// Ranges as process_vm_readv(2) wants them, in up to IOV_MAX entries a side. Buffers that adjoin share a local entry,
/// and memory that adjoins a remote one: each of those costs the kernel a walk of its own.
class Batch {
public:
  /// Takes ranges from the front of `reads`; how many it took.
  std::size_t fill(std::span<const MemoryRead> reads) {
    local_count_ = 0;
    remote_count_ = 0;
    std::size_t taken = 0;
    while (taken < reads.size() && local_count_ < local_.size() && remote_count_ < remote_.size()) {
      const MemoryRead &one = reads[taken++];
      add(remote_, remote_count_, {reinterpret_cast<void *>(one.address.value), one.into.size()});
      add(local_, local_count_, {one.into.data(), one.into.size()});
    }
    return taken;
  }
  std::optional<std::int64_t> read_from(pid_t process, const SystemCaller &call) const {
    const std::array<std::uint64_t, 6> arguments{static_cast<std::uint64_t>(process),
                                                 to_word(local_.data()),
                                                 local_count_,
                                                 to_word(remote_.data()),
                                                 remote_count_,
                                                 0};
    for (;;) {
      const auto count = call(SYS_process_vm_readv, arguments);
      if (count != -EINTR)
        return count;
    }
  }

private:
  using Entries = std::array<iovec, IOV_MAX>;

  static void add(Entries &entries, std::size_t &count, iovec one) {
    if (count > 0) {
      iovec &last = entries[count - 1];
      if (static_cast<std::byte *>(last.iov_base) + last.iov_len == one.iov_base) {
        last.iov_len += one.iov_len;
        return;
      }
    }
    entries[count++] = one;
  }

  Entries local_;
  Entries remote_;
  std::size_t local_count_ = 0;
  std::size_t remote_count_ = 0;
};

/// Marks the ranges that `transferred` bytes complete, from the front; the number of ranges dealt with, which includes
/// the one that failed when not all of `batch` arrived.
std::size_t mark_done(std::span<MemoryRead> batch, std::size_t transferred) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (transferred < batch[i].into.size()) {
      batch[i].done = false;
      return i + 1;
    }
    transferred -= batch[i].into.size();
    batch[i].done = true;
  }
  return batch.size();
}

} // namespace

std::optional<std::int64_t> call_directly(std::int64_t number, const std::array<std::uint64_t, 6> &arguments) {
  const long result =
      ::syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
  return result < 0 ? -errno : result;
}

int RangeReads::read_file(RunAddress address, std::span<std::byte> into, const SystemCaller &call) const {
  if (mem_file < 0)
    return EIO;
  std::size_t done = 0;
  while (done < into.size()) {
    // Addresses are taken as file offsets; those above 2^63 are the kernel's own and not to be read this way.
    const std::uint64_t offset = address.value + done;
    if (static_cast<off_t>(offset) < 0)
      return EFAULT;
    const std::size_t left = into.size() - done;
    const auto count =
        call(SYS_pread64, {static_cast<std::uint64_t>(mem_file), to_word(into.data() + done), left, offset, 0, 0});
    if (!count)
      return ETIMEDOUT;
    if (*count == -EINTR)
      continue;
    if (*count < 0)
      return static_cast<int>(-*count);
    if (*count == 0) // the address space is gone: the process has ended or become another program
      return ESRCH;
    done += static_cast<std::size_t>(*count);
  }
  return 0;
}

void RangeReads::read_many(std::span<MemoryRead> reads, const SystemCaller &call) const {
  Batch batch;
  std::size_t position = 0;
  while (position < reads.size() && !fallback.load(std::memory_order_relaxed)) {
    const std::size_t size = batch.fill(reads.subspan(position));
    const auto transferred = batch.read_from(thread, call);
    if (!transferred) {
      for (MemoryRead &one : reads.subspan(position))
        one.done = false;
      return;
    }
    if (*transferred >= 0) {
      position += mark_done(reads.subspan(position, size), static_cast<std::size_t>(*transferred));
    } else if (*transferred == -EFAULT) {
      reads[position++].done = false; // the first range; the ones behind it get their own chance
    } else {
      // EPERM, ENOSYS: a seccomp filter or the kernel forbids the call (live_memory_test.cpp: "seccomp"). ESRCH: this
      // thread has ended, others may live. Memory file offsets still lead to the memory in all of these cases.
      fallback.store(true);
    }
  }
  bool in_time = true;
  for (; position < reads.size(); ++position) {
    MemoryRead &one = reads[position];
    const int error_number = in_time ? read_file(one.address, one.into, call) : ETIMEDOUT;
    one.done = error_number == 0;
    in_time = error_number != ETIMEDOUT;
  }
}

} // namespace inspect
