#include "golang/goroutines/goroutine_list.h"

#include "golang/runtime/goroutine_decoder.h"
#include "machine/worker_threads.h"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>

namespace inspect {
namespace {

struct SliceHeader {
  std::uint64_t array;
  std::uint64_t length;
  std::uint64_t capacity;
};

/// Structures further apart than this are not read together: what lies between costs more than a read of its own.
constexpr std::uint64_t max_gap = 4096;
constexpr std::uint64_t chunk_bytes = 256 << 10;

bool may_be_pointer(std::uint64_t address) {
  return address != 0 && address % sizeof(address) == 0 && address < end_of_user_space;
}

struct Place {
  std::uint64_t address;
  std::uint32_t slot;
};

} // namespace

GoroutineList::GoroutineList(const RuntimeLayout &layout, const MemoryView &memory)
    : layout_(layout), memory_(memory), buffers_(worker_count()) {
  for (std::vector<std::byte> &buffer : buffers_)
    buffer.resize(chunk_bytes + max_gap + structure_bytes());
}

Result<void> GoroutineList::find(RunAddress header) {
  const auto slice = read_value<SliceHeader>(memory_, header);
  if (!slice)
    return std::unexpected(slice.error());
  // Where it is just being appended to, the length may be ahead of the array.
  const std::uint64_t length = std::min(slice->length, slice->capacity);
  cut_from_ = length > max_goroutines ? length : 0;
  again_.resize(std::min<std::uint64_t>(length, max_goroutines));
  if (auto read = memory_.read({slice->array}, std::as_writable_bytes(std::span(again_))); !read && !again_.empty())
    return std::unexpected(
        Error(ErrorKind::unreadable, fmt::format("the list of {} goroutines at {:#x} (its header is at {:#x}): {}",
                                                 length, slice->array, header.value, read.error().message())));
  const std::size_t known = slots_.size();
  if (known <= again_.size() && std::equal(slots_.begin(), slots_.end(), again_.begin())) {
    if (known == 0)
      slots_.reserve(again_.size() + again_.size() / 8);
    slots_.insert(slots_.end(), again_.begin() + static_cast<std::ptrdiff_t>(known), again_.end());
    plan_from(known);
    return {};
  }
  slots_ = again_;
  order_.clear();
  chunks_.clear();
  bad_slots_.clear();
  plan_from(0);
  return {};
}

void GoroutineList::plan_from(std::size_t first_slot) {
  std::vector<Place> places;
  places.reserve(slots_.size() - first_slot);
  for (std::size_t i = first_slot; i < slots_.size(); ++i)
    if (may_be_pointer(slots_[i]))
      places.push_back({slots_[i], static_cast<std::uint32_t>(i)});
    else
      bad_slots_.push_back(static_cast<std::uint32_t>(i));
  std::ranges::sort(places, {}, &Place::address);
  order_.reserve(order_.size() + places.size());
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  for (const Place &one : places) {
    const bool is_first = &one == places.data();
    if (is_first || one.address > end + max_gap || one.address + structure_bytes() - begin > chunk_bytes) {
      const auto here = static_cast<std::uint32_t>(order_.size());
      chunks_.push_back({here, here});
      begin = one.address;
    }
    order_.push_back(one.slot);
    ++chunks_.back().last;
    end = one.address + structure_bytes();
  }
}

void GoroutineList::read(const Visit &visit) {
  constexpr std::size_t worth_a_thread = 16; // chunks, of 40 microseconds each
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> unread{0};
  const auto work = [&](std::size_t worker) {
    for (std::size_t i = next++; i < chunks_.size(); i = next++)
      unread += read_chunk(worker, chunks_[i], visit);
  };
  run_workers(std::min(workers(), 1 + chunks_.size() / worth_a_thread), work);
  unread_ = unread;
  for (const std::uint32_t slot : bad_slots_)
    visit(0, slot, Goroutine{});
}

std::size_t GoroutineList::read_chunk(std::size_t worker, Chunk chunk, const Visit &visit) {
  const std::uint64_t begin = slots_[order_[chunk.first]];
  const std::uint64_t size = slots_[order_[chunk.last - 1]] + structure_bytes() - begin;
  const std::span<std::byte> bytes = std::span(buffers_[worker]).first(size);
  const bool all_read = memory_.read({begin}, bytes).has_value();
  std::size_t unread = 0;
  for (std::uint32_t i = chunk.first; i < chunk.last; ++i) {
    const std::uint32_t slot = order_[i];
    const RunAddress address{slots_[slot]};
    const std::span<std::byte> structure = bytes.subspan(address.value - begin, structure_bytes());
    if (all_read || memory_.read(address, structure)) {
      visit(worker, slot, decode_goroutine(layout_, address, structure));
    } else {
      visit(worker, slot, Goroutine{});
      ++unread;
    }
  }
  return unread;
}

} // namespace inspect
