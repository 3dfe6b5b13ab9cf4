// The argument words of Go 1.17 and later: one for each scalar, in braces what belongs together.
//
// Source: cmd/compile/internal/ssagen, EmitArgInfo: strings, slices, interfaces, complex numbers, arrays and structures
// are in braces; "..." after ten words and for what is nested five deep; "_" for what lies too far from the frame; the
// dictionary of a generic function is not printed, results are not either.
#include "golang/arguments/argument_words.h"
#include "golang/arguments/word_values.h"
#include "golang/values/value_writer.h"

#include <fmt/format.h>

namespace inspect {
namespace {

using Token = ArgumentToken;

/// The tokens of one parameter, and the words that belong to them.
struct Item {
  std::span<const Token> tokens;
  std::span<const std::uint64_t> words;
};

std::vector<Item> split_items(const ArgumentLayout &layout, std::span<const std::uint64_t> words) {
  std::vector<Item> items;
  for (const WordGroup &group : word_groups(layout))
    if (group.first_word + group.word_count <= words.size())
      items.push_back({std::span(layout.tokens).subspan(group.first_token, group.token_count),
                       words.subspan(group.first_word, group.word_count)});
  return items;
}

/// Goes through a type and the tokens of one item at the same time.
class ItemReader {
public:
  ItemReader(const GoType &type, const Item &item)
      : item_(item), image_(std::make_shared<ValueImage>(
                         static_cast<std::size_t>(std::min<std::uint64_t>(type.size, max_image_size)))) {
    fits_ = read(type, 0) && at_ == item.tokens.size();
  }

  bool fits() const { return fits_; }
  bool stale() const { return stale_; }
  bool incomplete() const { return incomplete_; }
  std::shared_ptr<const ValueImage> image() const { return image_; }

private:
  /// More than ten words can never come from it, wherever they lie.
  static constexpr std::uint64_t max_image_size = 1 << 20;

  bool ends() const { return at_ >= item_.tokens.size(); }
  Token::Kind kind() const { return item_.tokens[at_].kind; }
  bool take(Token::Kind wanted) {
    if (ends() || kind() != wanted)
      return false;
    ++at_;
    return true;
  }

  bool read(const GoType &type, std::uint64_t offset);
  bool read_scalar(std::uint64_t size, std::uint64_t offset);
  bool read_unknown();
  bool read_parts(const GoType &type, std::uint64_t offset);
  /// In braces, after which a part may be missing: true where the parts go on.
  bool part(const GoType &type, std::uint64_t offset, bool &more) {
    if (!ends() && kind() == Token::Kind::ellipsis) {
      more = false;
      return true;
    }
    return read(type, offset);
  }
  bool words_in_braces(std::span<const std::uint64_t> sizes, std::uint64_t offset);

  const Item &item_;
  std::shared_ptr<ValueImage> image_;
  std::size_t at_ = 0;
  std::size_t word_ = 0;
  bool stale_ = false;
  bool incomplete_ = false;
  bool fits_ = false;
};

bool ItemReader::read_scalar(std::uint64_t size, std::uint64_t offset) {
  if (take(Token::Kind::offset_too_large)) {
    incomplete_ = true;
    return true;
  }
  if (ends() || kind() != Token::Kind::word || word_ >= item_.words.size())
    return false;
  const Token &token = item_.tokens[at_++];
  const std::uint64_t word = item_.words[word_++];
  stale_ = stale_ || token.stale;
  if (size < 8 && word >> (8 * size) != 0)
    return false;
  image_->set(static_cast<std::size_t>(offset), word, static_cast<std::size_t>(size));
  return true;
}

/// Of a type that nobody declared: whatever is printed for it.
bool ItemReader::read_unknown() {
  if (!take(Token::Kind::open))
    return read_scalar(8, 0);
  at_ = item_.tokens.size();
  incomplete_ = true;
  return true;
}

bool ItemReader::words_in_braces(std::span<const std::uint64_t> sizes, std::uint64_t offset) {
  for (const std::uint64_t size : sizes) {
    if (!ends() && kind() == Token::Kind::ellipsis)
      return true;
    if (!read_scalar(size, offset))
      return false;
    offset += size;
  }
  return true;
}

bool ItemReader::read_parts(const GoType &type, std::uint64_t offset) {
  constexpr std::uint64_t words[] = {8, 8, 8};
  const std::uint64_t half[] = {type.size / 2, type.size / 2};
  bool more = true;
  switch (type.kind) {
  case GoKind::string:
  case GoKind::interface:
    return words_in_braces(std::span(words).first(2), offset);
  case GoKind::slice:
    return words_in_braces(words, offset);
  case GoKind::complex64:
  case GoKind::complex128:
    return words_in_braces(half, offset);
  case GoKind::array:
    for (std::uint64_t i = 0; i < type.length && more; ++i)
      if (!part(*type.element, offset + i * type.element->size, more))
        return false;
    return true;
  default:
    for (std::size_t i = 0; i < type.fields.size() && more; ++i)
      if (!part(*type.fields[i].type, offset + type.fields[i].offset, more))
        return false;
    return true;
  }
}

bool ItemReader::read(const GoType &type, std::uint64_t offset) {
  switch (type.kind) {
  case GoKind::unknown:
    return read_unknown();
  case GoKind::string:
  case GoKind::interface:
  case GoKind::slice:
  case GoKind::complex64:
  case GoKind::complex128:
  case GoKind::array:
  case GoKind::structure:
    break;
  default:
    return read_scalar(type.size, offset);
  }
  if (!take(Token::Kind::open))
    return false;
  if (!ends() && kind() != Token::Kind::ellipsis && !read_parts(type, offset))
    return false;
  if (take(Token::Kind::ellipsis))
    incomplete_ = true;
  return take(Token::Kind::close);
}

class RegisterWordDecoder {
public:
  RegisterWordDecoder(const GoSignature &signature, const ArgumentLayout &layout, std::span<const std::uint64_t> words,
                      const ValueContext &context, const MissingWordPhrases &phrases)
      : context_(context), phrases_(phrases),
        cut_(!layout.tokens.empty() && layout.tokens.back().kind == Token::Kind::ellipsis),
        items_(split_items(layout, words)) {
    for (const GoParameter &parameter : signature.parameters)
      if (parameter.name != ".dict")
        parameters_.push_back(&parameter);
    may_lack_blanks_ = signature.may_lack_blanks && !cut_ && items_.size() > parameters_.size();
  }

