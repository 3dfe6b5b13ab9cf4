#include "attach/procfs/kernel_wait.h"

#include "attach/procfs/proc_file.h"
#include "attach/procfs/proc_text.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::size_t max_stack_text = 64U << 10;

struct Meaning {
  std::string_view prefix; ///< of a function's name
  std::string_view words;
};

constexpr std::string_view vfork_words = "waits for its vfork child to call exec or to end";
constexpr std::string_view disk_words = "waits for a disk";

/// The first that fits a function, looked for from the innermost outwards.
constexpr auto meanings = std::to_array<Meaning>({
    {"wait_for_vfork_done", vfork_words},
    {"nfs", "waits for an NFS server"},
    {"rpc_", "waits for an NFS server"},
    {"fuse_", "waits for a FUSE file system"},
    {"request_wait_answer", "waits for a FUSE file system"}, // fs/fuse/dev.c
    {"cifs_", "waits for an SMB server"},
    {"smb2_", "waits for an SMB server"},
    {"p9_", "waits for a 9p server"},
    {"v9fs_", "waits for a 9p server"},
    {"ceph_", "waits for a Ceph server"},
    {"handle_userfault", "waits for the handler of a page fault (userfaultfd)"},
    {"swap_readpage", "waits for swapped-out memory"},
    {"do_swap_page", "waits for swapped-out memory"},
    {"coredump_wait", "waits for its core dump"},
    {"do_coredump", "waits for its core dump"},
    {"jbd2_", disk_words},
    {"blk_", disk_words},
    {"io_schedule", disk_words},
    {"folio_wait_bit", disk_words},
    {"wait_on_page_bit", disk_words},
});

std::string_view meaning_of(std::string_view function) {
  const auto found =
      std::ranges::find_if(meanings, [&](const Meaning &one) { return function.starts_with(one.prefix); });
  return found == meanings.end() ? std::string_view() : found->words;
}

} // namespace

std::string KernelWait::stack_text() const {
  return fmt::format("{}", fmt::join(stack, "\n"));
}

std::vector<std::string> parse_kernel_stack(std::string_view text) {
  std::vector<std::string> functions;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    take_word(line); // "[<0>]", once an address
    const std::string_view place = take_word(line);
    const std::string_view name = place.substr(0, place.find('+'));
    if (!name.empty() && !name.starts_with("0x")) // 0xffffffffffffffff ends the stacks of older kernels
      functions.emplace_back(name);
  }
  return functions;
}

KernelWait read_kernel_wait(int task_directory, pid_t thread, KernelWaitDetail detail) {
  const auto text_of = [&](std::string_view name) {
    const FileDescriptor file(
        ::openat(task_directory, fmt::format("{}/{}", thread, name).c_str(), O_RDONLY | O_CLOEXEC));
    return file ? read_to_end(file.get(), max_stack_text).value_or(std::string()) : std::string();
  };
  KernelWait wait;
  const std::string channel = text_of("wchan");
  if (const std::string_view word = trimmed(channel); word != "0") // "0": it runs
    wait.channel = word;
  if (detail == KernelWaitDetail::with_stack)
    wait.stack = parse_kernel_stack(text_of("stack"));
  return wait;
}

std::string_view uninterruptible_wait_in_words(const KernelWait &wait) {
  // Where the compiler inlines the wait for a vfork's child, it is all that these two functions sleep in by themselves
  // (kernel/fork.c).
  if (wait.channel == "kernel_clone" || wait.channel == "_do_fork")
    return vfork_words;
  // Waiting for a disk is how many others wait, too: what stands further out tells more.
  std::string_view found = meaning_of(wait.channel);
  for (const std::string &function : wait.stack) {
    const std::string_view words = meaning_of(function);
    if (!words.empty() && (found.empty() || found == disk_words))
      found = words;
  }
  return found;
}

bool waits_in_freezer(const KernelWait &wait) {
  const auto is_freezer = [](std::string_view function) {
    return function == "__refrigerator" || function == "do_freezer_trap"; // version 1 and version 2
  };
  return is_freezer(wait.channel) || std::ranges::any_of(wait.stack, is_freezer);
}

} // namespace inspect
