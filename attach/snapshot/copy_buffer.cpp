#include "attach/snapshot/copy_buffer.h"

#include <algorithm>
#include <iterator>
#include <sys/mman.h>

namespace inspect {
namespace {

constexpr std::uint64_t page_bytes = 4096;
constexpr std::uint64_t large_page_bytes = 2U << 20;
constexpr std::uint64_t max_block_size = 1ULL << 40;

std::uint64_t round_up(std::uint64_t bytes, std::uint64_t to) {
  return (bytes + to - 1) / to * to;
}

void give_pages(std::byte *block, std::uint64_t bytes) {
  if (::madvise(block, bytes, MADV_POPULATE_WRITE) == 0)
    return;
  // A kernel before 5.14.
  for (std::uint64_t i = 0; i < bytes; i += page_bytes)
    static_cast<volatile std::byte *>(block)[i] = std::byte{0};
}

} // namespace

void CopyBuffer::Unmap::operator()(std::byte *block) const {
  ::munmap(block, size);
}

CopyBuffer::Block CopyBuffer::map(std::uint64_t bytes) {
  if (bytes == 0 || bytes > max_block_size)
    return {};
  const std::uint64_t size = round_up(bytes, bytes >= large_page_bytes ? large_page_bytes : page_bytes);
  void *block = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (block == MAP_FAILED)
    return {};
  // Where the kernel has no large pages, or no such call, small ones do.
  if (size >= large_page_bytes)
    static_cast<void>(::madvise(block, size, MADV_HUGEPAGE));
  return {static_cast<std::byte *>(block), Unmap{size}};
}

void CopyBuffer::prepare(std::uint64_t bytes) {
  // Twice the room, of which the second half costs nothing unless the guess was low.
  if (Block block = map(bytes * 2)) {
    give_pages(block.get(), bytes);
    blocks_.push_back(std::move(block));
  }
}

std::uint64_t CopyBuffer::left() const {
  std::uint64_t sum = 0;
  for (std::size_t i = current_; i < blocks_.size(); ++i)
    sum += blocks_[i].get_deleter().size;
  return sum - std::min(used_, sum);
}

void CopyBuffer::expect(std::uint64_t bytes) {
  if (const std::uint64_t there = left(); there < bytes)
    if (Block block = map(bytes - there))
      blocks_.push_back(std::move(block));
}

void CopyBuffer::add(CopyBuffer other) {
  // In front of the block that is being taken from, where nothing is taken any more.
  blocks_.insert(blocks_.begin(), std::make_move_iterator(other.blocks_.begin()),
                 std::make_move_iterator(other.blocks_.end()));
  current_ += other.blocks_.size();
}

std::byte *CopyBuffer::take(std::uint64_t size) {
  const auto fits = [&] { return blocks_[current_].get_deleter().size - used_ >= size; };
  while (current_ < blocks_.size() && !fits()) {
    ++current_;
    used_ = 0;
  }
  if (current_ == blocks_.size()) {
    Block block = map(std::max(size, large_page_bytes));
    if (!block)
      return nullptr;
    blocks_.push_back(std::move(block));
  }
  std::byte *taken = blocks_[current_].get() + used_;
  used_ += size;
  return taken;
}

void CopyBuffer::keep_for_ever() {
  for (Block &block : blocks_)
    static_cast<void>(block.release());
  blocks_.clear();
}

} // namespace inspect
