#include "inspector/explain/word_shapes.h"

#include "golang/arguments/argument_words.h"
#include "golang/arguments/receiver_name.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::uint64_t lowest_pointer = 1 << 16; // vm.mmap_min_addr
constexpr std::uint64_t lowest_heap = std::uint64_t{1} << 32;
constexpr std::uint64_t highest_pointer = std::uint64_t{1} << 47;
constexpr std::uint64_t max_length = 1 << 30; // of what is taken for a length
constexpr std::uint64_t max_constant_length = 1024;

bool like_pointer(std::uint64_t word) {
  return word >= lowest_pointer && word < highest_pointer;
}

bool like_string(std::uint64_t data, std::uint64_t length) {
  return like_pointer(data) && length > 0 && length < std::min<std::uint64_t>(max_length, lowest_pointer);
}

/// Of words that nothing groups, a pointer and a number beside each other may be anything, also what a result's place
/// held before: only the binary's own data, where constant strings lie, with a length that such have.
bool like_constant_string(std::uint64_t data, std::uint64_t length) {
  return like_string(data, length) && data < lowest_heap && length <= max_constant_length;
}

/// Data of a slice whose capacity is not its length was allocated; a binary's own data lies at low addresses.
bool like_slice(std::uint64_t data, std::uint64_t length, std::uint64_t capacity) {
  return (data >= lowest_heap || length == capacity) && like_pointer(data) && length <= capacity && capacity > 0 &&
         capacity < max_length;
}

std::string pair_text(std::uint64_t first, std::uint64_t second) {
  if (first == 0 && second == 0)
    return "an empty string or a nil interface";
  if (like_string(first, second))
    return fmt::format("perhaps a string of {} byte{}", second, second == 1 ? "" : "s");
  if (like_pointer(first) && (like_pointer(second) || second == 0))
    return "perhaps an interface value: type and data";
  return {};
}

std::string triple_text(std::uint64_t data, std::uint64_t length, std::uint64_t capacity) {
  if (data == 0 && length == 0 && capacity == 0)
    return "perhaps a nil slice";
  return like_slice(data, length, capacity) ? fmt::format("perhaps a slice: len {}, cap {}", length, capacity)
                                            : std::string();
}

std::string word_text(std::uint64_t word) {
  if (like_pointer(word) || word == 0)
    return {};
  return word < highest_pointer ? fmt::format("{}", word) : fmt::format("{}", static_cast<std::int64_t>(word));
}

/// The receiver of a method, when the first word is one.
bool describe_receiver(std::string_view function, std::uint64_t word, DecodedArgument &into) {
  const auto receiver = receiver_of(function);
  if (!receiver || !receiver->pointer)
    return false;
  into.type = receiver->printed();
  into.value = word == 0 ? "nil" : fmt::format("{:#x}", word);
  return true;
}

} // namespace

std::vector<DecodedArgument> shapes_of_groups(std::string_view function, const ArgumentLayout &layout,
                                              std::span<const std::uint64_t> words) {
  std::vector<DecodedArgument> arguments;
  const std::vector<WordGroup> groups = word_groups(layout);
  for (const WordGroup &group : groups) {
    const std::size_t first = std::min(group.first_word, words.size());
    const auto part = words.subspan(first, std::min(group.word_count, words.size() - first));
    DecodedArgument argument;
    argument.words = argument_text(layout_of(layout, {&group, 1}), part);
    argument.stale = group.stale;
    argument.incomplete = group.incomplete;
    if (group.stale && group.aggregate) // words of several variables, perhaps
      argument.value.clear();
    else if (group.is_words(2, layout) && part.size() == 2)
      argument.value = pair_text(part[0], part[1]);
    else if (group.is_words(3, layout) && part.size() == 3)
      argument.value = triple_text(part[0], part[1], part[2]);
    else if (!group.aggregate && part.size() == 1 &&
             (!arguments.empty() || !describe_receiver(function, part[0], argument)))
      argument.value = word_text(part[0]);
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

std::vector<DecodedArgument> shapes_of_stack_words(std::string_view function, std::span<const std::uint64_t> words) {
  std::vector<DecodedArgument> arguments;
  for (std::size_t i = 0; i < words.size();) {
    DecodedArgument argument;
    std::size_t used = 1;
    if (i != 0 || !describe_receiver(function, words[i], argument)) {
      if (i + 2 < words.size() && like_slice(words[i], words[i + 1], words[i + 2])) {
        used = 3;
        argument.value = triple_text(words[i], words[i + 1], words[i + 2]);
      } else if (i + 1 < words.size() && like_constant_string(words[i], words[i + 1])) {
        used = 2;
        argument.value = pair_text(words[i], words[i + 1]);
      } else {
        argument.value = word_text(words[i]);
      }
    }
    for (std::size_t k = 0; k < used; ++k)
      argument.words += fmt::format("{}{:#x}", k == 0 ? "" : ", ", words[i + k]);
    arguments.push_back(std::move(argument));
    i += used;
  }
  return arguments;
}

} // namespace inspect
