// describe_words (word_values.h): what can be said of argument words without a signature. All that is not proved by the
// runtime's own data begins with "probably"; a word that would be an address in some known place is shown with that
// place.
#include "golang/arguments/argument_words.h"
#include "golang/arguments/receiver_name.h"
#include "golang/arguments/word_values.h"
#include "golang/values/scalar_text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::uint64_t max_length = std::uint64_t{1} << 40;
constexpr std::size_t max_checked_text = 256;
constexpr std::size_t shortest_slice_text = 4;
/// Nothing is mapped below (vm.mmap_min_addr), so smaller words are not pointers.
constexpr std::uint64_t lowest_pointer = 1 << 16;
constexpr std::string_view function_phrase = "func ";

GoType simple_type(GoKind kind, std::string name, std::uint64_t size) {
  GoType type;
  type.kind = kind;
  type.name = std::move(name);
  type.size = size;
  type.alignment = 8;
  return type;
}

const GoType string_type = simple_type(GoKind::string, "string", 16);
const GoType empty_interface_type = simple_type(GoKind::interface, "interface {}", 16);

struct Meaning {
  std::string type;
  std::string value;

  bool known() const { return !type.empty() || !value.empty(); }
};

class Describer {
public:
  Describer(const ArgumentLayout &layout, std::span<const std::uint64_t> words, const ValueContext &context)
      : layout_(layout), words_(words), context_(context) {}

  std::vector<DecodedArgument> describe(std::string_view function) {
    const std::vector<WordGroup> groups = word_groups(layout_);
    std::vector<DecodedArgument> arguments;
    for (std::size_t i = 0; i < groups.size();) {
      const std::span rest = std::span(groups).subspan(i);
      std::size_t used = 1;
      Meaning meaning;
      if (i == 0)
        meaning = receiver(function, rest, used);
      if (!meaning.known())
        meaning = stack_words() ? neighbours(rest, used) : group(groups[i]);
      arguments.push_back(argument(rest.first(used), std::move(meaning)));
      i += used;
    }
    return arguments;
  }

private:
  bool stack_words() const { return context_.version != GoVersion{} && context_.version < GoVersion{1, 17}; }

  /// Go 1.17 passes arguments in registers already, but its tables do not say yet which spill slots are written.
  bool slots_unmarked() const { return context_.version == GoVersion{1, 17}; }

  DecodedArgument argument(std::span<const WordGroup> groups, Meaning meaning) const {
    DecodedArgument argument;
    argument.type = std::move(meaning.type);
    argument.value = std::move(meaning.value);
    argument.words = argument_text(layout_of(layout_, groups), words_of(groups));
    argument.stale = slots_unmarked() || std::ranges::any_of(groups, &WordGroup::stale);
    argument.incomplete = std::ranges::any_of(groups, &WordGroup::incomplete);
    return argument;
  }

  std::span<const std::uint64_t> words_of(std::span<const WordGroup> groups) const {
    const std::size_t first = std::min(groups.front().first_word, words_.size());
    const std::size_t end = std::min(groups.back().first_word + groups.back().word_count, words_.size());
    return words_.subspan(first, end - first);
  }

  std::uint64_t word(const WordGroup &group) const {
    return group.first_word < words_.size() ? words_[group.first_word] : 0;
  }

  /// The words as a value of `type`, by the engine that decodes them with signatures.
  std::string value(const GoType &type, const ArgumentLayout &layout, std::span<const std::uint64_t> words) const {
    GoSignature signature;
    signature.parameters.emplace_back();
    signature.parameters.back().type = &type;
    const auto decoded = stack_words() ? decode_stack_words(signature, words, false, context_)
                                       : decode_words(signature, layout, words, context_);
    return decoded.empty() ? std::string{} : decoded.front().value;
  }
  std::string value(const GoType &type, const WordGroup &group) const {
    return value(type, layout_of(layout_, {&group, 1}), words_of({&group, 1}));
  }
  /// Of a type that is two words in braces.
  std::string value(const GoType &type, std::uint64_t first, std::uint64_t second) const {
    ArgumentLayout layout;
    layout.known = true;
    layout.tokens = {
        {.kind = ArgumentToken::Kind::open}, {.offset = 0}, {.offset = 8}, {.kind = ArgumentToken::Kind::close}};
    return value(type, layout, std::array{first, second});
  }

