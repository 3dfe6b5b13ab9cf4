#include "golang/arguments/pointer_numbers.h"

#include <fmt/format.h>

namespace inspect {
namespace {

/// Numbers below and above are hardly ever addresses of the heap or of a stack on a 64-bit Linux.
bool looks_like_pointer(std::uint64_t word) {
  return word >= (1ULL << 29U) && word < (1ULL << 47U);
}

} // namespace

void PointerNumbers::note(std::span<const FoldedWord> words) {
  for (const FoldedWord &word : words) {
    if (!word || !looks_like_pointer(*word))
      continue;
    const auto [entry, is_new] = pointers_.try_emplace(*word);
    entry->second.in_several_places = !is_new;
  }
}

std::string PointerNumbers::word_text(std::uint64_t word) {
  const auto known = pointers_.find(word);
  if (known == pointers_.end() || !known->second.in_several_places)
    return fmt::format("{:#x}", word);
  if (known->second.number != 0)
    return fmt::format("#{}", known->second.number);
  known->second.number = ++last_number_;
  return fmt::format("#{}={:#x}", last_number_, word);
}

std::string PointerNumbers::text(const ArgumentLayout &layout, std::span<const FoldedWord> words) {
  std::string text;
  std::size_t next = 0;
  bool separate = false;
  for (const ArgumentToken &token : layout.tokens) {
    if (separate && token.kind != ArgumentToken::Kind::close)
      text += ", ";
    separate = token.kind != ArgumentToken::Kind::open;
    switch (token.kind) {
    case ArgumentToken::Kind::open:
      text += '{';
      break;
    case ArgumentToken::Kind::close:
      text += '}';
      break;
    case ArgumentToken::Kind::ellipsis:
      text += "...";
      break;
    case ArgumentToken::Kind::offset_too_large:
      text += '_';
      break;
    case ArgumentToken::Kind::word: {
      const FoldedWord word = next < words.size() ? words[next] : std::nullopt;
      ++next;
      text += word ? word_text(*word) + (token.stale ? "?" : "") : "*";
      break;
    }
    }
  }
  return text;
}

} // namespace inspect
