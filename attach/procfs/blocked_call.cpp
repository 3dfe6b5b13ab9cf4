#include "attach/procfs/blocked_call.h"

#include "attach/procfs/proc_text.h"

namespace inspect {
namespace {

std::optional<std::uint64_t> take_hexadecimal(std::string_view &text) {
  std::string_view word = take_word(text);
  if (!word.starts_with("0x"))
    return std::nullopt;
  word.remove_prefix(2);
  return whole_number<std::uint64_t>(word, 16);
}

} // namespace

std::optional<BlockedCall> parse_blocked_call(std::string_view text) {
  BlockedCall call;
  const auto number = whole_number<std::int64_t>(take_word(text));
  if (!number)
    return std::nullopt;
  call.number = *number;
  if (call.number != -1)
    for (std::uint64_t &argument : call.arguments) {
      const auto value = take_hexadecimal(text);
      if (!value)
        return std::nullopt;
      argument = *value;
    }
  const auto stack_pointer = take_hexadecimal(text);
  const auto pc = take_hexadecimal(text);
  if (!stack_pointer || !pc || *stack_pointer == 0)
    return std::nullopt;
  call.stack_pointer = RunAddress{*stack_pointer};
  call.pc = RunAddress{*pc};
  return call;
}

} // namespace inspect
