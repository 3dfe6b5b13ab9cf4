#include "machine/value_source.h"

#include <algorithm>

namespace inspect {
namespace {

/// Up to here one read of the whole costs less than one for each part.
constexpr std::uint64_t read_at_once = 4096;

} // namespace

void ValueImage::set(std::size_t offset, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size && i < 8 && offset + i < bytes.size(); ++i) {
    bytes[offset + i] = static_cast<std::byte>(value >> (8 * i));
    known[offset + i] = whole_byte;
  }
}

ValueSource ValueSource::in_memory(const MemoryView &memory, RunAddress address, std::uint64_t size) {
  if (size > 0 && size <= read_at_once) {
    auto image = std::make_shared<ValueImage>(static_cast<std::size_t>(size));
    if (memory.read(address, image->bytes)) {
      image->known.assign(image->bytes.size(), ValueImage::whole_byte);
      return {std::move(image), &memory, address, 0};
    }
  }
  return {nullptr, &memory, address, 0};
}

bool ValueSource::read(std::uint64_t offset, std::span<std::byte> into) const {
  return read_bits(8 * offset, 8 * std::uint64_t{into.size()}, into);
}

bool ValueSource::read_bits(std::uint64_t first, std::uint64_t count, std::span<std::byte> into) const {
  const std::uint64_t offset = first / 8;
  const std::uint64_t begin = offset_ + offset;
  if (!image_)
    return memory_ && memory_->read(address_ + begin, into).has_value();
  if (begin > image_->bytes.size() || into.size() > image_->bytes.size() - begin)
    return false;
  for (std::size_t i = 0; i < into.size(); ++i) {
    unsigned wanted = ValueImage::whole_byte;
    if (i == 0)
      wanted &= ValueImage::whole_byte << first % 8;
    if (i + 1 == into.size())
      wanted &= ValueImage::whole_byte >> (8 * into.size() - first % 8 - count);
    if ((image_->known[begin + i] & wanted) != wanted)
      return false;
    into[i] = image_->bytes[begin + i];
  }
  return true;
}

bool ValueSource::knows_none(std::uint64_t offset, std::uint64_t size) const {
  const std::uint64_t begin = offset_ + offset;
  if (memory_ != nullptr || !image_ || begin > image_->known.size() || size > image_->known.size() - begin)
    return false;
  const auto first = image_->known.begin() + static_cast<std::ptrdiff_t>(begin);
  return std::all_of(first, first + static_cast<std::ptrdiff_t>(size), [](std::uint8_t bits) { return bits == 0; });
}

std::optional<std::uint64_t> ValueSource::unsigned_at(std::uint64_t offset, std::size_t size) const {
  std::byte bytes[8] = {};
  if (size > sizeof bytes || !read(offset, std::span(bytes, size)))
    return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;)
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

std::optional<RunAddress> ValueSource::address() const {
  if (!memory_)
    return std::nullopt;
  return address_ + offset_;
}

} // namespace inspect
