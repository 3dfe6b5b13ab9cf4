// Every frame that gdb prints of the same process, with the same debug files, is a frame of ours: same pc, same
// function.
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/gdb_stacks.h"
#include "tests/support/private_server.h"
#include "tests/support/run_command.h"
#include "tests/support/skip.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace inspect::test {
namespace {

bool same_frame(const PeerFrame &ours, const PeerFrame &theirs) {
  return ours.pc == theirs.pc && (theirs.function.empty() || same_function(ours.function, theirs.function));
}

/// Empty when equal, else the first frames of each thread that are not.
std::string difference(const PeerStacks &ours, const PeerStacks &theirs) {
  std::string text;
  if (ours.size() != theirs.size())
    text += fmt::format("{} threads, gdb has {}\n", ours.size(), theirs.size());
  for (const auto &[thread, frames] : theirs) {
    const auto own = ours.find(thread);
    if (own == ours.end()) {
      text += fmt::format("thread {} is missing\n", thread);
      continue;
    }
    const auto [left, right] = std::ranges::mismatch(own->second, frames, same_frame);
    if (left != own->second.end())
      text += fmt::format("thread {} ours: {:#x} {}\n", thread, left->pc, left->function);
    if (right != frames.end())
      text += fmt::format("thread {} gdb:  {:#x} {}\n", thread, right->pc, right->function);
  }
  return text;
}

/// A server may move between the two dumps, hence some attempts; a real difference is there every time.
void check_against_gdb(pid_t process, const std::string &debug_directory) {
  std::string last;
  for (int attempt = 0; attempt < 6; ++attempt) {
    last = difference(inspect_stacks(process, debug_directory), gdb_stacks(process, debug_directory));
    if (last.empty())
      break;
  }
  INFO(last);
  CHECK(last.empty());
}

void check_fixture(const std::string &name) {
  ChildProcess child({fixture_path(name)});
  child.wait_for_line("ready");
  check_against_gdb(child.pid(), "");
  check_against_gdb(child.pid(), "/nonexistent");
}

#define NEEDS_GDB()                                                                                                    \
  if (!have_program("gdb"))                                                                                            \
  SKIP_TEST("gdb is not installed")

#define NEEDS_FIXTURE(name)                                                                                            \
  if (!std::filesystem::exists(fixture_path(name)))                                                                    \
  SKIP_TEST("its compiler is not on this machine: " name)

TEST_CASE("names are compared without what peers spell differently") {
  CHECK(canonical_function("void ns::f<std::pair<int, long> >(int, char) const") == "ns::f");
  CHECK(canonical_function("(anonymous namespace)::run()") == "{anonymous}::run");
  CHECK(canonical_function("__GI___poll") == canonical_function("poll"));
  CHECK(canonical_function("operator->") == "operator->");
  CHECK(canonical_function("main::{lambda()#1}::operator()() const") ==
        canonical_function("<lambda()>::operator()(void) const"));
}

TEST_CASE("frame by frame as gdb: GCC -O2") {
  NEEDS_GDB();
  check_fixture("blocked_gcc");
}

TEST_CASE("frame by frame as gdb: frame pointers, -O1") {
  NEEDS_GDB();
  check_fixture("blocked_frame_pointer");
}

TEST_CASE("frame by frame as gdb: statically linked") {
  NEEDS_GDB();
  check_fixture("blocked_static");
}

TEST_CASE("frame by frame as gdb: stripped") {
  NEEDS_GDB();
  check_fixture("blocked_stripped");
}

TEST_CASE("frame by frame as gdb: clang") {
  NEEDS_GDB();
  NEEDS_FIXTURE("blocked_clang");
  check_fixture("blocked_clang");
}

// gdb finds no way out of Debian's musl, which has no unwind tables and no frame pointers: the program's own source is
// the ground truth.
TEST_CASE("musl: every thread's own functions, up to its start") {
  NEEDS_FIXTURE("blocked_musl");
  ChildProcess child({fixture_path("blocked_musl")});
  child.wait_for_line("ready");
  std::vector<std::string> seen;
  for (const auto &[thread, frames] : inspect_stacks(child.pid(), "")) {
    std::string own;
    // memset has no size in musl's symbol table: the stubs behind it must not borrow its name.
    CHECK(std::ranges::find(frames, "memset", &PeerFrame::function) == frames.end());
    for (const PeerFrame &frame : frames)
      for (const std::string_view name : {"take_lock", "locker", "read_pipe", "reader", "main"})
        if (frame.function == name)
          own += fmt::format("{} ", name);
    seen.push_back(own);
  }
  CHECK(seen == std::vector<std::string>{"main ", "take_lock locker ",
                                         "read_pipe read_pipe read_pipe read_pipe read_pipe reader "});
}

TEST_CASE("frame by frame as gdb: Rust") {
  NEEDS_GDB();
  NEEDS_FIXTURE("blocked_rust");
  check_fixture("blocked_rust");
}

TEST_CASE("frame by frame as gdb: redis-server") {
  NEEDS_GDB();
  auto server = PrivateServer::redis();
  if (!server)
    SKIP_TEST("redis-server is not installed");
  for (const pid_t process : server->processes()) {
    check_against_gdb(process, "");
    check_against_gdb(process, "/nonexistent");
  }
}

TEST_CASE("frame by frame as gdb: nginx") {
  NEEDS_GDB();
  auto server = PrivateServer::nginx();
  if (!server)
    SKIP_TEST("nginx is not installed, or may not be started by this user");
  REQUIRE(server->processes().size() > 1);
  for (const pid_t process : server->processes()) {
    check_against_gdb(process, "");
    check_against_gdb(process, "/nonexistent");
  }
}

TEST_CASE("frame by frame as gdb: postgresql") {
  NEEDS_GDB();
  auto server = PrivateServer::postgresql();
  if (!server)
    SKIP_TEST("postgresql is not installed, or there is no user to run it as");
  REQUIRE(server->processes().size() > 3);
  for (const pid_t process : server->processes()) {
    check_against_gdb(process, "");
    check_against_gdb(process, "/nonexistent");
  }
}

} // namespace
} // namespace inspect::test
