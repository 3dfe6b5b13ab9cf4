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
    const bool in_whole_bytes = filled_ % 8 == 0 && bits.offset % 8 == 0;
    if (in_whole_bytes)
      add_bytes(bits, count / 8);
    for (std::uint64_t bit = in_whole_bytes ? count / 8 * 8 : 0; bit < count; ++bit)
      add_bit(bits, bit);
    filled_ += count;
  }

  void note_missing(const std::string &reason) {
    const bool is_first = image_->missing.empty();
    image_->missing = is_first || image_->missing == reason ? reason : "not known";
  }

  std::shared_ptr<const ValueImage> take() {
    note_end_of_byte();
    return std::move(image_);
  }

private:
  void add_bytes(const Bits &bits, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count && bits.has(bits.offset + 8 * i); ++i) {
      image_->bytes[filled_ / 8 + i] = bits.storage[bits.offset / 8 + i];
      image_->known[filled_ / 8 + i] = ValueImage::whole_byte;
    }
  }

  void add_bit(const Bits &bits, std::uint64_t bit) {
    const std::uint64_t to = filled_ + bit;
    if (!bits.has(bits.offset + bit))
      return;
    image_->known[to / 8] |= static_cast<std::uint8_t>(1U << (to % 8));
    if (bits.at(bits.offset + bit))
      image_->bytes[to / 8] |= static_cast<std::byte>(1U << (to % 8));
  }

  /// A value may end within a byte, as a bit-field does: what is left of it is padding.
  void note_end_of_byte() {
    const auto used = static_cast<std::uint8_t>((1U << filled_ % 8) - 1);
    if (used != 0 && image_->known[filled_ / 8] == used)
      image_->known[filled_ / 8] = ValueImage::whole_byte;
  }

  std::shared_ptr<ValueImage> image_;
  std::uint64_t filled_ = 0; ///< bits
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
    const Bits bits = storage_of(piece, bit_size, frame);
    if (bits.storage.empty())
      assembly.note_missing(reason_of(piece));
    assembly.add(bits, bit_size);
  }
  auto image = assembly.take();
  const auto is_known = [](std::uint8_t bits) { return bits != 0; };
  if (size != 0 && std::ranges::none_of(image->known, is_known)) {
    const LocationPiece &piece = location.pieces.front();
    const bool in_memory = piece.kind == LocationPiece::Kind::memory;
    return std::unexpected(
        in_memory ? Error(ErrorKind::unreadable, fmt::format("the memory at {:#x} cannot be read", piece.address.value))
                  : Error(ErrorKind::not_found, reason_of(piece)));
  }
  return ValueSource::of_image(std::move(image));
}

} // namespace inspect
