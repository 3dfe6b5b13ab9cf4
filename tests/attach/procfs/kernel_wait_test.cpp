#include "attach/procfs/kernel_wait.h"

#include "tests/support/catch.h"

namespace inspect {
namespace {

TEST_CASE("a kernel stack is its functions' names, whatever stands around them") {
  CHECK(parse_kernel_stack("[<0>] kernel_clone+0x1d3/0x400\n[<0>] __do_sys_vfork+0x66/0x90\n"
                           "[<ffffffff810a>] nfs_wait [nfs]\n[<ffffffffffffffff>] 0xffffffffffffffff\n") ==
        std::vector<std::string>{"kernel_clone", "__do_sys_vfork", "nfs_wait"});
  CHECK(parse_kernel_stack("").empty());
  CHECK(parse_kernel_stack("\n\n[<0>]\n").empty());
}

TEST_CASE("what an uninterruptible sleep is for is told by the kernel's functions") {
  struct Row {
    KernelWait wait;
    std::string_view expected;
  };
  for (const Row &row : {
           Row{{"kernel_clone", {}}, "waits for its vfork child to call exec or to end"},
           Row{{"wait_for_vfork_done", {}}, "waits for its vfork child to call exec or to end"},
           Row{{"rpc_wait_bit_killable", {}}, "waits for an NFS server"},
           Row{{"request_wait_answer", {"request_wait_answer", "fuse_simple_request"}}, "waits for a FUSE file system"},
           Row{{"folio_wait_bit_common", {"folio_wait_bit_common", "nfs_file_read"}}, "waits for an NFS server"},
           Row{{"folio_wait_bit_common", {"folio_wait_bit_common", "filemap_read"}}, "waits for a disk"},
           // On its way to a fork, and not in its wait.
           Row{{"io_schedule", {"io_schedule", "copy_process", "kernel_clone"}}, "waits for a disk"},
           Row{{"do_something_else", {}}, ""},
           Row{{}, ""},
       }) {
    INFO(row.wait.channel);
    CHECK(uninterruptible_wait_in_words(row.wait) == row.expected);
  }
  CHECK(waits_in_freezer({"__refrigerator", {}}));
  CHECK(waits_in_freezer({"do_freezer_trap", {}}));
  CHECK_FALSE(waits_in_freezer({"futex_wait_queue", {"do_futex"}}));
}

} // namespace
} // namespace inspect
