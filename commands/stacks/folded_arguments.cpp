#include "commands/stacks/folded_arguments.h"

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
  FoldedStack folded{.example = members.front(), .frames = {}};
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

std::optional<std::string> ArgumentFolder::values_text(const FoldedStack &stack, const ReportFrame &frame,
                                                       const FoldedValues<std::uint64_t> &folded) {
  if (report_.values == nullptr)
    return std::nullopt;
  const auto words = report_.words_of(report_.goroutines[stack.example], frame);
  const std::vector<DecodedArgument> arguments = report_.values->decode(frame, *words);
  std::size_t covered = 0;
  for (const DecodedArgument &argument : arguments)
    covered += count_words(argument.words);
  // Where it is not clear which words an argument has, it is not clear either whether it is the same for all.
  const bool all_equal = !folded.differ();
  if (arguments.empty() || (covered != folded.values().size() && !all_equal))
    return std::nullopt;
  std::string text;
  std::size_t next = 0;
  for (const DecodedArgument &argument : arguments) {
    const std::size_t count = count_words(argument.words);
    const bool equal = all_equal || std::ranges::all_of(std::span(folded.values()).subspan(next, count),
                                                        [](const auto &word) { return word.has_value(); });
    next += count;
    if (argument.result)
      continue;
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
    if (const auto values = values_text(stack, frame, folded))
      return "(" + *values + ")";
  return "(" + pointers_.text(*frame.arguments, folded.values()) + ")";
}

} // namespace inspect
