#include "dwarf/location/location_machine.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

/// Values that are put together: structures in registers. What is larger is in memory, or DWARF that lies.
constexpr std::uint64_t max_image_size = 1 << 20;
/// Bytes of memory that one piece of a value can lie in.
constexpr std::uint64_t max_piece_size = max_image_size;

/// A part of a value that is known bit by bit: bits `offset` and up of `storage`.
struct Bits {
  std::vector<std::byte> storage;
  std::uint64_t offset = 0;

  bool has(std::uint64_t bit) const { return bit / 8 < storage.size(); }
  bool at(std::uint64_t bit) const { return (std::to_integer<unsigned>(storage[bit / 8]) >> (bit % 8) & 1) != 0; }
};

/// The bytes that hold the piece's bits; empty where they cannot be had.
Bits storage_of(const LocationPiece &piece, std::uint64_t bit_size, const FrameContext &frame) {
  Bits bits{{}, piece.bit_offset};
  switch (piece.kind) {
  case LocationPiece::Kind::memory: {
    const std::uint64_t skipped = piece.bit_offset / 8;
    bits.offset = piece.bit_offset % 8;
    const std::uint64_t size = (bits.offset + bit_size + 7) / 8;
    if (frame.memory == nullptr || size > max_piece_size)
      break;
    bits.storage.resize(size);
    if (!frame.memory->read(piece.address + skipped, bits.storage))
      bits.storage.clear();
    break;
  }
  case LocationPiece::Kind::in_register:
    if (auto held = register_bytes(piece.dwarf_register, frame))
      bits.storage = std::move(*held);
    break;
  case LocationPiece::Kind::implicit:
    bits.storage = piece.bytes;
    break;
  case LocationPiece::Kind::implicit_pointer:
  case LocationPiece::Kind::missing:
    break;
  }
  return bits;
}

/// A value that grows piece by piece, its lowest bits first.
class Assembly {
public:
  explicit Assembly(std::uint64_t size) : image_(std::make_shared<ValueImage>(static_cast<std::size_t>(size))) {}

  std::uint64_t bits_left() const { return 8 * image_->bytes.size() - filled_; }

  void add(const Bits &bits, std::uint64_t bit_size) {
    const std::uint64_t count = std::min(bit_size, bits_left());
    if (filled_ % 8 == 0 && bits.offset % 8 == 0)
      add_bytes(bits, count / 8);
    for (std::uint64_t bit = filled_ % 8 == 0 && bits.offset % 8 == 0 ? count / 8 * 8 : 0; bit < count; ++bit)
      add_bit(bits, bit);
    filled_ += count;
  }

  std::shared_ptr<const ValueImage> take() {
    if (partial_)
      note_end_of_byte();
    return std::move(image_);
  }

private:
  void add_bytes(const Bits &bits, std::uint64_t count) {
    if (count != 0 && partial_)
      note_end_of_byte();
    for (std::uint64_t i = 0; i < count && bits.has(bits.offset + 8 * i); ++i) {
      image_->bytes[filled_ / 8 + i] = bits.storage[bits.offset / 8 + i];
      image_->known[filled_ / 8 + i] = true;
    }
  }

  /// A byte is known when all of its bits are.
  void add_bit(const Bits &bits, std::uint64_t bit) {
    const std::uint64_t to = filled_ + bit;
    if (to % 8 == 0) {
      known_bits_ = 0;
      partial_ = true;
      partial_byte_ = to / 8;
    }
    if (!bits.has(bits.offset + bit))
      return;
    known_bits_ |= 1U << (to % 8);
    if (bits.at(bits.offset + bit))
      image_->bytes[to / 8] |= static_cast<std::byte>(1U << (to % 8));
    image_->known[to / 8] = known_bits_ == 0xff;
  }

  /// A value may end within a byte, as a bit-field does: what is left of it is padding.
  void note_end_of_byte() {
    const auto used = static_cast<unsigned>(filled_ % 8);
    if (used != 0 && filled_ / 8 == partial_byte_)
      image_->known[partial_byte_] = known_bits_ == (1U << used) - 1;
    partial_ = false;
  }

  std::shared_ptr<ValueImage> image_;
  std::uint64_t filled_ = 0;
  unsigned known_bits_ = 0;
  bool partial_ = false;
  std::uint64_t partial_byte_ = 0;
};

std::string reason_of(const LocationPiece &piece) {
  if (piece.kind == LocationPiece::Kind::implicit_pointer)
    return "the pointer is optimized out, though not what it points to";
  return piece.reason.empty() ? "optimized out" : piece.reason;
}

} // namespace

Result<ValueSource> read_location(const Location &location, std::uint64_t size, const FrameContext &frame) {
  if (location.pieces.empty())
    return std::unexpected(Error(ErrorKind::not_found, "optimized out"));
  const LocationPiece &first = location.pieces.front();
  if (location.pieces.size() == 1 && first.kind == LocationPiece::Kind::memory && !first.bit_size &&
      first.bit_offset == 0) {
    if (frame.memory == nullptr)
      return std::unexpected(Error(ErrorKind::unreadable, "there is no memory to read"));
    return ValueSource::in_memory(*frame.memory, first.address, size);
  }
  if (size > max_image_size)
    return std::unexpected(
        Error(ErrorKind::corrupt, fmt::format("a value of {} bytes is said to be in pieces or registers", size)));
  Assembly assembly(size);
  for (const LocationPiece &piece : location.pieces) {
    const std::uint64_t bit_size = std::min(piece.bit_size.value_or(UINT64_MAX), assembly.bits_left());
    assembly.add(storage_of(piece, bit_size, frame), bit_size);
  }
  auto image = assembly.take();
  if (size != 0 && std::ranges::find(image->known, true) == image->known.end()) {
    const LocationPiece &piece = location.pieces.front();
    const bool in_memory = piece.kind == LocationPiece::Kind::memory;
    return std::unexpected(
        in_memory ? Error(ErrorKind::unreadable, fmt::format("the memory at {:#x} cannot be read", piece.address.value))
                  : Error(ErrorKind::not_found, reason_of(piece)));
  }
  return ValueSource::of_image(std::move(image));
}

} // namespace inspect
