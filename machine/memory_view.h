// A window on a target's memory. The unwinder and every decoder see only this; where the bytes come from (the live
// process, a snapshot, a file's read-only segment, a test) is the implementation's business.
//
// Implementations compose: LayeredMemory asks the snapshot first, then the file's segments, then the live process.
//
//     auto word = read_word(memory, RunAddress{stack_pointer});
//     if (!word) return unreadable(word.error());
#pragma once

#include "machine/address.h"
#include "machine/error.h"

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace inspect {

/// One range to read into a buffer of the caller's; `done` says after read_many whether all bytes of it arrived.
struct MemoryRead {
  RunAddress address;
  std::span<std::byte> into;
  bool done = false;
};

class MemoryView {
public:
  MemoryView() = default;
  MemoryView(const MemoryView &) = delete;
  MemoryView &operator=(const MemoryView &) = delete;
  virtual ~MemoryView() = default;

  /// Fills `into` completely or fails; on failure the content of `into` is unspecified.
  virtual Result<void> read(RunAddress address, std::span<std::byte> into) const = 0;

  /// Reads each range, in as few system calls as the source allows, and marks those that arrived completely.
  virtual void read_many(std::span<MemoryRead> reads) const;
};

/// A trivially copyable value at `address`, in the target's byte order, which is the host's.
template <typename T>
requires std::is_trivially_copyable_v<T> Result<T> read_value(const MemoryView &memory, RunAddress address) {
  T value;
  if (auto done = memory.read(address, std::as_writable_bytes(std::span(&value, 1))); !done)
    return std::unexpected(done.error());
  return value;
}

inline Result<std::uint64_t> read_word(const MemoryView &memory, RunAddress address) {
  return read_value<std::uint64_t>(memory, address);
}

/// The bytes up to the first NUL, at most `limit` of them; a string cut short by unreadable memory is an error.
Result<std::string> read_c_string(const MemoryView &memory, RunAddress address, std::size_t limit);

/// Asks each layer in turn until one has all of the bytes. It does not own the layers.
class LayeredMemory final : public MemoryView {
public:
  explicit LayeredMemory(std::vector<const MemoryView *> layers) : layers_(std::move(layers)) {}
  Result<void> read(RunAddress address, std::span<std::byte> into) const override;
  void read_many(std::span<MemoryRead> reads) const override;

private:
  std::vector<const MemoryView *> layers_;
};

/// Memory made of byte ranges held here: tests, and captured images. Reads may span adjoining ranges.
class BufferMemory final : public MemoryView {
public:
  /// Ranges may be added in any order and must not overlap.
  void add(RunAddress address, std::vector<std::byte> bytes);
  Result<void> read(RunAddress address, std::span<std::byte> into) const override;

private:
  struct Piece {
    RunAddress begin;
    std::vector<std::byte> bytes;
  };
  std::vector<Piece> pieces_; ///< sorted by address
};

} // namespace inspect
