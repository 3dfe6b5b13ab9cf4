// The memory of a live process, read and written without stopping it.
//
// Reads go through process_vm_readv(2), many ranges a call; where a seccomp filter or the kernel forbids that (EPERM,
// ENOSYS) they fall back to /proc/PID/mem, and stay there. Writes go through /proc/PID/mem, which also reaches
// read-only mappings such as program text (man page proc(5)).
#pragma once

#include "machine/file_descriptor.h"
#include "machine/memory_view.h"

#include <atomic>
#include <sys/types.h>

namespace inspect {

class LiveMemory final : public MemoryView {
public:
  /// Opens /proc/PID/mem; not_permitted names the missing right.
  static Result<std::unique_ptr<LiveMemory>> open(pid_t process);

  Result<void> read(RunAddress address, std::span<std::byte> into) const override;
  void read_many(std::span<MemoryRead> reads) const override;
  /// All bytes or an error; how many bytes arrived before the error is not said.
  Result<void> write(RunAddress address, std::span<const std::byte> bytes) const;

  /// For tests and diagnosis: whether reads have fallen back to /proc/PID/mem.
  bool uses_fallback() const { return fallback_.load(); }
  /// Never uses process_vm_readv from now on.
  void force_fallback() { fallback_.store(true); }

private:
  static Result<std::unique_ptr<LiveMemory>> open_once(pid_t process);
  LiveMemory(pid_t process, FileDescriptor mem) : process_(process), mem_(std::move(mem)) {}
  pid_t process_;
  FileDescriptor mem_;
  mutable std::atomic<bool> fallback_{false};
};

} // namespace inspect
