#include "inspector/stacks/stack_pool.h"

#include <algorithm>

namespace inspect {
namespace {

/// Mixes as FNV-1a does, a word at a time.
std::uint64_t hash_of(const Stack &stack) {
  constexpr std::uint64_t prime = 0x100000001b3;
  std::uint64_t hash = 0xcbf29ce484222325 ^ static_cast<std::uint64_t>(stack.end);
  for (const Frame &frame : stack.frames) {
    hash = (hash ^ frame.lookup_address().value) * prime;
    hash ^= hash >> 29;
  }
  return hash;
}

} // namespace

bool StackPool::is_same(std::uint32_t number, const Stack &stack) const {
  const Key &key = keys_[number - first_];
  return key.end == stack.end && key.elided == stack.elided &&
         (stack.end == StackEnd::complete || key.at == stack.at) &&
         std::ranges::equal(key.lookups, stack.frames, {}, {}, &Frame::lookup_address);
}

std::uint32_t StackPool::number_of(const Stack &stack) {
  const std::uint64_t hash = hash_of(stack);
  const auto [first, last] = numbers_.equal_range(hash);
  for (auto known = first; known != last; ++known)
    if (is_same(known->second, stack))
      return known->second;
  const auto number = static_cast<std::uint32_t>(stacks_.size());
  GoroutineStack named;
  named.word_count = namer_.name(stack, named.frames);
  named.end = stack.end;
  named.end_reason = stack.end_reason;
  stacks_.push_back(std::move(named));
  Key &key = keys_.emplace_back();
  std::ranges::transform(stack.frames, std::back_inserter(key.lookups), &Frame::lookup_address);
  key.end = stack.end;
  key.at = stack.at;
  key.elided = stack.elided;
  numbers_.emplace(hash, number);
  return number;
}

} // namespace inspect
