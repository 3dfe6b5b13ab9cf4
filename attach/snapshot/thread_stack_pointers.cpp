#include "attach/snapshot/thread_stack_pointers.h"

#include "attach/procfs/blocked_call.h"
#include "attach/procfs/proc_file.h"
#include "attach/procfs/proc_text.h"
#include "attach/procfs/process_list.h"
#include "attach/procfs/process_status.h"

#include <fmt/format.h>
#include <sched.h>

namespace inspect {
namespace {

/// The word of that number, counted from 1; empty: there are fewer.
std::string_view word_at(std::string_view text, int number) {
  while (--number > 0)
    take_word(text);
  return take_word(text);
}

/// Field 29 of stat, which is 0 unless the thread is ending.
std::optional<RunAddress> kept_stack_pointer(std::string_view stat) {
  constexpr int fields_of_name = 2;
  const auto close = stat.rfind(')');
  if (close == std::string_view::npos)
    return std::nullopt;
  const auto address = whole_number<std::uint64_t>(word_at(stat.substr(close + 1), 29 - fields_of_name));
  return address.value_or(0) != 0 ? std::optional(RunAddress{*address}) : std::nullopt;
}

/// Whether another look could find the stack pointer: only of a thread that runs.
bool look_at(pid_t process, ThreadStackPointer &one) {
  const auto text = read_proc_file(process, proc_path(process, one.thread, "syscall"));
  if (!text)
    return false;
  one.stack_pointer = parse_stack_pointer(*text);
  return !one.stack_pointer && text->starts_with("running");
}

/// A thread in an inner process namespace knows itself by another number.
bool has_other_ids(pid_t process) {
  const auto status = read_process_status(process);
  return status && status->id_in_namespace != 0 && status->id_in_namespace != process;
}

} // namespace

std::optional<RunAddress> parse_stack_pointer(std::string_view system_call) {
  const auto call = parse_blocked_call(system_call);
  return call ? std::optional(call->stack_pointer) : std::nullopt;
}

Result<std::vector<ThreadStackPointer>> read_thread_stack_pointers(pid_t process) {
  const auto threads = list_threads(process);
  if (!threads)
    return std::unexpected(threads.error());
  const bool other_ids = has_other_ids(process);
  std::vector<ThreadStackPointer> found;
  found.reserve(threads->size());
  std::vector<std::size_t> running;
  for (const pid_t thread : *threads) {
    const auto text = read_proc_file(process, proc_path(process, thread, "stat"));
    if (!text)
      continue; // it has ended
    auto stat = parse_process_stat(*text);
    if (!stat)
      return std::unexpected(stat.error().while_doing(fmt::format("reading thread {}", thread)));
    if (has_ended(stat->state))
      continue;
    ThreadStackPointer &one = found.emplace_back();
    one.thread = one.id_in_namespace = thread;
    one.name = std::move(stat->name);
    if (other_ids)
      if (const auto status = read_thread_status(process, thread); status && status->id_in_namespace != 0)
        one.id_in_namespace = status->id_in_namespace;
    if (look_at(process, one))
      running.push_back(found.size() - 1);
    if (!one.stack_pointer)
      one.stack_pointer = kept_stack_pointer(*text);
  }
  // Giving way lets those run on that have something to do, so that they come to sleep.
  constexpr int more_looks = 4;
  for (int look = 0; look < more_looks && !running.empty(); ++look) {
    ::sched_yield();
    std::erase_if(running, [&](std::size_t index) { return !look_at(process, found[index]); });
  }
  return found;
}

} // namespace inspect