  /// The receiver, whose type the function's name tells.
  Meaning receiver(std::string_view function, std::span<const WordGroup> groups, std::size_t &used) const {
    const auto name = receiver_of(function);
    if (!name)
      return {};
    const GoType *type = context_.types ? context_.types->find(name->package_path, name->type) : nullptr;
    if (!name->pointer)
      return type ? value_receiver(*type, groups, used) : Meaning{};
    const WordGroup &first = groups.front();
    if (first.aggregate)
      return {};
    if (!type)
      return {name->printed(), address_text(word(first))};
    GoType pointer = simple_type(GoKind::pointer, "*" + type->name, 8);
    pointer.element = type;
    return {pointer.name, value(pointer, first)};
  }

  /// No function has the name of a type, so that the function is a method.
  Meaning value_receiver(const GoType &type, std::span<const WordGroup> groups, std::size_t &used) const {
    if (type.size == 0)
      return {};
    if (!stack_words())
      return {type.name, value(type, groups.front())};
    const std::size_t count = (type.size + 7) / 8;
    if (type.size % 8 != 0 || count > groups.size()) // small values share a word with what follows
      return {};
    used = count;
    return {type.name, value(type, layout_of(layout_, groups.first(count)), words_of(groups.first(count)))};
  }

  /// An argument as it is since Go 1.17.
  Meaning group(const WordGroup &group) const {
    if (!group.aggregate)
      return layout_.tokens[group.first_token].size == 8 ? scalar(word(group)) : Meaning{};
    if (group.is_words(2, layout_)) {
      if (Meaning meaning = pair(word(group.parts[0]), word(group.parts[1])); meaning.known())
        return meaning;
    }
    if (group.is_words(3, layout_)) {
      if (Meaning meaning = slice(word(group.parts[0]), word(group.parts[1]), word(group.parts[2])); meaning.known())
        return meaning;
    }
    return parts(group);
  }

  Meaning parts(const WordGroup &group) const {
    std::string text;
    bool any = false;
    for (const WordGroup &part : group.parts) {
      const Meaning meaning = this->group(part);
      any = any || meaning.known();
      text += text.empty() ? "{" : ", ";
      text += !meaning.value.empty() ? meaning.value
                                     : argument_text(layout_of(layout_, std::span(&part, 1)), words_of({&part, 1}));
    }
    return any ? Meaning{{}, text + "}"} : Meaning{};
  }

  /// In Go 1.16 and earlier what belongs together is known from the words alone.
  Meaning neighbours(std::span<const WordGroup> groups, std::size_t &used) const {
    const auto at = [&](std::size_t i) { return i < groups.size() ? word(groups[i]) : 0; };
    // A string and an integer look like a slice, too; but the integer is rarely the string's length.
    const bool full_slice = groups.size() >= 3 && at(1) == at(2) && may_be_slice(at(0), at(1), at(2));
    if (groups.size() >= 2 && !full_slice) {
      if (Meaning meaning = pair(at(0), at(1)); meaning.known()) {
        used = 2;
        return meaning;
      }
    }
    if (groups.size() >= 3) {
      if (Meaning meaning = slice(at(0), at(1), at(2)); meaning.known()) {
        used = 3;
        return meaning;
      }
    }
    return scalar(at(0));
  }

