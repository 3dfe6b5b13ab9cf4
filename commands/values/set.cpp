// set: writes variables, registers and memory words of the target.
#include "commands/cli/command_spec.h"
#include "commands/cli/typed_text.h"
#include "commands/session/session.h"
#include "commands/values/assignment.h"
#include "commands/values/expression_failure.h"
#include "commands/values/memory_gap.h"
#include "commands/values/shared_bytes.h"
#include "inspector/scope/frame_scope.h"
#include "inspector/scope/symbol_search.h"
#include "values/assign/assignment_plan.h"
#include "values/expression/expression_evaluator.h"
#include "values/value_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <span>
#include <vector>

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

Result<Evaluator::Exchange> exchange(Session &session, RunAddress address, std::span<const std::byte> bytes) {
  auto done = session.evaluator.write_memory(address, bytes);
  if (!done && done.error().kind() == ErrorKind::unreadable)
    return std::unexpected(find_gap(session.target(), address, bytes.size()).error);
  if (done && !std::ranges::equal(done->after, bytes))
    return std::unexpected(
        Error(ErrorKind::unreadable, fmt::format("{:#x} reads {} after {} was written", address.value,
                                                 hexadecimal(done->after), hexadecimal(bytes))));
  return done;
}

/// "-size 4 0x7bf6c = 5": a word of memory, whatever is there.
Result<ExitStatus> set_word(CommandContext &context, const Assignment &assignment, bool force) {
  Session &session = *context.session;
  const auto size = size_of_target(session, assignment);
  if (!size)
    return std::unexpected(size.error());
  const auto address = session.evaluator.address(assignment.address);
  if (!address)
    return std::unexpected(address.error());
  const auto value = session.evaluator.address(assignment.value);
  if (!value)
    return std::unexpected(value.error());
  const auto bytes = bytes_of(*value, *size);
  if (!bytes)
    return std::unexpected(bytes.error());
  const MemoryWrite write{.address = RunAddress{*address}, .bytes = *bytes};
  if (!force)
    if (auto owned = check_owned(session.target(), {&write, 1}); !owned)
      return std::unexpected(owned.error());
  const auto done = exchange(session, write.address, write.bytes);
  if (!done)
    return std::unexpected(done.error());
  context.output.write(fmt::format("{:#x}: {} -> {}\n", *address, hexadecimal(done->before), hexadecimal(done->after)));
  return ExitStatus::success;
}

/// What is written where, with the old value's text: reading it later would show the new one.
struct Prepared {
  AssignmentPlan plan;
  std::string old_text;
  bool used_frame = false;
};

Result<Prepared> prepare(Evaluator &evaluator, const std::string &text) {
  const auto scope = evaluator.scope();
  if (!scope)
    return std::unexpected(scope.error());
  auto plan = plan_assignment(text, **scope);
  if (!plan)
    return std::unexpected(plan.error());
  std::string old_text = value_text(plan->old_value, (*scope)->environment(), evaluator.print_options());
  return Prepared{*std::move(plan), std::move(old_text), (*scope)->used_frame()};
}

Result<void> carry_out(Session &session, const AssignmentPlan &plan) {
  if (plan.register_write)
    return session.evaluator.write_register(plan.register_write->number, plan.register_write->bytes);
  for (const MemoryWrite &write : plan.writes)
    if (auto done = exchange(session, write.address, write.bytes); !done)
      return std::unexpected(done.error());
  return {};
}

bool same_places(std::span<const MemoryWrite> one, std::span<const MemoryWrite> other) {
  return std::ranges::equal(one, other, [](const MemoryWrite &left, const MemoryWrite &right) {
    return left.address == right.address && left.bytes.size() == right.bytes.size();
  });
}

/// What the target has now, evaluated anew.
Result<std::string> text_now(Evaluator &evaluator, const std::string &target) {
  const auto scope = evaluator.scope();
  if (!scope)
    return std::unexpected(scope.error());
  const auto value = evaluate(target, **scope);
  if (!value)
    return std::unexpected(value.error());
  return value_text(*value, (*scope)->environment(), evaluator.print_options());
}

