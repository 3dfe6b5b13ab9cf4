// The argument words of Go 1.16 and earlier: the argument area as it is in memory.
//
// Source: cmd/compile/internal/gc/align.go, dowidth for functions: receiver, parameters, then the results at the next
// word; runtime/traceback.go of 1.16 prints ten words at most, then "...".
#include "golang/arguments/word_values.h"
#include "golang/values/value_writer.h"

#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::uint64_t word_size = 8;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t alignment) {
  return alignment <= 1 ? value : (value + alignment - 1) / alignment * alignment;
}

class StackWordDecoder {
public:
  StackWordDecoder(std::span<const std::uint64_t> words, bool cut, const ValueContext &context,
                   const MissingWordPhrases &phrases)
      : words_(words), cut_(cut), context_(context), phrases_(phrases) {}

  std::vector<DecodedArgument> run(const GoSignature &signature) {
    for (const GoParameter &parameter : signature.parameters)
      argument(parameter, false);
    end_ = round_up(end_, word_size);
    if (signature.may_lack_blanks && !cut_)
      skip_to(words_.size() * word_size - std::min(words_.size() * word_size, size_of_results(signature)));
    for (const GoParameter &parameter : signature.results)
      argument(parameter, true);
    beyond();
    return std::move(decoded_);
  }

private:
  static std::uint64_t size_of_results(const GoSignature &signature) {
    std::uint64_t size = 0;
    for (const GoParameter &result : signature.results)
      size = round_up(size, result.type->alignment) + std::min<std::uint64_t>(result.type->size, 1 << 20);
    return round_up(size, word_size);
  }

  /// What lies before `begin` and belongs to no parameter that is known is a blank one's.
  void skip_to(std::uint64_t begin) {
    if (begin <= end_)
      return;
    if (begin / word_size > end_ / word_size) {
      DecodedArgument &blank = decoded_.emplace_back();
      blank.name = "_";
      blank.words = words_text(round_up(end_, word_size), begin / word_size * word_size);
      if (blank.words.empty())
        decoded_.pop_back();
    }
    end_ = begin;
  }

  void argument(const GoParameter &parameter, bool result) {
    const GoType &type = *parameter.type;
    if (parameter.offset)
      skip_to(*parameter.offset);
    const std::uint64_t begin = parameter.offset.value_or(round_up(end_, type.alignment));
    end_ = begin + std::min(type.size, UINT64_MAX / 2 - begin);
    DecodedArgument &decoded = decoded_.emplace_back();
    decoded.name = parameter.name;
    decoded.type = type.name;
    decoded.result = result;
    decoded.words = words_text(begin, end_);
    const std::uint64_t given = words_.size() * word_size;
    if (begin >= given && type.size > 0) {
      decoded.incomplete = true;
      decoded.value = cut_ ? phrases_.cut_off : phrases_.no_words;
      return;
    }
    decoded.incomplete = end_ > given;
    // A result has no meaning yet: what it seems to point to would only mislead.
    ValueContext own = context_;
    if (result)
      own.memory = nullptr;
    decoded.value = write_go_value(type, ValueSource::of_image(image(begin, end_)), own);
  }

  /// The bytes [begin, end) of the area, no more than the words give.
  std::shared_ptr<const ValueImage> image(std::uint64_t begin, std::uint64_t end) const {
    const std::uint64_t given = words_.size() * word_size;
    const std::uint64_t first_word = begin / word_size;
    auto bytes = std::make_shared<ValueImage>(static_cast<std::size_t>(std::min(end, given) - std::min(begin, given)));
    for (std::uint64_t i = 0; i < bytes->bytes.size(); ++i) {
      const std::uint64_t place = begin % word_size + i;
      bytes->set(i, words_[first_word + place / word_size] >> (8 * (place % word_size)), 1);
    }
    return bytes;
  }

  /// What the runtime printed for it; of a word that several share, which bytes are its own.
  std::string words_text(std::uint64_t begin, std::uint64_t end) const {
    std::string text;
    if (begin == end)
      return text;
    const bool part = end - begin < word_size;
    const std::uint64_t last = std::min<std::uint64_t>((end - 1) / word_size, words_.size() - 1);
    for (std::uint64_t i = begin / word_size; i <= last && i < words_.size(); ++i)
      text += fmt::format("{}{:#x}", text.empty() ? "" : ", ", words_[i]);
    if (!part || text.empty())
      return text;
    const std::uint64_t first = begin % word_size;
    return end - begin == 1 ? fmt::format("{} byte {}", text, first)
                            : fmt::format("{} bytes {}-{}", text, first, first + (end - begin) - 1);
  }

  void beyond() {
    const std::uint64_t used = round_up(end_, word_size) / word_size;
    if (used >= words_.size())
      return;
    DecodedArgument &rest = decoded_.emplace_back();
    rest.value = phrases_.beyond;
    rest.incomplete = cut_;
    for (const std::uint64_t word : words_.subspan(static_cast<std::size_t>(used)))
      rest.words += fmt::format("{}{:#x}", rest.words.empty() ? "" : ", ", word);
  }

  std::span<const std::uint64_t> words_;
  bool cut_;
  const ValueContext &context_;
  const MissingWordPhrases &phrases_;
  std::uint64_t end_ = 0; ///< bytes of the area given out so far
  std::vector<DecodedArgument> decoded_;
};

} // namespace

std::vector<DecodedArgument> decode_stack_words(const GoSignature &signature, std::span<const std::uint64_t> words,
                                                bool cut, const ValueContext &context,
                                                const MissingWordPhrases &phrases) {
  return StackWordDecoder(words, cut, context, phrases).run(signature);
}

} // namespace inspect
