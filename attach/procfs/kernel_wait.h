// Where in the kernel a thread waits: the function it sleeps in, and as root the kernel's own stack; and what a wait
// there that no signal can end is for.
//
//     const KernelWait wait = read_kernel_wait(task_directory, tid, KernelWaitDetail::with_stack);
//     uninterruptible_wait_in_words(wait);              // "waits for an NFS server"
//
// Sources: man page proc(5), "/proc/[pid]/wchan" and "/proc/[pid]/stack"; the names are those of functions of
// Linux 4.19 to 6.12.
#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace inspect {

struct KernelWait {
  std::string channel;            ///< "futex_wait_queue"; empty: it runs, or the kernel does not say
  std::vector<std::string> stack; ///< functions of the kernel, innermost first; empty: not wanted, or not permitted

  /// All of it as one text, to compare.
  std::string stack_text() const;
  auto operator<=>(const KernelWait &) const = default;
};

enum class KernelWaitDetail { channel_only, with_stack };

/// `task_directory` is an open /proc/PID/task. What cannot be read is left out: the stack wants CAP_SYS_ADMIN.
KernelWait read_kernel_wait(int task_directory, pid_t thread, KernelWaitDetail detail);

/// The functions' names of /proc/PID/stack, which writes "[<0>] name+0x1a/0x90".
std::vector<std::string> parse_kernel_stack(std::string_view text);

/// What is waited for, as a clause: "waits for an NFS server", "waits for its vfork child to call exec or to end".
/// Empty where the names tell nothing.
std::string_view uninterruptible_wait_in_words(const KernelWait &wait);

/// Whether it waits because its control group is frozen.
bool waits_in_freezer(const KernelWait &wait);

} // namespace inspect
