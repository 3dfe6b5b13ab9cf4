#include "commands/cli/command_spec.h"
#include "commands/session/session.h"
#include "commands/values/memory_gap.h"
#include "inspector/scope/disassembly.h"
#include "inspector/scope/symbol_search.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::size_t max_instructions = 1'000'000;

Result<RunRange> given_range(Evaluator &evaluator, const std::vector<std::string> &ends) {
  if (ends.size() != 2)
    return std::unexpected(Error(ErrorKind::usage, "-a needs two addresses: START END", "help disassemble"));
  const auto begin = evaluator.address(ends[0]);
  if (!begin)
    return std::unexpected(begin.error());
  const auto end = evaluator.address(ends[1]);
  if (!end)
    return std::unexpected(end.error());
  if (*end <= *begin)
    return std::unexpected(Error(ErrorKind::usage, "the end is not behind the start"));
  return RunRange{RunAddress{*begin}, RunAddress{*end}};
}

Result<RunRange> wanted_range(CommandContext &context) {
  Session &session = *context.session;
  const auto &positional = context.arguments.positional();
  if (context.arguments.has("-a"))
    return given_range(session.evaluator, positional);
  const auto function = context.arguments.value("-l");
  if (function && !positional.empty())
    return std::unexpected(Error(ErrorKind::usage, "either -l FUNCTION or a place, not both", "help disassemble"));
  if (function || !positional.empty()) {
    const auto address =
        session.evaluator.address(function ? *function : fmt::format("{}", fmt::join(positional, " ")));
    return address ? function_range(session.target(), RunAddress{*address}) : std::unexpected(address.error());
  }
  const auto frame = session.selection.physical_frame();
  return frame ? function_range(session.target(), (*frame)->lookup_address()) : std::unexpected(frame.error());
}

std::string_view last_part(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string code_bytes(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes)
    text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

std::string instruction_line(const Output &output, const Instruction &instruction, bool current) {
  const std::string place =
      instruction.file.empty() ? "" : fmt::format("{}:{}", escape(last_part(instruction.file)), instruction.line);
  std::string line =
      fmt::format("{} {:20} {} <+{}>{:{}}{:20}  {}", current ? "=>" : "  ", place,
                  output.styled(Style::dim, fmt::format("{:#x}", instruction.address.value)), instruction.offset, "",
                  instruction.offset < 10    ? 4
                  : instruction.offset < 100 ? 3
                                             : 2,
                  code_bytes(instruction.bytes), escape(instruction.text));
  if (!instruction.refers_to.empty())
    line += fmt::format("{}{}", instruction.is_branch ? " " : "  # ",
                        output.styled(Style::function, fmt::format("<{}>", escape(instruction.refers_to))));
  return line + "\n";
}

Result<ExitStatus> run_disassemble(CommandContext &context) {
  Session &session = *context.session;
  const auto range = wanted_range(context);
  if (!range)
    return std::unexpected(range.error());
  const auto flavor =
      session.dialogue.settings.text("disassemble-flavor") == "att" ? AssemblyFlavor::att : AssemblyFlavor::intel;
  const auto instructions = disassemble(session.target(), *range, flavor, max_instructions, session.cancellation());
  if (!instructions && instructions.error().kind() == ErrorKind::unreadable)
    return std::unexpected(find_gap(session.target(), range->begin, range->size()).error);
  if (!instructions)
    return std::unexpected(instructions.error());
  // The mark needs a stack; in a listing of an idle function there may be none, which is not a failure.
  const auto frame = session.selection.physical_frame();
  std::string function;
  for (const Instruction &instruction : *instructions) {
    if (session.cancellation().requested())
      return std::unexpected(Error(ErrorKind::cancelled, "cancelled"));
    if (instruction.function != function) {
      function = instruction.function;
      if (!function.empty())
        context.output.write(fmt::format("{}:\n", context.output.styled(Style::function, escape(function))));
    }
    context.output.write(instruction_line(context.output, instruction, frame && (*frame)->pc == instruction.address));
  }
  return ExitStatus::success;
}

} // namespace

CommandSpec make_disassemble_command() {
  CommandSpec spec;
  spec.name = "disassemble";
  spec.aliases = {"disass"};
  spec.summary = "Show the instructions of a function or a range";
  spec.help =
      "Without an argument: the selected frame's function, its current instruction marked with => (in the frame "
      "of a caller: the one it returns to). Intel syntax, unless config disassemble-flavor says att. The bytes are "
      "those in memory now, so that patches show.";
  spec.options = {{.name = "-l", .value = "FUNCTION", .help = "this function"},
                  {.name = "-a", .help = "the range START END, two addresses"}};
  spec.positionals = {
      {.name = "PLACE", .help = "the function that holds this address, or with -a: START END", .repeatable = true}};
  spec.completion = CompletionKind::symbol;
  spec.in_session = true;
  spec.run = run_disassemble;
  return spec;
}

} // namespace inspect
