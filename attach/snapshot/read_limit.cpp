#include "attach/snapshot/read_limit.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/syscall.h>

namespace inspect {
struct ReadLimit::Reader {
  std::mutex mutex;
  std::unique_ptr<x86_64::SystemCallProcess> calls;
  std::chrono::nanoseconds patience{0}; ///< that is left
  /// What is read for others lands here first: a caller's variable may be gone when a lost read arrives.
  std::vector<std::byte> buffer;
};

/// One of the readers, for one thread at a time.
class ReadLimit::Borrowed {
public:
  explicit Borrowed(std::vector<std::unique_ptr<Reader>> &readers) {
    for (const auto &one : readers)
      if (one->mutex.try_lock()) {
        reader_ = one.get();
        return;
      }
    reader_ = readers.front().get();
    reader_->mutex.lock();
  }
  ~Borrowed() { reader_->mutex.unlock(); }
  Borrowed(const Borrowed &) = delete;
  Borrowed &operator=(const Borrowed &) = delete;
  Reader &operator*() const { return *reader_; }

private:
  Reader *reader_ = nullptr;
};

Result<std::unique_ptr<ReadLimit>> ReadLimit::start(std::chrono::microseconds patience, std::size_t processes,
                                                    std::span<const int> files) {
  std::unique_ptr<ReadLimit> limit(new ReadLimit);
  for (std::size_t i = 0; i < processes; ++i) {
    auto calls = x86_64::SystemCallProcess::start(files);
    // Where a limit on processes allows some, those do.
    if (!calls && i > 0)
      break;
    if (!calls)
      return std::unexpected(calls.error());
    auto reader = std::make_unique<Reader>();
    reader->calls = std::move(*calls);
    reader->patience = patience;
    limit->readers_.push_back(std::move(reader));
  }
  return limit;
}

ReadLimit::~ReadLimit() {
  for (auto &reader : readers_)
    if (reader->calls->is_lost())
      static_cast<void>(reader.release()); // its buffer is the kernel's to write to
}

std::optional<std::int64_t> ReadLimit::call_with(Reader &reader, std::int64_t number,
                                                 const std::array<std::uint64_t, 6> &arguments) {
  if (expired_.load(std::memory_order_relaxed))
    return std::nullopt;
  const auto result = reader.calls->call(number, arguments, reader.patience);
  if (!result)
    expired_.store(true);
  if (reader.calls->is_lost())
    lost_.store(true);
  return result;
}

std::optional<std::int64_t> ReadLimit::call(std::int64_t number, const std::array<std::uint64_t, 6> &arguments) {
  const Borrowed reader(readers_);
  return call_with(*reader, number, arguments);
}

void ReadLimit::read_many(const RangeReads &source, std::span<MemoryRead> reads) {
  const Borrowed borrowed(readers_);
  Reader &reader = *borrowed;
  std::size_t total = 0;
  for (const MemoryRead &one : reads)
    total += one.into.size();
  if (reader.buffer.size() < total && !reader.calls->is_lost())
    reader.buffer.resize(std::max(total, 2 * reader.buffer.size()));
  if (expired_.load() || reader.buffer.size() < total) {
    for (MemoryRead &one : reads)
      one.done = false;
    return;
  }
  std::vector<MemoryRead> own(reads.begin(), reads.end());
  std::size_t used = 0;
  for (MemoryRead &one : own) {
    one.into = std::span(reader.buffer).subspan(used, one.into.size());
    used += one.into.size();
  }
  source.read_many(own,
                   [&](std::int64_t number, const auto &arguments) { return call_with(reader, number, arguments); });
  for (std::size_t i = 0; i < reads.size(); ++i) {
    reads[i].done = own[i].done;
    if (own[i].done && !own[i].into.empty())
      std::memcpy(reads[i].into.data(), own[i].into.data(), own[i].into.size());
  }
}

std::expected<std::string, int> ReadLimit::read_to_end(int descriptor) {
  constexpr std::size_t chunk = 256U << 10;
  const Borrowed borrowed(readers_);
  Reader &reader = *borrowed;
  if (reader.calls->is_lost())
    return std::unexpected(ETIMEDOUT);
  if (reader.buffer.size() < chunk)
    reader.buffer.resize(chunk);
  std::string text;
  for (;;) {
    const auto count = call_with(reader, SYS_pread64,
                                 {static_cast<std::uint64_t>(descriptor),
                                  reinterpret_cast<std::uint64_t>(reader.buffer.data()), chunk, text.size(), 0, 0});
    if (!count)
      return std::unexpected(ETIMEDOUT);
    if (*count == -EINTR)
      continue;
    if (*count < 0)
      return std::unexpected(static_cast<int>(-*count));
    if (*count == 0)
      return text;
    text.append(reinterpret_cast<const char *>(reader.buffer.data()), static_cast<std::size_t>(*count));
  }
}

} // namespace inspect
