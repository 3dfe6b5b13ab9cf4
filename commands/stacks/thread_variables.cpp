#include "commands/stacks/thread_variables.h"

#include "commands/stacks/variable_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

namespace inspect {
namespace {

constexpr std::size_t max_value_length = 64; // bytes of one in a frame's line
constexpr std::size_t max_line_length = 160; // bytes of all arguments of a frame
constexpr std::string_view indent = "         ";

/// Reasons are for `args`; here they would hide what is known.
std::string short_text(const FrameVariable &variable) {
  constexpr std::size_t max_reason_length = 24;
  return variable.missing && variable.value.size() > max_reason_length ? "<not known>" : escape(variable.value);
}

/// Tight: a dump has to be read, and every pointer that is followed is another read of the process.
PrintOptions argument_options() {
  PrintOptions options;
  options.limits = {.string_bytes = 32, .elements = 4, .recursion = 0, .fields = 4, .text_bytes = max_value_length};
  return options;
}

PrintOptions local_options() {
  PrintOptions options;
  options.limits = {.string_bytes = 64, .elements = 16, .recursion = 1, .fields = 16, .text_bytes = 400};
  return options;
}

} // namespace

std::string ThreadVariables::arguments(std::span<const std::uint32_t> members, std::size_t frame) {
  if (!wants_values() || members.empty())
    return {};
  const PrintOptions print = argument_options();
  std::vector<FrameVariable> first;
  FoldedValues<std::string> folded;
  for (const std::uint32_t member : members.first(std::min(members.size(), max_decoded_threads))) {
    auto variables = report_.values->variables(report_.threads[member], frame, FrameVariables::arguments, print);
    if (variables.empty()) {
      if (first.empty())
        return {};
      continue; // not known of this one, or no time left
    }
    std::vector<std::string> values;
    std::ranges::transform(variables, std::back_inserter(values), &FrameVariable::value);
    folded.add(values);
    if (first.empty())
      first = std::move(variables);
  }
  any_ = true;
  folded_ = folded_ || members.size() > 1;
  std::string text;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (first[i].is_result) // means nothing before the function returns
      continue;
    if (text.size() > max_line_length) {
      text += ", …";
      break;
    }
    text += fmt::format("{}{}{}={}", text.empty() ? "" : ", ", escape(first[i].name), first[i].at_entry ? "@entry" : "",
                        !folded.values()[i] ? "*" : short_text(first[i]));
  }
  return "(" + text + ")";
}

std::string ThreadVariables::locals(const Output &output, const ThreadReport &thread, std::size_t frame) {
  std::string lines;
  if (!options_.locals || report_.values == nullptr)
    return lines;
  for (const FrameVariable &variable :
       report_.values->variables(thread, frame, FrameVariables::locals, local_options()))
    lines += variable_line(output, variable, false, indent);
  any_ = any_ || !lines.empty();
  return lines;
}

std::string ThreadVariables::locals(const Output &output, const GoroutineReport &goroutine, std::size_t frame) {
  std::string lines;
  if (!options_.locals || report_.values == nullptr)
    return lines;
  for (const FrameVariable &variable :
       report_.values->variables(*report_.go, goroutine, frame, FrameVariables::locals, local_options()))
    lines += variable_line(output, variable, false, indent);
  any_ = any_ || !lines.empty();
  return lines;
}

void ThreadVariables::write_notes(Output &output) const {
  if (report_.values == nullptr)
    return;
  std::string notes;
  if (folded_)
    notes +=
        fmt::format("* stands for arguments that differ among the threads of a group, of which {} were looked at\n",
                    max_decoded_threads);
  if (any_ && report_.values_are_later)
    notes += "what arguments and locals point to was read after the process ran on\n";
  if (const std::size_t left_out = report_.values->frames_left_out(); left_out > 0)
    notes += fmt::format("the values of {} frames are left out: reading them took longer than {} seconds\n", left_out,
                         DumpVariables::budget.count() / 1000);
  if (!notes.empty())
    output.write(output.styled(Style::dim, notes) + "\n");
}

} // namespace inspect
