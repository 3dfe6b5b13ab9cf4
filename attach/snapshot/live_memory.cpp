#include "attach/snapshot/live_memory.h"

#include "attach/procfs/permission.h"
#include "attach/procfs/proc_file.h"
#include "attach/procfs/process_list.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>

namespace inspect {
namespace {

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
  ssize_t read_from(pid_t process) const {
    for (;;) {
      const ssize_t count = ::process_vm_readv(process, local_.data(), local_count_, remote_.data(), remote_count_, 0);
      if (count >= 0 || errno != EINTR)
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

Error unreadable(RunAddress address, std::size_t size, int error_number) {
  return Error::from_errno(error_number == EFAULT ? EIO : error_number,
                           fmt::format("reading {} bytes at {:#x}", size, address.value));
}

/// 0, or the error number.
int read_file_at(int descriptor, RunAddress address, std::span<std::byte> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    // Addresses are taken as file offsets; those above 2^63 are the kernel's own and not to be read this way.
    const auto offset = static_cast<off_t>(address.value + done);
    if (offset < 0)
      return EFAULT;
    const ssize_t count = ::pread(descriptor, into.data() + done, into.size() - done, offset);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return errno;
    if (count == 0) // the address space is gone: the process has ended or become another program
      return ESRCH;
    done += static_cast<std::size_t>(count);
  }
  return 0;
}

} // namespace

Result<std::unique_ptr<LiveMemory>> LiveMemory::open(pid_t process) {
  // During an execve a living thread changes its id; a second look then finds it.
  constexpr int attempts = 5;
  auto opened = open_once(process);
  for (int attempt = 1;
       attempt < attempts && !opened && opened.error().kind() != ErrorKind::not_permitted && process_exists(process);
       ++attempt)
    opened = open_once(process);
  return opened;
}

Result<std::unique_ptr<LiveMemory>> LiveMemory::open_once(pid_t process) {
  const auto thread = living_thread(process);
  if (!thread)
    return std::unexpected(thread.error());
  // A leader that has ended has no memory of its own any more; its threads show the same memory.
  const std::string path = *thread == process ? proc_path(process, "mem") : proc_path(process, *thread, "mem");
  FileDescriptor mem(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!mem && (errno == EACCES || errno == EPERM || errno == EROFS))
    mem = FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!mem)
    return std::unexpected(proc_error(process, errno, fmt::format("opening {}", path)));
  return std::unique_ptr<LiveMemory>(new LiveMemory(*thread, std::move(mem)));
}

Result<void> LiveMemory::read(RunAddress address, std::span<std::byte> into) const {
  if (into.empty())
    return {};
  if (!fallback_.load(std::memory_order_relaxed)) {
    MemoryRead one{address, into};
    read_many(std::span(&one, 1));
    if (one.done)
      return {};
    if (!fallback_.load(std::memory_order_relaxed))
      return std::unexpected(unreadable(address, into.size(), EFAULT));
  }
  if (const int error_number = read_file_at(mem_.get(), address, into); error_number != 0)
    return std::unexpected(unreadable(address, into.size(), error_number));
  return {};
}

void LiveMemory::read_many(std::span<MemoryRead> reads) const {
  Batch batch;
  std::size_t position = 0;
  while (position < reads.size() && !fallback_.load(std::memory_order_relaxed)) {
    const std::size_t size = batch.fill(reads.subspan(position));
    const ssize_t transferred = batch.read_from(process_);
    if (transferred >= 0) {
      position += mark_done(reads.subspan(position, size), static_cast<std::size_t>(transferred));
    } else if (errno == EFAULT) {
      reads[position++].done = false; // the first range; the ones behind it get their own chance
    } else {
      // EPERM, ENOSYS: a seccomp filter or the kernel forbids the call (live_memory_test.cpp: "seccomp"). ESRCH: this
      // thread has ended, others may live. Memory file offsets still lead to the memory in all of these cases.
      fallback_.store(true);
    }
  }
  for (; position < reads.size(); ++position)
    reads[position].done = read_file_at(mem_.get(), reads[position].address, reads[position].into) == 0;
}

Result<void> LiveMemory::write(RunAddress address, std::span<const std::byte> bytes) const {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto offset = static_cast<off_t>(address.value + done);
    if (offset < 0)
      return std::unexpected(Error::from_errno(EIO, fmt::format("writing at {:#x}", address.value)));
    const ssize_t count = ::pwrite(mem_.get(), bytes.data() + done, bytes.size() - done, offset);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0 && errno == EBADF)
      return std::unexpected(Error(ErrorKind::not_permitted,
                                   fmt::format("the memory of process {} is open for reading only", process_),
                                   "run inspect as root (sudo) or with CAP_SYS_PTRACE"));
    if (count <= 0)
      return std::unexpected(Error::from_errno(count == 0 ? ESRCH : errno,
                                               fmt::format("writing {} bytes at {:#x}", bytes.size(), address.value)));
    done += static_cast<std::size_t>(count);
  }
  return {};
}

} // namespace inspect
