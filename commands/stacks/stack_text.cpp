#include "commands/stacks/stack_text.h"

#include "commands/cli/count_text.h"
#include "commands/stacks/frame_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

namespace inspect {
namespace {

std::vector<std::size_t> shown_frames(const StackView &stack, bool without_hidden) {
  const bool all = !without_hidden ||
                   std::ranges::all_of(stack.frames, [](const ReportFrame &one) { return one.hidden_in_traceback; });
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < stack.frames.size(); ++i)
    if (all || !stack.frames[i].hidden_in_traceback)
      shown.push_back(i);
  return shown;
}

/// Whether the frames of a recursion that are not shown have the arguments of those that are; of the first ones and the
/// last, since a recursion may be a million deep.
bool same_arguments(const StackTextOptions &options, std::span<const std::size_t> repeated, std::size_t period) {
  constexpr std::size_t max_compared = 16;
  if (!options.arguments)
    return true;
  for (std::size_t i = 0; i < period; ++i) {
    const std::string first = options.arguments(repeated[i]);
    const std::size_t last = repeated.size() - period + i;
    for (std::size_t other = i + period; other <= last; other += period)
      if ((other < max_compared * period || other == last) && options.arguments(repeated[other]) != first)
        return false;
  }
  return true;
}

/// Between the line shown before and this one: what is hidden may come first behind the gap.
std::size_t elided_between(const StackView &stack, std::size_t first, std::size_t last) {
  std::size_t elided = 0;
  for (std::size_t i = first; i <= last; ++i)
    elided += stack.frames[i].elided_before;
  return elided;
}

} // namespace

void write_repetition(Output &output, const Repetition &repetition, std::size_t last, bool other_arguments) {
  const std::string what =
      repetition.period == 1 ? "the frame above" : fmt::format("the {} frames above", repetition.period);
  output.write(
      output.styled(Style::dim, fmt::format("         … {} repeated {} times in all (to #{}){}\n", what,
                                            repetition.count, last, other_arguments ? ", with other arguments" : "")));
}

void write_stack(Output &output, const StackView &stack, const StackTextOptions &options) {
  const std::vector<std::size_t> shown = shown_frames(stack, options.without_hidden);
  std::size_t lines = 0;
  for (std::size_t i = 0; i < shown.size();) {
    if (options.depth != 0 && lines >= options.depth) {
      output.write(output.styled(Style::dim, fmt::format("    … {} more frames\n", shown.size() - i)));
      return;
    }
    const Repetition repetition =
        repetition_at(shown.size(), i, [&](std::size_t at) -> const ReportFrame & { return stack.frames[shown[at]]; });
    for (std::size_t k = i; k < i + repetition.period; ++k, ++lines) {
      if (const std::size_t elided = elided_between(stack, k == 0 ? 0 : shown[k - 1] + 1, shown[k]); elided > 0)
        output.write(output.styled(Style::dim, fmt::format("         … {} left out\n", counted(elided, "frame"))));
      output.write("    " + frame_line(output, shown[k], stack.frames[shown[k]], options.with_addresses,
                                       options.arguments ? options.arguments(shown[k]) : std::string()));
      if (options.below)
        output.write(options.below(shown[k]));
    }
    const auto repeated = std::span(shown).subspan(i, repetition.period * repetition.count);
    i += repeated.size();
    if (repetition.count > 1) {
      write_repetition(output, repetition, repeated.back(), !same_arguments(options, repeated, repetition.period));
      ++lines;
    }
  }
  if (stack.end != StackEnd::complete)
    output.write(
        output.styled(Style::warning, fmt::format("    {}: {}\n", shown.empty() ? "no stack" : "the stack ends here",
                                                  escape(stack.end_reason))));
}

} // namespace inspect
