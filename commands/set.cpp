#include "commands/assignment.h"
#include "commands/command_spec.h"
#include "commands/memory_gap.h"
#include "commands/session.h"
#include "inspector/symbol_search.h"

#include <fmt/format.h>

namespace inspect {
namespace {

/// Without a size only a symbol says how much memory it is; a guess could overwrite what lies behind.
Result<std::size_t> size_of_target(Session &session, const Assignment &assignment) {
  if (assignment.size != 0)
    return assignment.size;
  if (const auto symbol = find_symbol(session.target(), assignment.address, session.cancellation())) {
    if (symbol->size == 1 || symbol->size == 2 || symbol->size == 4 || symbol->size == 8)
      return static_cast<std::size_t>(symbol->size);
  }
  return std::unexpected(Error(ErrorKind::usage,
                               fmt::format("how many bytes at {} are to be written?", assignment.address),
                               fmt::format("set -size 4 {} = {}", assignment.address, assignment.value)));
}

std::string hexadecimal(std::span<const std::byte> bytes) {
  std::string text = "0x";
  for (std::size_t at = bytes.size(); at-- > 0;)
    text += fmt::format("{:02x}", std::to_integer<unsigned>(bytes[at]));
  return text;
}

Result<ExitStatus> run_set(CommandContext &context) {
  Session &session = *context.session;
  const auto assignment = parse_assignment(fmt::format("{}", fmt::join(context.arguments.positional(), " ")));
  if (!assignment)
    return std::unexpected(assignment.error());
  const auto size = size_of_target(session, *assignment);
  if (!size)
    return std::unexpected(size.error());
  const auto address = session.evaluate(assignment->address);
  if (!address)
    return std::unexpected(address.error());
  const auto value = session.evaluate(assignment->value);
  if (!value)
    return std::unexpected(value.error());
  const auto bytes = bytes_of(*value, *size);
  if (!bytes)
    return std::unexpected(bytes.error());
  const auto exchange = session.write_memory(RunAddress{*address}, *bytes);
  if (!exchange && exchange.error().kind() == ErrorKind::unreadable)
    return std::unexpected(find_gap(session, RunAddress{*address}, *size).error);
  if (!exchange)
    return std::unexpected(exchange.error());
  context.output.write(
      fmt::format("{:#x}: {} -> {}\n", *address, hexadecimal(exchange->before), hexadecimal(exchange->after)));
  if (exchange->after == *bytes)
    return ExitStatus::success;
  return std::unexpected(Error(ErrorKind::unreadable, fmt::format("{:#x} reads {} after {} was written", *address,
                                                                  hexadecimal(exchange->after), hexadecimal(*bytes))));
}

} // namespace

CommandSpec make_set_command() {
  CommandSpec spec;
  spec.name = "set";
  spec.summary = "Write a word of the target's memory";
  spec.help = "Any of these writes four bytes:\n"
              "\n"
              "  set -size 4 0x7bf6c = 5\n"
              "  set 0x7bf6c:4 = 5\n"
              "  set *(*uint32)(0x7bf6c) = 5\n"
              "  set {int}0x7bf6c = 5\n"
              "\n"
              "A symbol of 1, 2, 4 or 8 bytes needs no size. The old and the new value are printed, as read back. The "
              "write happens inside a short stop, and reaches read-only memory and program text, too. Refused in a "
              "session with --read-only.";
  spec.positionals = {{.name = "ADDRESS = VALUE", .help = "see above", .required = true}};
  spec.completion = CompletionKind::symbol;
  spec.in_session = true;
  spec.raw_arguments = true;
  spec.run = run_set;
  return spec;
}

} // namespace inspect
