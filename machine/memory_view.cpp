#include "machine/memory_view.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

Error not_captured(RunAddress address, std::size_t size) {
  return Error(ErrorKind::unreadable, fmt::format("{} bytes at {:#x} are not readable", size, address.value));
}

} // namespace

void MemoryView::read_many(std::span<MemoryRead> reads) const {
  for (MemoryRead &one : reads)
    one.done = read(one.address, one.into).has_value();
}

Result<std::string> read_c_string(const MemoryView &memory, RunAddress address, std::size_t limit) {
  constexpr std::size_t chunk_size = 64;
  std::string text;
  while (text.size() < limit) {
    // A chunk ends at a multiple of its size, so that no read crosses into a page the string does not reach.
    std::array<char, chunk_size> chunk;
    const RunAddress at = address + text.size();
    const std::size_t wanted = std::min(chunk_size - at.value % chunk_size, limit - text.size());
    if (auto done = memory.read(at, std::as_writable_bytes(std::span(chunk).first(wanted))); !done)
      return std::unexpected(done.error());
    const auto end = std::find(chunk.begin(), chunk.begin() + wanted, '\0');
    text.append(chunk.begin(), end);
    if (end != chunk.begin() + wanted)
      break;
  }
  return text;
}

Result<void> LayeredMemory::read(RunAddress address, std::span<std::byte> into) const {
  Result<void> last = std::unexpected(not_captured(address, into.size()));
  for (const MemoryView *layer : layers_) {
    last = layer->read(address, into);
    if (last)
      break;
  }
  return last;
}

void LayeredMemory::read_many(std::span<MemoryRead> reads) const {
  std::vector<MemoryRead> open(reads.begin(), reads.end());
  std::vector<std::size_t> positions(reads.size());
  for (std::size_t i = 0; i < positions.size(); ++i) {
    positions[i] = i;
    reads[i].done = false;
  }
  for (const MemoryView *layer : layers_) {
    if (open.empty())
      return;
    layer->read_many(open);
    std::vector<MemoryRead> still_open;
    std::vector<std::size_t> still_positions;
    for (std::size_t i = 0; i < open.size(); ++i) {
      reads[positions[i]].done = open[i].done;
      if (!open[i].done) {
        still_open.push_back(open[i]);
        still_positions.push_back(positions[i]);
      }
    }
    open = std::move(still_open);
    positions = std::move(still_positions);
  }
}

void BufferMemory::add(RunAddress address, std::vector<std::byte> bytes) {
  const auto place = std::ranges::upper_bound(pieces_, address, {}, &Piece::begin);
  pieces_.insert(place, Piece{address, std::move(bytes)});
}

Result<void> BufferMemory::read(RunAddress address, std::span<std::byte> into) const {
  auto piece = std::ranges::upper_bound(pieces_, address, {}, &Piece::begin);
  if (piece == pieces_.begin())
    return std::unexpected(not_captured(address, into.size()));
  --piece;
  std::size_t copied = 0;
  for (; copied < into.size() && piece != pieces_.end(); ++piece) {
    const std::uint64_t offset = address + copied - piece->begin;
    if (piece->begin > address + copied || offset >= piece->bytes.size())
      break;
    const std::size_t count = std::min<std::size_t>(piece->bytes.size() - offset, into.size() - copied);
    std::memcpy(into.data() + copied, piece->bytes.data() + offset, count);
    copied += count;
  }
  if (copied < into.size())
    return std::unexpected(not_captured(address, into.size()));
  return {};
}

} // namespace inspect
