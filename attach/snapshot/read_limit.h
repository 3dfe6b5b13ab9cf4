// A limit on the time that reading a target takes: no read can hold whoever waits for it, nor what is stopped
// meanwhile.
//
// The reads are made by processes of their own (attach/snapshot/x86_64/system_call_process.h), a few, so that several
// of our threads can read at once. Each of them may wait for `patience` in all, in the kernel and not for a processor;
// when one has waited longer it is killed, the limit has expired, and every further read fails at once.
//
//     auto limit = ReadLimit::start(patience, 2, files); // what takes time: before the target is stopped
//     limit->call(SYS_pread64, arguments)        // as a SystemCaller
//     if (limit->has_expired()) …                       // say what is missing
#pragma once

#include "attach/snapshot/range_reads.h"
#include "attach/snapshot/x86_64/system_call_process.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace inspect {

class ReadLimit {
public:
  /// `processes` of them serve as many threads at a time; they can read these files and no others. They belong to the
  /// calling thread and end with it at the latest.
  static Result<std::unique_ptr<ReadLimit>> start(std::chrono::microseconds patience, std::size_t processes,
                                                  std::span<const int> files);
  ReadLimit(const ReadLimit &) = delete;
  ReadLimit &operator=(const ReadLimit &) = delete;
  ~ReadLimit();

  /// A SystemCaller; from any thread. What it reads into must outlive this program where may_still_write() says so.
  std::optional<std::int64_t> call(std::int64_t number, const std::array<std::uint64_t, 6> &arguments);
  /// Reads through a buffer of its own: `reads` may end with the call whatever happens.
  void read_many(const RangeReads &source, std::span<MemoryRead> reads);
  /// A file from its beginning to its end; ETIMEDOUT, or why not.
  std::expected<std::string, int> read_to_end(int descriptor);

  bool has_expired() const { return expired_.load(); }
  /// Not even SIGKILL ended a read: the kernel may still write what was asked for, whenever it comes.
  bool may_still_write() const { return lost_.load(); }

private:
  struct Reader;
  class Borrowed;
  ReadLimit() = default;
  std::optional<std::int64_t> call_with(Reader &reader, std::int64_t number,
                                        const std::array<std::uint64_t, 6> &arguments);

  std::vector<std::unique_ptr<Reader>> readers_;
  std::atomic<bool> expired_{false};
  std::atomic<bool> lost_{false};
};

} // namespace inspect
