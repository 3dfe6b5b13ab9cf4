#include "golang/arguments/argument_words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <iterator>
#include <optional>

namespace inspect {
namespace {

/// internal/abi/symtab.go: the bytes of an ArgInfo program. All other first bytes are offsets, followed by a size.
constexpr std::uint8_t end_of_program = 0xff;
constexpr std::uint8_t open_aggregate = 0xfe;
constexpr std::uint8_t close_aggregate = 0xfd;
constexpr std::uint8_t ellipsis = 0xfc;
constexpr std::uint8_t offset_too_large = 0xfb;

constexpr std::size_t max_words = 10;
/// The compiler's own bound: ten components, each at most two bytes and five nested aggregates of up to three bytes.
constexpr std::size_t max_program_length = (5 * 3 + 2) * max_words + 1;
/// A bit for each spill slot, of which there are as many as words at most.
constexpr std::size_t liveness_bytes = (max_words + 7) / 8;
constexpr std::uint64_t page_size = 4096;

/// Up to `limit` bytes: fewer where readable memory ends before.
std::size_t read_prefix(const MemoryView &memory, RunAddress address, std::span<std::byte> into) {
  if (memory.read(address, into))
    return into.size();
  const auto to_page_end = static_cast<std::size_t>(page_size - address.value % page_size);
  if (to_page_end < into.size() && memory.read(address, into.first(to_page_end)))
    return to_page_end;
  std::size_t count = 0;
  while (count < into.size() && memory.read(address + count, into.subspan(count, 1)))
    ++count;
  return count;
}

/// Which spill slots hold their value at one pc: runtime/traceback.go printArgs, since Go 1.18.
struct SlotLiveness {
  std::uint8_t first_offset = 0xff; ///< slots below are always live
  bool all = true;                  ///< nothing is said of this pc
  std::array<std::uint8_t, liveness_bytes> bits{};

  bool live(std::uint8_t offset, std::size_t slot) const {
    if (all || offset < first_offset || slot >= bits.size() * 8)
      return true;
    return (bits[slot / 8] >> slot % 8 & 1) != 0;
  }
};

SlotLiveness slot_liveness(const GoImage &image, const GoFunction &function, RunAddress pc, const MemoryView &memory) {
  SlotLiveness liveness;
  const auto table = image.table->function_data(function, GoFunctionData::argument_liveness);
  if (!table)
    return liveness;
  if (const auto first = read_value<std::uint8_t>(memory, *table))
    liveness.first_offset = *first;
  else
    return liveness;
  const auto row = image.table->pc_data(function, GoPcData::argument_liveness, pc);
  if (!row || *row <= 0)
    return liveness;
  std::array<std::byte, liveness_bytes> bytes{};
  if (read_prefix(memory, *table + static_cast<std::uint64_t>(*row), bytes) == 0)
    return liveness;
  std::memcpy(liveness.bits.data(), bytes.data(), bytes.size());
  liveness.all = false;
  return liveness;
}

/// Nothing where the program does not end or is cut inside an instruction.
std::optional<std::vector<ArgumentToken>> run_program(std::span<const std::byte> program,
                                                      const SlotLiveness &liveness) {
  using Kind = ArgumentToken::Kind;
  std::vector<ArgumentToken> tokens;
  std::size_t slot = 0;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const auto code = static_cast<std::uint8_t>(program[at]);
    switch (code) {
    case end_of_program:
      return tokens;
    case open_aggregate:
      tokens.push_back({.kind = Kind::open});
      break;
    case close_aggregate:
      tokens.push_back({.kind = Kind::close});
      break;
    case ellipsis:
      tokens.push_back({.kind = Kind::ellipsis});
      break;
    case offset_too_large:
      tokens.push_back({.kind = Kind::offset_too_large});
      break;
    default:
      if (++at == program.size())
        return std::nullopt;
      // A vector register's slot (Go 1.26) is larger than a word; the runtime prints its first word.
      const auto size = std::min<std::uint8_t>(static_cast<std::uint8_t>(program[at]), 8);
      tokens.push_back({.kind = Kind::word, .offset = code, .size = size, .stale = !liveness.live(code, slot)});
      if (code >= liveness.first_offset)
        ++slot;
    }
  }
  return std::nullopt;
}

/// Go 1.16 prints its argument area word by word and knows nothing of types. Of assembly without a declared size
/// (negative) it prints what is there, up to the limit.
ArgumentLayout stack_words(std::int32_t arguments_size) {
  ArgumentLayout layout;
  layout.known = true;
  const auto size = static_cast<std::uint64_t>(std::int64_t{arguments_size});
  const std::uint64_t count = size / 8;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, max_words); ++i)
    layout.tokens.push_back({.offset = static_cast<std::uint8_t>(i * 8)});
  if (count > max_words)
    layout.tokens.push_back({.kind = ArgumentToken::Kind::ellipsis});
  return layout;
}

} // namespace

