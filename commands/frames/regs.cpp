#include "commands/cli/command_spec.h"
#include "commands/session/session.h"
#include "inspector/scope/disassembly.h"
#include "machine/x86_64/registers.h"

#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

/// " [ CF ZF IF ]": Intel SDM volume 1, section 3.4.3 "EFLAGS Register".
std::string flag_names(std::uint64_t flags) {
  struct Flag {
    unsigned bit;
    std::string_view name;
  };
  constexpr auto named = std::to_array<Flag>({{0, "CF"},
                                              {2, "PF"},
                                              {4, "AF"},
                                              {6, "ZF"},
                                              {7, "SF"},
                                              {8, "TF"},
                                              {9, "IF"},
                                              {10, "DF"},
                                              {11, "OF"},
                                              {16, "RF"},
                                              {18, "AC"},
                                              {21, "ID"}});
  std::string text = "[";
  for (const Flag &flag : named) {
    if ((flags >> flag.bit & 1U) != 0)
      text += fmt::format(" {}", flag.name);
  }
  return text + " ]";
}

bool is_general(unsigned number) {
  return number <= x86_64::return_address || number == x86_64::rflags;
}

std::string register_line(Target &target, const Frame &frame, const x86_64::RegisterName &name) {
  const bool is_pc = name.number == x86_64::return_address;
  const bool known = is_pc || (frame.registers != nullptr && frame.registers->knows(name.number));
  if (!known)
    return fmt::format("{:>7} = not recoverable\n", name.name);
  const std::uint64_t value = is_pc ? frame.pc.value : *frame.registers->get(name.number);
  std::string line = fmt::format("{:>7} = {:#018x}", name.name, value);
  if (name.number == x86_64::rflags)
    line += fmt::format("  {}", flag_names(value));
  else if (const std::string place = describe_address(target, RunAddress{value}); !place.empty())
    line += fmt::format("  <{}>", escape(place));
  return line + "\n";
}

Result<ExitStatus> run_regs(CommandContext &context) {
  const auto frame = context.session->selection.physical_frame();
  if (!frame)
    return std::unexpected(frame.error());
  for (const x86_64::RegisterName &name : x86_64::register_names()) {
    if (is_general(name.number) || context.arguments.has("-a"))
      context.output.write(register_line(context.session->target(), **frame, name));
  }
  return ExitStatus::success;
}

} // namespace

CommandSpec make_regs_command() {
  CommandSpec spec;
  spec.name = "regs";
  spec.summary = "Show the registers in the selected frame";
  spec.help = "As they were when the last stack was taken. In the frames of callers only what the unwind rules recover "
              "is known; the rest is \"not recoverable\" (the callee may have overwritten it).";
  spec.options = {{.name = "-a", .help = "segment registers and their bases, too"}};
  spec.in_session = true;
  spec.run = run_regs;
  return spec;
}

} // namespace inspect
