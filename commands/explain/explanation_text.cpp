#include "commands/explain/explanation_writers.h"

#include "commands/cli/count_text.h"
#include "commands/stacks/frame_text.h"
#include "commands/stacks/stack_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <span>

namespace inspect {
namespace {

constexpr std::size_t max_messages = 12;

/// Whether the frames of a recursion that are not shown have the words of those that are.
bool same_words(std::span<const ExplainedFrame> repeated, std::size_t period) {
  for (std::size_t i = period; i < repeated.size(); ++i)
    if (repeated[i].words != repeated[i - period].words)
      return false;
  return true;
}

std::string location_text(const ExplainedFrame &frame) {
  if (frame.file.empty())
    return {};
  return fmt::format(" at {}:{}", shown_path(frame.file), frame.line);
}

class ExplanationWriter {
public:
  ExplanationWriter(Output &output, const ExplainedTraceback &traceback) : output_(output), traceback_(traceback) {}

  void write() {
    write_summary();
    for (const ExplainedGroup &group : traceback_.groups)
      write_group(group);
  }

private:
  void write_labelled(std::string_view label, const std::vector<std::string> &sentences) {
    for (std::size_t i = 0; i < sentences.size(); ++i)
      output_.write(fmt::format("{} {}\n", output_.styled(Style::heading, fmt::format("{:<8}", i == 0 ? label : "")),
                                escape(sentences[i])));
  }

  void write_summary() {
    write_messages();
    std::vector<std::string> where;
    if (!traceback_.where.empty())
      where.push_back((traceback_.crashed ? fmt::format("goroutine {}, in ", *traceback_.crashed) : std::string()) +
                      traceback_.where);
    write_labelled("where", where);
    write_labelled("then", traceback_.then);
    write_labelled("why", traceback_.why);
    write_labelled("waiting", traceback_.waiting);
    write_labelled("note", notes());
    output_.write("\n");
  }

  void write_messages() {
    if (traceback_.what.empty()) {
      output_.write(output_.styled(Style::heading, counted(traceback_.goroutines, "goroutine")) + "\n");
      return;
    }
    output_.write(output_.styled(Style::heading, escape(traceback_.what)) + "\n");
    std::size_t shown = 0;
    for (const std::string &message : traceback_.messages) {
      if (message == traceback_.what)
        continue;
      if (++shown > max_messages) {
        output_.write(output_.styled(
            Style::dim, fmt::format("    … {} more lines\n", traceback_.messages.size() - max_messages - 1)));
        break;
      }
      output_.write("    " + escape(message) + "\n");
    }
  }

  std::vector<std::string> notes() const {
    std::vector<std::string> all = traceback_.warnings;
    const bool guessed = std::ranges::any_of(traceback_.groups, [this](const ExplainedGroup &group) {
      return shows_guesses(group) && std::ranges::any_of(group.frames, [](const ExplainedFrame &frame) {
               return frame.source == ArgumentSource::shape && !frame.arguments.empty();
             });
    });
    if (guessed)
      all.emplace_back("what words mean is guessed from their shape where nothing else tells: --exe BINARY or --decl "
                       "'func …' tells more");
    return all;
  }

  /// Guesses are shown where they help: for the goroutine that crashed, and where there is only one.
  bool shows_guesses(const ExplainedGroup &group) const { return group.crashed || traceback_.groups.size() == 1; }

  void write_group(const ExplainedGroup &group) {
    output_.write(group.ids.empty()       ? listing_heading(group)
                  : group.ids.size() == 1 ? single_heading(group)
                                          : group_heading(group));
    if (group.ids.size() > 1) {
      std::vector<std::uint64_t> ids = group.ids;
      std::ranges::sort(ids);
      output_.write(output_.styled(Style::dim, "    ids" + id_ranges(ids)) + "\n");
    }
    if (!group.notes.empty())
      output_.write(output_.styled(Style::dim, "    " + escape(fmt::format("{}", fmt::join(group.notes, ", ")))) +
                    "\n");
    if (group.stack_unavailable)
      output_.write(output_.styled(Style::warning, "    no stack: it was running on another thread") + "\n");
    write_frames(group);
    if (group.created_by && group.ids.size() == 1)
      output_.write("    " + creation(group) + "\n");
    output_.write("\n");
  }

  std::string single_heading(const ExplainedGroup &group) const {
    if (group.ancestor_of)
      return output_.styled(Style::heading, fmt::format("goroutine {} was created here", *group.ancestor_of)) +
             (group.ids.front() != 0 ? fmt::format(", by goroutine {}\n", group.ids.front()) : std::string("\n"));
    std::string text = output_.styled(Style::heading, fmt::format("goroutine {} [{}{}{}]", group.ids.front(),
                                                                  escape(group.state), wait_text(group),
                                                                  group.locked_to_thread ? ", locked to thread" : ""));
    if (group.crashed)
      text += ", crashed";
    return text + "\n";
  }