std::size_t ArgumentLayout::word_count() const {
  return static_cast<std::size_t>(std::ranges::count(tokens, ArgumentToken::Kind::word, &ArgumentToken::kind));
}

ArgumentLayout argument_layout(const GoImage &image, const GoFunction &function, RunAddress pc,
                               const MemoryView &memory) {
  if (image.version != GoVersion{} && image.version < GoVersion{1, 17})
    return stack_words(function.arguments_size);
  ArgumentLayout layout;
  const auto address = image.table->function_data(function, GoFunctionData::argument_info);
  if (!address) {
    layout.known = !function.assembly; // the compiler describes every Go function that has arguments
    return layout;
  }
  std::array<std::byte, max_program_length> program;
  const std::size_t length = read_prefix(memory, *address, program);
  if (auto tokens = run_program(std::span(program).first(length), slot_liveness(image, function, pc, memory))) {
    layout.tokens = std::move(*tokens);
    layout.known = true;
  }
  return layout;
}

bool read_argument_words(const ArgumentLayout &layout, RunAddress cfa, const MemoryView &memory,
                         std::vector<std::uint64_t> &into) {
  into.clear();
  std::size_t begin = 256 + 8;
  std::size_t end = 0;
  for (const ArgumentToken &token : layout.tokens) {
    if (token.kind != ArgumentToken::Kind::word)
      continue;
    begin = std::min<std::size_t>(begin, token.offset);
    end = std::max<std::size_t>(end, std::size_t{token.offset} + std::min<std::size_t>(token.size, 8));
  }
  if (end == 0)
    return true;
  std::array<std::byte, 256 + 8> area;
  const bool whole = memory.read(cfa + begin, std::span(area).subspan(begin, end - begin)).has_value();
  bool complete = true;
  for (const ArgumentToken &token : layout.tokens) {
    if (token.kind != ArgumentToken::Kind::word)
      continue;
    const std::size_t size = std::min<std::size_t>(token.size, 8);
    const auto bytes = std::span(area).subspan(token.offset, size);
    std::uint64_t word = 0;
    if (whole || memory.read(cfa + token.offset, bytes))
      std::memcpy(&word, bytes.data(), size);
    else
      complete = false;
    into.push_back(word);
  }
  return complete;
}

std::string argument_text(const ArgumentLayout &layout, std::span<const std::uint64_t> words) {
  using Kind = ArgumentToken::Kind;
  std::string text;
  std::size_t next = 0;
  bool first = true;
  for (const ArgumentToken &token : layout.tokens) {
    if (!first && token.kind != Kind::close)
      text += ", ";
    first = token.kind == Kind::open;
    switch (token.kind) {
    case Kind::open:
      text += '{';
      break;
    case Kind::close:
      text += '}';
      break;
    case Kind::ellipsis:
      text += "...";
      break;
    case Kind::offset_too_large:
      text += '_';
      break;
    case Kind::word: {
      std::array<char, 16> digits;
      const std::uint64_t word = next < words.size() ? words[next] : 0;
      ++next;
      const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), word, 16);
      text.append("0x").append(digits.data(), written.ptr);
      if (token.stale)
        text += '?';
      break;
    }
    }
  }
  return text;
}

namespace {

using Kind = ArgumentToken::Kind;

/// Texts come from anywhere; the runtime itself nests five deep.
constexpr int max_group_depth = 16;

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
      if (depth < max_group_depth)
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
