#include "golang/arguments/word_groups.h"

#include <algorithm>

namespace inspect {
namespace {

using Kind = ArgumentToken::Kind;

/// Texts come from anywhere; the runtime itself nests five deep.
constexpr int deepest = 16;

class GroupReader {
public:
  explicit GroupReader(const std::vector<ArgumentToken> &tokens) : tokens_(tokens) {}

  std::vector<WordGroup> read(int depth, bool &cut) {
    std::vector<WordGroup> groups;
    while (at_ < tokens_.size()) {
      const ArgumentToken &token = tokens_[at_];
      if (token.kind == Kind::close) {
        if (depth > 0)
          return groups;
        ++at_; // closes nothing
        continue;
      }
      if (token.kind == Kind::ellipsis) {
        cut = true;
        ++at_;
        continue;
      }
      groups.push_back(group(depth));
    }
    return groups;
  }

private:
  WordGroup group(int depth) {
    const ArgumentToken &token = tokens_[at_];
    WordGroup group;
    group.first_token = at_++;
    group.first_word = word_;
    if (token.kind == Kind::word) {
      ++word_;
      group.stale = token.stale;
    } else if (token.kind == Kind::offset_too_large) {
      group.incomplete = true;
    } else {
      group.aggregate = true;
      if (depth < deepest)
        group.parts = read(depth + 1, group.incomplete);
      if (at_ < tokens_.size() && tokens_[at_].kind == Kind::close)
        ++at_;
    }
    for (const WordGroup &part : group.parts) {
      group.stale = group.stale || part.stale;
      group.incomplete = group.incomplete || part.incomplete;
    }
    group.token_count = at_ - group.first_token;
    group.word_count = word_ - group.first_word;
    return group;
  }

  const std::vector<ArgumentToken> &tokens_;
  std::size_t at_ = 0;
  std::size_t word_ = 0;
};

} // namespace

bool WordGroup::is_words(std::size_t count, const ArgumentLayout &layout) const {
  return aggregate && !incomplete && parts.size() == count && std::ranges::all_of(parts, [&](const WordGroup &part) {
           return !part.aggregate && layout.tokens[part.first_token].size == 8;
         });
}

std::vector<WordGroup> word_groups(const ArgumentLayout &layout) {
  bool cut = false;
  return GroupReader(layout.tokens).read(0, cut);
}

ArgumentLayout layout_of(const ArgumentLayout &layout, std::span<const WordGroup> groups) {
  ArgumentLayout part;
  part.known = layout.known;
  for (const WordGroup &group : groups) {
    const auto begin = layout.tokens.begin() + static_cast<std::ptrdiff_t>(group.first_token);
    part.tokens.insert(part.tokens.end(), begin, begin + static_cast<std::ptrdiff_t>(group.token_count));
  }
  return part;
}

} // namespace inspect
