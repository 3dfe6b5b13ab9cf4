#include "inspector/mappings/thread_descriptor.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace inspect {
namespace {

constexpr std::size_t alignment = 64;      // of struct pthread
constexpr std::size_t self_offset = 16;    // of tcbhead_t::self
constexpr std::size_t thread_offset = 720; // of struct pthread::tid: behind the header's 704 bytes and a list_t
constexpr std::int32_t max_id = 1 << 22;   // the kernel's PID_MAX_LIMIT

template <typename T> T value_at(std::span<const std::byte> bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

} // namespace

const std::size_t thread_descriptor_size = thread_offset + sizeof(std::int32_t);

std::optional<ThreadDescriptor> find_thread_descriptor(RunAddress address, std::span<const std::byte> bytes) {
  for (std::size_t at = (alignment - address.value % alignment) % alignment;
       at + thread_descriptor_size <= bytes.size(); at += alignment) {
    const std::uint64_t own = address.value + at;
    if (value_at<std::uint64_t>(bytes, at) != own || value_at<std::uint64_t>(bytes, at + self_offset) != own)
      continue;
    // The kernel clears the id when the thread ends, pthread_join sets it to -1.
    const auto thread = value_at<std::int32_t>(bytes, at + thread_offset);
    if (thread >= -1 && thread <= max_id)
      return ThreadDescriptor{{own}, std::max(thread, 0)};
  }
  return std::nullopt;
}

} // namespace inspect