  Meaning pair(std::uint64_t first, std::uint64_t second) const {
    if (first < lowest_pointer)
      return {};
    if (context_.types) {
      if (const auto table = context_.types->interface_table({first}); table && table->interface_type)
        return {table->interface_type->name, value(*table->interface_type, first, second)};
      if (const GoType *type = context_.types->at({first}); type && may_hold(*type, second))
        return {{}, "probably " + value(empty_interface_type, first, second)};
    }
    if (is_text(first, second, 1))
      return {{}, "probably " + value(string_type, first, second)};
    return {};
  }

  /// Whether `word` can be the data word of an interface value of this dynamic type.
  bool may_hold(const GoType &type, std::uint64_t word) const {
    switch (type.kind) {
    case GoKind::pointer:
    case GoKind::channel:
    case GoKind::map:
    case GoKind::function:
    case GoKind::unsafe_pointer:
      return word == 0 || readable(word);
    case GoKind::unknown:
    case GoKind::interface: // never the dynamic type
      return false;
    default:
      return readable(word);
    }
  }

  bool may_be_slice(std::uint64_t data, std::uint64_t length, std::uint64_t capacity) const {
    if (length > capacity || capacity == 0 || capacity > max_length || !readable(data))
      return false;
    // Three pointers in ascending order look the same.
    return classify(length).empty() && classify(capacity).empty() && (length == 0 || readable(data + length - 1));
  }

  Meaning slice(std::uint64_t data, std::uint64_t length, std::uint64_t capacity) const {
    if (!may_be_slice(data, length, capacity))
      return {};
    std::string text = fmt::format("probably a slice: len {}, cap {}", length, capacity);
    if (is_text(data, length, shortest_slice_text))
      text += ", " + value(string_type, data, length);
    else if (const std::string phrase = classify(data); !phrase.empty())
      text += ", " + phrase;
    return {{}, text};
  }

  Meaning scalar(std::uint64_t word) const {
    if (word < lowest_pointer)
      return {};
    if (const std::string function = function_value(word); !function.empty())
      return {{}, "probably " + function};
    if (context_.types) {
      if (const GoType *type = context_.types->at({word}))
        return {{}, "probably the type " + type->name};
    }
    return {{}, address_text(word)};
  }

  std::string address_text(std::uint64_t word) const {
    const std::string phrase = classify(word);
    return phrase.empty() ? phrase : fmt::format("{:#x} ({})", word, phrase);
  }

  /// A func value points to a closure, whose first word is the function's entry (runtime2.go, type funcval).
  std::string function_value(std::uint64_t word) const {
    if (!context_.memory || word % 8 != 0)
      return {};
    const auto entry = read_word(*context_.memory, {word});
    if (!entry || *entry < lowest_pointer)
      return {};
    std::string phrase = classify(*entry);
    return phrase.starts_with(function_phrase) ? phrase : std::string{};
  }

  std::string classify(std::uint64_t word) const {
    return context_.classify && word >= lowest_pointer ? context_.classify({word}) : std::string{};
  }

  bool readable(std::uint64_t word) const {
    return word >= lowest_pointer && context_.memory && read_value<std::byte>(*context_.memory, {word}).has_value();
  }

  bool is_text(std::uint64_t data, std::uint64_t length, std::uint64_t shortest) const {
    if (!context_.memory || length < shortest || length > max_length || data < lowest_pointer)
      return false;
    std::array<char, max_checked_text> bytes;
    const auto part = std::span(bytes).first(std::min<std::uint64_t>(length, bytes.size()));
    if (!context_.memory->read({data}, std::as_writable_bytes(part)))
      return false;
    std::string text(part.begin(), part.end());
    if (text.size() < length)
      drop_truncated_character(text);
    return reads_as_text(text);
  }

  const ArgumentLayout &layout_;
  std::span<const std::uint64_t> words_;
  const ValueContext &context_;
};

} // namespace

std::vector<DecodedArgument> describe_words(std::string_view function, const ArgumentLayout &layout,
                                            std::span<const std::uint64_t> words, const ValueContext &context) {
  return Describer(layout, words, context).describe(function);
}

} // namespace inspect
