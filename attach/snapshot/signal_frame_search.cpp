#include "attach/snapshot/signal_frame_search.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <ucontext.h>

namespace inspect {
namespace {

// Alternate stacks are small; frames farther away than this are not looked for.
constexpr std::size_t max_searched = 256U << 10;
constexpr std::uint64_t max_alternate_stack_size = 64ULL << 20;
constexpr std::size_t max_frames = 4;

constexpr std::size_t word_size = 8;
constexpr std::size_t stack_begin_offset = offsetof(ucontext_t, uc_stack.ss_sp);
constexpr std::size_t stack_size_offset = offsetof(ucontext_t, uc_stack.ss_size);
constexpr std::size_t saved_stack_pointer_offset = offsetof(ucontext_t, uc_mcontext.gregs) + REG_RSP * word_size;
constexpr std::size_t needed_bytes = saved_stack_pointer_offset + word_size;

std::uint64_t word_at(std::span<const std::byte> bytes, std::size_t position) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data() + position, sizeof value);
  return value;
}

} // namespace

std::vector<RunAddress> find_interrupted_stacks(RunAddress stack_pointer, std::span<const std::byte> bytes) {
  constexpr std::uint64_t max_flags = 16; // UC_FP_XSTATE 1, UC_SIGCONTEXT_SS 2, UC_STRICT_RESTORE_SS 4
  std::vector<RunAddress> found;
  bytes = bytes.first(std::min(bytes.size(), max_searched));
  const std::uint64_t lowest = stack_pointer.value - std::min(stack_pointer.value, max_alternate_stack_size);
  const std::uint64_t window = stack_pointer.value - lowest;
  const std::size_t first = (word_size - stack_pointer.value % word_size) % word_size;
  for (std::size_t at = first; at + needed_bytes <= bytes.size(); at += word_size) {
    // One comparison dismisses nearly every word: few point below the stack pointer.
    const std::uint64_t stack_begin = word_at(bytes, at + stack_begin_offset);
    if (stack_begin - lowest > window)
      continue;
    const std::uint64_t stack_size = word_at(bytes, at + stack_size_offset);
    if (stack_pointer.value - stack_begin >= stack_size || stack_size > max_alternate_stack_size)
      continue;
    const std::uint64_t flags = word_at(bytes, at + offsetof(ucontext_t, uc_flags));
    const std::uint64_t link = word_at(bytes, at + offsetof(ucontext_t, uc_link));
    const RunAddress saved{word_at(bytes, at + saved_stack_pointer_offset)};
    if (flags >= max_flags || link != 0 || saved.value - stack_begin < stack_size)
      continue;
    if (std::ranges::find(found, saved) == found.end())
      found.push_back(saved);
    if (found.size() == max_frames)
      break;
  }
  return found;
}

} // namespace inspect
