#include "machine/x86_64/system_calls.h"

#include "tests/support/catch.h"

#include <sys/syscall.h>

namespace inspect {
namespace {

TEST_CASE("system calls have the names of the kernel's header, and unknown numbers none") {
  CHECK(x86_64::system_call_name(SYS_read) == "read");
  CHECK(x86_64::system_call_name(SYS_futex) == "futex");
  CHECK(x86_64::system_call_name(SYS_restart_syscall) == "restart_syscall");
  CHECK(x86_64::system_call_name(SYS_io_uring_enter) == "io_uring_enter");
  CHECK(x86_64::system_call_name(SYS_close_range) == "close_range");
  CHECK(x86_64::system_call_name(400).empty()); // a hole in the numbering
  CHECK(x86_64::system_call_name(-1).empty());
  CHECK(x86_64::system_call_name(99999).empty());
}

} // namespace
} // namespace inspect