  std::vector<DecodedArgument> run() {
    if (may_lack_blanks_)
      with_blanks();
    else
      in_order();
    return std::move(decoded_);
  }

private:
  void decode(const GoParameter &parameter, const Item &item) {
    const ItemReader reader(*parameter.type, item);
    DecodedArgument &decoded = decoded_.emplace_back();
    decoded.name = parameter.name;
    decoded.type = parameter.type->name;
    decoded.words = item_text(item);
    decoded.stale = reader.stale();
    decoded.incomplete = reader.incomplete();
    decoded.value = reader.fits() ? write_go_value(*parameter.type, ValueSource::of_image(reader.image()), context_)
                                  : "the words do not fit the signature";
  }

  void nameless(const Item &item, std::string_view name, std::string_view value) {
    DecodedArgument &decoded = decoded_.emplace_back();
    decoded.name = name;
    decoded.value = value;
    decoded.words = item_text(item);
    for (const Token &token : item.tokens)
      decoded.stale = decoded.stale || token.stale;
  }

  void in_order() {
    for (std::size_t i = 0; i < std::max(items_.size(), parameters_.size()); ++i) {
      if (i >= parameters_.size()) {
        if (!items_[i].words.empty()) // goexit({}) passes nothing
          nameless(items_[i], {}, phrases_.beyond);
      } else if (i < items_.size()) {
        decode(*parameters_[i], items_[i]);
      } else {
        DecodedArgument &decoded = decoded_.emplace_back();
        decoded.name = parameters_[i]->name;
        decoded.type = parameters_[i]->type->name;
        decoded.incomplete = true;
        decoded.value = cut_ ? phrases_.cut_off : phrases_.no_words;
      }
    }
  }

  /// More words than parameters: some parameters are blank, and it is not said which. A parameter is where it must be
  /// when those before it stand as far left, and those after it as far right, as their types let them.
  void with_blanks() {
    const std::size_t none = SIZE_MAX;
    std::vector<std::size_t> earliest(parameters_.size(), none);
    std::vector<std::size_t> latest(parameters_.size(), none);
    std::size_t item = 0;
    for (std::size_t i = 0; i < parameters_.size(); ++i, ++item) {
      while (item < items_.size() && !ItemReader(*parameters_[i]->type, items_[item]).fits())
        ++item;
      if (item >= items_.size())
        return in_order();
      earliest[i] = item;
    }
    item = items_.size();
    for (std::size_t i = parameters_.size(); i-- > 0;) {
      while (item > 0 && !ItemReader(*parameters_[i]->type, items_[item - 1]).fits())
        --item;
      latest[i] = --item;
    }
    const bool all_certain = earliest == latest;
    std::size_t next = 0;
    for (item = 0; item < items_.size(); ++item) {
      while (next < parameters_.size() && latest[next] < item)
        ++next;
      if (next < parameters_.size() && earliest[next] == item && latest[next] == item)
        decode(*parameters_[next++], items_[item]);
      else if (all_certain)
        nameless(items_[item], "_", {});
      else
        nameless(items_[item], {}, possible_names(item, earliest, latest));
    }
  }

  std::string possible_names(std::size_t item, std::span<const std::size_t> earliest,
                             std::span<const std::size_t> latest) const {
    std::string text;
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      if (earliest[i] <= item && item <= latest[i] && ItemReader(*parameters_[i]->type, items_[item]).fits())
        text += fmt::format("{}{} {}", text.empty() ? "perhaps " : " or ", parameters_[i]->name,
                            parameters_[i]->type->name);
    return text;
  }

  static std::string item_text(const Item &item) {
    ArgumentLayout part;
    part.tokens.assign(item.tokens.begin(), item.tokens.end());
    part.known = true;
    return argument_text(part, item.words);
  }

  const ValueContext &context_;
  const MissingWordPhrases &phrases_;
  bool cut_;
  std::vector<Item> items_;
  std::vector<const GoParameter *> parameters_;
  bool may_lack_blanks_ = false;
  std::vector<DecodedArgument> decoded_;
};

} // namespace

std::vector<DecodedArgument> decode_words(const GoSignature &signature, const ArgumentLayout &layout,
                                          std::span<const std::uint64_t> words, const ValueContext &context,
                                          const MissingWordPhrases &phrases) {
  return RegisterWordDecoder(signature, layout, words, context, phrases).run();
}

} // namespace inspect