Result<ExitStatus> set_value(CommandContext &context, const std::string &text, bool force) {
  Session &session = *context.session;
  // Once while the target runs: what cannot be done costs it nothing, and the stop then has all files read.
  auto prepared = prepare(session.evaluator, text);
  if (!prepared)
    return fail_in_expression(context.output, prepared.error(), text);
  const std::vector<MemoryWrite> looked_at = prepared->plan.writes;
  if (!force)
    if (auto owned = check_owned(session.target(), looked_at); !owned)
      return std::unexpected(owned.error());
  if (prepared->plan.register_write && !session.held())
    return std::unexpected(
        Error(ErrorKind::unsupported, "the target runs, and its registers change all the time", "stop"));
  Result<std::string> new_text;
  const auto done = session.while_held([&]() -> Result<void> {
    // A frame of a thread that runs may have returned since it was shown, and its place be another's.
    if (prepared->used_frame && !prepared->plan.register_write) {
      if (auto again = session.selection.find_frame_again(); !again)
        return again;
      prepared = prepare(session.evaluator, text);
      if (!prepared)
        return std::unexpected(prepared.error());
      // What was looked at before is not read again inside the stop.
      if (!force && !same_places(prepared->plan.writes, looked_at))
        if (auto owned = check_owned(session.target(), prepared->plan.writes); !owned)
          return owned;
    }
    if (auto written = carry_out(session, prepared->plan); !written)
      return written;
    new_text = text_now(session.evaluator, prepared->plan.target);
    return {};
  });
  if (!done)
    return std::unexpected(done.error());
  if (!new_text)
    return std::unexpected(new_text.error());
  context.output.write(
      fmt::format("{}: {} -> {}\n", escape(prepared->plan.target), escape(prepared->old_text), escape(*new_text)));
  return ExitStatus::success;
}

/// gdb's "set var …" and "set variable …".
std::string_view without_var(std::string_view text) {
  for (const std::string_view word : {"variable ", "var "})
    if (text.starts_with(word))
      return trimmed(text.substr(word.size()));
  return text;
}

/// "-force" in front: takes it off.
bool take_force(std::string_view &text) {
  constexpr std::string_view word = "-force ";
  if (!text.starts_with(word))
    return false;
  text = trimmed(text.substr(word.size()));
  return true;
}

/// A symbol without a type is written as a word of its size.
bool is_typeless(Evaluator &evaluator, const Assignment &assignment) {
  const auto scope = evaluator.scope();
  const auto value = scope ? evaluate(assignment.address, **scope) : std::unexpected(scope.error());
  return value && value->type.go == nullptr && value->type.native.is_void();
}

Result<ExitStatus> run_set(CommandContext &context) {
  Session &session = *context.session;
  const auto &positional = context.arguments.positional();
  if (positional.empty())
    return std::unexpected(Error(ErrorKind::usage, "set needs TARGET = VALUE", "help set"));
  if (auto writable = session.check_writable(); !writable)
    return std::unexpected(writable.error());
  std::string_view typed = trimmed(positional.front());
  const bool force = take_force(typed);
  const std::string text(without_var(typed));
  if (text.starts_with("-size")) {
    const auto assignment = parse_assignment(text);
    return assignment ? set_word(context, *assignment, force) : std::unexpected(assignment.error());
  }
  const auto assignment = parse_assignment(text);
  const bool has_size = assignment && assignment->size != 0 && !text.starts_with('*') && !text.starts_with('{');
  const bool is_word = assignment && (parse_number(assignment->address) || is_typeless(session.evaluator, *assignment));
  if (has_size || is_word)
    return set_word(context, *assignment, force);
  return set_value(context, text, force);
}

} // namespace

CommandSpec make_set_command() {
  CommandSpec spec;
  spec.name = "set";
  spec.summary = "Write a variable, a register or a word of the target's memory";
  spec.help =
      "On the left stands whatever print shows that is in memory or in a register, on the right any expression:\n"
      "\n"
      "  set count = 5                     set s.items[2] = 1.5\n"
      "  set ptr->name = \"abc\"             set pkg.Debug = true\n"
      "  set $rax = 0                      set *(*uint32)(0x7bf6c) = 5\n"
      "  set {int}0x7bf6c = 5              set -size 4 0x7bf6c = 5\n"
      "  set 0x7bf6c:4 = 5\n"
      "\n"
      "The old and the new value are printed, as read back; what does not fit the type is refused. A text must fit "
      "into "
      "the bytes that the old one has. A symbol without debug information is written as a word of its size. The write "
      "happens inside a short stop. Read-only memory (program text, constants, literals that all of the program "
      "shares) "
      "and the characters of a string that are there or in memory shared with others are written with -force only: set "
      "-force patch_me+1:4 = 42. Of a thread that runs, a local "
      "variable is looked for again in that stop; where its function has returned nothing is written. Registers can be "
      "set while the target is held, and only those of an innermost frame. Refused in a session with --read-only.";
  spec.positionals = {{.name = "TARGET = VALUE", .help = "see above", .required = true}};
  spec.completion = CompletionKind::expression;
  spec.in_session = true;
  spec.raw_arguments = true;
  spec.raw_line = true;
  spec.run = run_set;
  return spec;
}

} // namespace inspect
