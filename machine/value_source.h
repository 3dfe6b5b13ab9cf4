// Where the bytes of one value come from: the target's memory, or an image put together from argument words, in which
// some bytes may be unknown.
//
//     ValueSource source = ValueSource::in_memory(memory, address, type.size);
//     if (auto length = source.unsigned_at(8, 8)) …
#pragma once

#include "machine/memory_view.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// A value's bytes as far as they are known.
struct ValueImage {
  std::vector<std::byte> bytes;
  std::vector<std::uint8_t> known; ///< of each byte the bits that are known; a compiler may keep bit-fields apart

  std::string missing; ///< why the others are not, as one clause; empty: nobody says

  static constexpr std::uint8_t whole_byte = 0xff;

  explicit ValueImage(std::size_t size = 0) : bytes(size), known(size, 0) {}
  /// The low `size` bytes of `value`; what does not fit into the image is dropped.
  void set(std::size_t offset, std::uint64_t value, std::size_t size);
};

class ValueSource {
public:
  static ValueSource of_image(std::shared_ptr<const ValueImage> image) { return {std::move(image), nullptr, {}, 0}; }
  /// Small values are read at once. `memory` must outlive the source.
  static ValueSource in_memory(const MemoryView &memory, RunAddress address, std::uint64_t size);

  /// The part that begins `offset` bytes further.
  ValueSource at(std::uint64_t offset) const { return {image_, memory_, address_, offset_ + offset}; }
  bool read(std::uint64_t offset, std::span<std::byte> into) const;
  /// The bytes that hold `count` bits from the bit at `begin`, counted from the source's start; what else is in the
  /// first and the last of them may be unknown. `into` is as long as those bytes.
  bool read_bits(std::uint64_t begin, std::uint64_t count, std::span<std::byte> into) const;
  /// Little endian, zero-extended; size at most 8.
  std::optional<std::uint64_t> unsigned_at(std::uint64_t offset, std::size_t size) const;
  /// Whether the source is no memory and has none of these bytes.
  bool knows_none(std::uint64_t offset, std::uint64_t size) const;
  /// Why bytes that read() did not give are not known; empty of memory, and where nobody says.
  std::string_view missing() const { return image_ ? std::string_view(image_->missing) : std::string_view(); }
  /// Where the value lies in memory; nothing where it is known from words only.
  std::optional<RunAddress> address() const;

private:
  ValueSource(std::shared_ptr<const ValueImage> image, const MemoryView *memory, RunAddress address,
              std::uint64_t offset)
      : image_(std::move(image)), memory_(memory), address_(address), offset_(offset) {}

  std::shared_ptr<const ValueImage> image_; ///< null: only in memory
  const MemoryView *memory_;                ///< null: only in the image
  RunAddress address_;
  std::uint64_t offset_;
};

} // namespace inspect
