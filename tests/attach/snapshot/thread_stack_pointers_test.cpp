#include "attach/snapshot/thread_stack_pointers.h"

#include "tests/support/catch.h"
#include "tests/support/child_process.h"

#include <algorithm>
#include <unistd.h>

namespace inspect {
namespace {

TEST_CASE("the stack pointer of a syscall file is its last but one word, where there is one") {
  struct Row {
    const char *text;
    std::optional<RunAddress> expected;
  };
  const RunAddress place{0x7ffd1234};
  for (const Row &row : {
           Row{"0 0x0 0x7ffc 0x1 0x0 0x0 0x0 0x7ffd1234 0x7f0000001000\n", place},
           Row{"-1 0x7ffd1234 0x7f0000001000\n", place},
           Row{"230 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffd1234 0x1", place},
           Row{"running\n", std::nullopt},
           Row{"-1 0x0 0x0\n", std::nullopt}, // a kernel thread
           Row{"0 0x0 0x7ffc\n", std::nullopt},
           Row{"0 1 2 3 4 5 6 0xffffffffffffffffff 8\n", std::nullopt},
           Row{"-1 stack\n", std::nullopt},
           Row{"", std::nullopt},
       }) {
    INFO(row.text);
    CHECK(parse_stack_pointer(row.text) == row.expected);
  }
}

TEST_CASE("all threads of a process come with their names, and those that sleep with their stack pointers") {
  test::ChildProcess child({test::fixture_path("thread_stacks")});
  child.wait_for_line("ready");
  std::vector<ThreadStackPointer> threads;
  REQUIRE(test::wait_until([&] {
    const auto found = read_thread_stack_pointers(child.pid());
    if (found)
      threads = *found;
    return std::ranges::all_of(
        threads, [](const ThreadStackPointer &one) { return one.stack_pointer.has_value() || one.name == "running"; });
  }));
  REQUIRE(threads.size() == 9);
  CHECK(threads.front().thread == child.pid());
  CHECK(std::ranges::is_sorted(threads, {}, &ThreadStackPointer::thread));
  CHECK(std::ranges::count(threads, "wide guard", &ThreadStackPointer::name) == 1);
  const auto nobody = read_thread_stack_pointers(1 << 22);
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().kind() == ErrorKind::no_such_process);
}

} // namespace
} // namespace inspect