  /// Of a profile, which counts, or of a logger's list of frames.
  std::string listing_heading(const ExplainedGroup &group) const {
    if (group.count == 1 && traceback_.goroutines == 1)
      return output_.styled(Style::heading, "a stack") + " of a goroutine that the text does not number\n";
    return output_.styled(Style::heading, counted(group.count, "goroutine")) + "\n";
  }

  std::string group_heading(const ExplainedGroup &group) const {
    std::string text = output_.styled(Style::heading, counted(group.ids.size(), "goroutine")) + ", in " +
                       escape(group.state) + wait_text(group);
    if (group.locked_to_thread)
      text += ", locked to threads";
    if (group.created_by)
      text += ", " + creation(group);
    return text + "\n";
  }

  /// ", 61 minutes", ", 2 to 61 minutes", ", up to 61 minutes"
  static std::string wait_text(const ExplainedGroup &group) {
    if (!group.longest_wait_minutes)
      return {};
    const auto longest = static_cast<std::uint64_t>(*group.longest_wait_minutes);
    if (group.shortest_wait_minutes == group.longest_wait_minutes)
      return ", " + counted(longest, "minute");
    if (!group.shortest_wait_minutes)
      return ", up to " + counted(longest, "minute");
    return fmt::format(", {} to {}", with_thousands(static_cast<std::uint64_t>(*group.shortest_wait_minutes)),
                       counted(longest, "minute"));
  }

  std::string creation(const ExplainedGroup &group) const {
    std::string text = "created by " + escape(group.created_by->function);
    if (group.created_in)
      text += fmt::format(" in goroutine {}", *group.created_in);
    text += location_text(*group.created_by);
    for (const std::string &remark : group.created_by->remarks)
      text += output_.styled(Style::warning, fmt::format(" ({})", escape(remark)));
    return text;
  }

  void write_frames(const ExplainedGroup &group) {
    const std::span<const ExplainedFrame> frames = group.frames;
    for (std::size_t i = 0; i < frames.size();) {
      const Repetition repetition =
          repetition_at(frames.size(), i, [&](std::size_t at) -> const ExplainedFrame & { return frames[at]; });
      for (std::size_t k = i; k < i + repetition.period; ++k)
        write_frame(k, frames[k], shows_guesses(group));
      const auto repeated = frames.subspan(i, repetition.period * repetition.count);
      i += repeated.size();
      if (repetition.count > 1)
        write_repetition(output_, repetition, i - 1, !same_words(repeated, repetition.period));
    }
    if (group.frames_elided > 0)
      output_.write(output_.styled(Style::dim, group.frames_elided == 1
                                                   ? std::string("    more frames are left out in the text\n")
                                                   : fmt::format("    {} frames are left out in the text\n",
                                                                 with_thousands(group.frames_elided))));
  }

  void write_frame(std::size_t number, const ExplainedFrame &frame, bool with_guesses) {
    std::string line = fmt::format("    {:<3} ", fmt::format("#{}", number));
    line += output_.styled(Style::function, escape(frame.function));
    if (!frame.inlined && !frame.words.empty())
      line += escape(fmt::format("({})", frame.words));
    line += output_.styled(Style::location, location_text(frame));
    if (frame.inlined)
      line += output_.styled(Style::dim, " (inlined)");
    if (frame.crashed_here)
      line += output_.styled(Style::warning, "  <- here");
    if (frame.panicked_later)
      line += output_.styled(Style::warning, "  <- then here");
    output_.write(line + "\n");
    for (const std::string &remark : frame.remarks)
      output_.write(output_.styled(Style::warning, "            " + escape(remark)) + "\n");
    if (frame.source == ArgumentSource::shape && !with_guesses)
      return;
    for (const DecodedArgument &argument : frame.arguments)
      write_argument(argument);
  }

  void write_argument(const DecodedArgument &argument) {
    if (argument.type.empty() && argument.value.empty())
      return;
    std::string text = "            ";
    if (!argument.name.empty())
      text += escape(argument.name) + " ";
    text += output_.styled(Style::dim, escape(argument.type));
    if (argument.name.empty() && argument.type.empty())
      text += output_.styled(Style::dim, escape(argument.words));
    if (argument.result)
      text += output_.styled(Style::dim, " (a result: no meaning before the return)");
    else
      text += " = " + escape(argument.value.empty() ? argument.words : argument.value);
    if (argument.stale)
      text += output_.styled(Style::dim, " (may be out of date)");
    if (argument.incomplete)
      text += output_.styled(Style::dim, " (truncated in the text)");
    output_.write(text + "\n");
  }

  Output &output_;
  const ExplainedTraceback &traceback_;
};

} // namespace

void write_explanation_text(Output &output, const Explanation &explanation, std::string_view source) {
  const std::size_t count = explanation.tracebacks.size();
  for (std::size_t i = 0; i < count; ++i) {
    const ExplainedTraceback &traceback = explanation.tracebacks[i];
    if (count > 1)
      output.write(output.styled(Style::dim, fmt::format("── {} of {}, from line {} of {} ──", i + 1, count,
                                                         with_thousands(traceback.text_line), escape(source))) +
                   "\n");
    ExplanationWriter(output, traceback).write();
  }
}

} // namespace inspect
