#include "allocators/other_allocators.h"
#include "tests/allocators/malloc_process.h"
#include "tests/support/catch.h"
#include "tests/support/skip.h"

#include <algorithm>
#include <filesystem>
#include <unistd.h>

/// As if mimalloc were linked into this program: what is recognised is the name.
extern "C" void *mi_malloc(std::size_t size) {
  return ::operator new(size);
}

namespace inspect::test {
namespace {

struct AllocatorRow {
  std::string library;
  std::string allocator;
};

std::vector<std::string> names_in(pid_t process) {
  const LiveChildMemory memory(process);
  ModuleMap modules = modules_of_child(process, memory, {.debug_directories = {}});
  std::vector<std::string> names;
  for (const OtherAllocator &allocator : find_other_allocators(modules))
    names.push_back(allocator.name);
  return names;
}

TEST_CASE("Preloaded allocators are recognised by the names that they bring") {
  const std::string libraries = "/usr/lib/x86_64-linux-gnu/";
  const std::vector<AllocatorRow> rows = {
      {libraries + "libjemalloc.so.2", "jemalloc"},
      {libraries + "libtcmalloc_minimal.so.4", "tcmalloc"},
      {libraries + "libmimalloc.so.2", "mimalloc"},
  };
  if (std::ranges::none_of(rows, [](const AllocatorRow &row) { return std::filesystem::exists(row.library); }))
    SKIP_TEST("none of libjemalloc2, libtcmalloc-minimal4 and libmimalloc2.0 is installed");
  for (const AllocatorRow &row : rows) {
    if (!std::filesystem::exists(row.library))
      continue;
    INFO(row.library);
    ChildProcess child({"env", "LD_PRELOAD=" + row.library, "cat"});
    child.write("ready\n"); // cat answers when it is there with all of its libraries
    child.wait_for_line("ready");
    CHECK(names_in(child.pid()) == std::vector{row.allocator});
  }
}

TEST_CASE("musl is recognised as an allocator, and glibc's own is none other") {
  ChildProcess glibc({"cat"});
  glibc.write("ready\n");
  glibc.wait_for_line("ready");
  CHECK(names_in(glibc.pid()).empty());
  for (const std::string program : {"unwind_musl", "unwind_musl_static"}) {
    if (!std::filesystem::exists(fixture_path(program)))
      continue;
    INFO(program);
    ChildProcess child({fixture_path(program), "chain"});
    child.wait_for_line("ready");
    CHECK(names_in(child.pid()) == std::vector<std::string>{"musl"});
  }
}

TEST_CASE("An allocator that is linked into the executable is recognised by its symbols") {
  ::operator delete(mi_malloc(16));
  const OwnMemory memory;
  ModuleMap modules = modules_of_child(::getpid(), memory, {.debug_directories = {}});
  const std::vector<OtherAllocator> found = find_other_allocators(modules);
  REQUIRE(found.size() == 1);
  CHECK(found[0].name == "mimalloc");
  CHECK(found[0].module_path.ends_with("test_allocators"));
}

} // namespace
} // namespace inspect::test
