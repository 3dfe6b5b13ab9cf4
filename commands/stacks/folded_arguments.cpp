#include "commands/stacks/folded_arguments.h"

#include "commands/stacks/thread_variables.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::size_t max_folded_length = 100; // bytes

/// Not in the middle of a character.
std::string shortened(std::string_view text) {
  if (text.size() <= max_folded_length)
    return escape(text);
  std::size_t end = max_folded_length;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80)
    --end;
  return escape(text.substr(0, end)) + "…";
}

/// How many words an argument has, told from their text: "{0x4c3839, 0x7}" are two.
std::size_t count_words(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = text.find("0x"); at != std::string_view::npos; at = text.find("0x", at + 2))
    ++count;
  return count;
}

} // namespace

FoldedStack ArgumentFolder::fold(std::span<const std::uint32_t> members) const {
  FoldedStack folded{.members = members, .example = members.front(), .frames = {}};
  if (detail_ == ArgumentDetail::none)
    return folded;
  folded.frames.resize(report_.stack_of(report_.goroutines[folded.example]).frames.size());
  for (const std::uint32_t member : members) {
    const GoroutineReport &goroutine = report_.goroutines[member];
    const std::vector<ReportFrame> &frames = report_.stack_of(goroutine).frames;
    for (std::size_t i = 0; i < folded.frames.size() && i < frames.size(); ++i)
      folded.frames[i].add(report_.words_of(goroutine, frames[i]));
  }
  return folded;
}

void ArgumentFolder::note_pointers(const FoldedStack &stack, bool with_hidden) {
  if (detail_ != ArgumentDetail::words)
    return;
  const std::vector<ReportFrame> &frames = report_.stack_of(report_.goroutines[stack.example]).frames;
  for (std::size_t i = 0; i < stack.frames.size(); ++i) {
    if (frames[i].hidden_in_traceback && !with_hidden)
      continue;
    pointers_.note(stack.frames[i].values());
  }
}

/// Of an argument that has other parts than the words that were compared: by what it is, of a few.
bool ArgumentFolder::values_are_equal(const FoldedStack &stack, std::size_t frame, std::size_t argument,
                                      std::string_view value) {
  return std::ranges::all_of(
      stack.members.first(std::min(stack.members.size(), max_decoded_threads)), [&](std::uint32_t member) {
        const GoroutineReport &goroutine = report_.goroutines[member];
        if (member == stack.example)
          return true;
        const auto words = report_.words_of(goroutine, report_.stack_of(goroutine).frames[frame]);
        const auto decoded =
            words ? report_.values->decode(report_, goroutine, frame, *words) : std::vector<DecodedArgument>();
        return argument < decoded.size() && decoded[argument].value == value;
      });
}

std::optional<std::string> ArgumentFolder::values_text(const FoldedStack &stack, std::size_t frame,
                                                       const FoldedValues<std::uint64_t> &folded) {
  if (report_.values == nullptr)
    return std::nullopt;
  const GoroutineReport &example = report_.goroutines[stack.example];
  const auto words = report_.words_of(example, report_.stack_of(example).frames[frame]);
  const std::vector<DecodedArgument> arguments = report_.values->decode(report_, example, frame, *words);
  std::size_t covered = 0;
  for (const DecodedArgument &argument : arguments)
    covered += count_words(argument.words);
  // Where it is not clear which words an argument has, it is not clear either whether it is the same for all.
  const bool all_equal = !folded.differ();
  if (arguments.empty() || (covered != folded.values().size() && !all_equal))
    return std::nullopt;
  std::string text;
  std::size_t next = 0;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const DecodedArgument &argument = arguments[i];
    const std::size_t count = count_words(argument.words);
    bool equal = all_equal || std::ranges::all_of(std::span(folded.values()).subspan(next, count),
                                                  [](const auto &word) { return word.has_value(); });
    next += count;
    if (argument.result)
      continue;
    if (argument.beyond_words && equal && stack.members.size() > 1)
      equal = values_are_equal(stack, frame, i, argument.value);
    text += text.empty() ? "" : ", ";
    if (!argument.name.empty())
      text += escape(argument.name) + "=";
    text += !equal ? "*" : shortened(argument.value.empty() ? argument.words : argument.value);
    if (equal && argument.stale && !argument.value.empty())
      text += "?";
    if (argument.incomplete)
      text += ", ...";
  }
  return text;
}

std::string ArgumentFolder::text(const FoldedStack &stack, std::size_t index) {
  const std::vector<ReportFrame> &frames = report_.stack_of(report_.goroutines[stack.example]).frames;
  if (detail_ == ArgumentDetail::none || index >= frames.size())
    return {};
  const ReportFrame &frame = frames[index];
  if (frame.arguments == nullptr || !frame.arguments->known || frame.inlined)
    return {};
  const FoldedValues<std::uint64_t> &folded = stack.frames[index];
  if (!folded.known())
    return "(...)";
  if (detail_ == ArgumentDetail::values)
    if (const auto values = values_text(stack, index, folded))
      return "(" + *values + ")";
  return "(" + pointers_.text(*frame.arguments, folded.values()) + ")";
}

} // namespace inspect
