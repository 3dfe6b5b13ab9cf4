// The kinds of mappings, from texts of maps alone and with the evidence that a live process gives.
#include "inspector/mappings/mapping_kind.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <sstream>

namespace inspect::test {
namespace {

constexpr pid_t process = 4250;

/// A process as text: each line is the kind that is expected, "?" behind it where it is a guess, and "#" with the
/// thread where it has one, then a line of maps.
struct Expected {
  std::string kind;
  std::string line;
};

struct Scene {
  std::vector<Expected> lines;
  std::vector<MappingUsage> usage;
};

Scene read_scene(const std::string &text) {
  Scene scene;
  std::string maps;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    Expected expected;
    if (!(words >> expected.kind))
      continue;
    std::getline(words >> std::ws, expected.line);
    maps += expected.line + "\n";
    scene.lines.push_back(std::move(expected));
  }
  auto mappings = parse_memory_map(maps);
  REQUIRE(mappings);
  for (Mapping &mapping : *mappings) {
    MappingUsage &one = scene.usage.emplace_back();
    one.amounts.reserved = mapping.range.size();
    one.mapping = std::move(mapping);
  }
  return scene;
}

std::string found_kind(const ClassifiedMapping &one) {
  return fmt::format("{}{}{}", mapping_kind_name(one.kind), one.guessed ? "?" : "",
                     one.thread != 0 ? fmt::format("#{}", one.thread) : "");
}

std::vector<ClassifiedMapping> check_scene(const std::string &text, const MappingOwners &owners = {},
                                           std::string_view executable = "/bin/prog") {
  const Scene scene = read_scene(text);
  const auto found = classify_mappings(process, executable, scene.usage, owners);
  REQUIRE(found.size() == scene.lines.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO(scene.lines[i].line);
    CHECK(found_kind(found[i]) == scene.lines[i].kind);
  }
  return found;
}

RunRange range(std::uint64_t begin, std::uint64_t end) {
  return {{begin}, {end}};
}

TEST_CASE("the kind of a mapping follows from its file, the name the kernel gives and its neighbours") {
  check_scene(R"(
program_text  00400000-00401000 r--p 00000000 08:01 11 /bin/prog
program_text  00401000-00402000 r-xp 00001000 08:01 11 /bin/prog
program_text  00402000-00403000 r--p 00002000 08:01 11 /bin/prog
program_data  00403000-00404000 r--p 00002000 08:01 11 /bin/prog
program_data  00404000-00405000 rw-p 00003000 08:01 11 /bin/prog
program_data  00405000-40405000 rw-p 00000000 00:00 0
main_heap     40500000-40521000 rw-p 00000000 00:00 0 [heap]
anonymous     50000000-50001000 r--p 00000000 00:00 0
jit           51000000-51001000 rwxp 00000000 00:00 0
jit           51001000-51002000 r-xp 00000000 00:00 0
reserved      52000000-92000000 ---p 00000000 00:00 0
anonymous     93000000-93001000 rw-p 00000000 00:05 4 /dev/zero
shared_memory 94000000-94001000 rw-s 00000000 00:01 5 /dev/zero (deleted)
shared_memory 94001000-94002000 ---s 00000000 00:01 6 /dev/zero (deleted)
shared_memory 95000000-95001000 rw-s 00000000 00:01 7 /SYSV0000002a (deleted)
file          95001000-95002000 rw-s 00000000 08:01 7 /SYSVabc (deleted)
shared_memory 96000000-96001000 rw-s 00000000 00:15 8 /dev/shm/PostgreSQL.1
shared_memory 97000000-97200000 rw-s 00000000 00:0f 8 /anon_hugepage (deleted)
anonymous     97200000-97400000 rw-p 00000000 00:0f 9 /anon_hugepage (deleted)
memfd         98000000-98001000 rwxs 00000000 00:01 9 /memfd:doublemapper (deleted)
device        99000000-99001000 rw-s 00000000 00:05 9 /dev/nvidia0
device        99001000-99002000 rw-s 00000000 00:06 9 /dmabuf:
kernel        9a000000-9a001000 rw-s 00000000 00:0e 9 anon_inode:[io_uring]
kernel        9b000000-9b001000 rw-s 00000000 00:12 9 /[aio] (deleted)
file          9c000000-9c001000 r--p 00000000 08:01 33 /usr/lib/locale/C.utf8/LC_CTYPE
file          9c001000-9c002000 rw-s 00000000 08:01 34 /var/lib/db (deleted)
library_text  7f0000000000-7f0000001000 r--p 00000000 08:01 21 /lib/libx.so.1
library_text  7f0000001000-7f0000002000 r-xp 00001000 08:01 21 /lib/libx.so.1
library_text  7f0000002000-7f0000003000 r--p 00002000 08:01 21 /lib/libx.so.1
library_text  7f0000003000-7f0000004000 ---p 00003000 08:01 21 /lib/libx.so.1
library_data  7f0000004000-7f0000005000 r--p 00003000 08:01 21 /lib/libx.so.1
library_data  7f0000005000-7f0000006000 rw-p 00004000 08:01 21 /lib/libx.so.1
library_data  7f0000006000-7f0000007000 rw-p 00000000 00:00 0
anonymous     7f0000007000-7f0000008000 r--p 00000000 00:00 0
thread_stack#4250 7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0 [stack]
kernel        7ffd00100000-7ffd00104000 r--p 00000000 00:00 0 [vvar]
kernel        7ffd00104000-7ffd00106000 r--p 00000000 00:00 0 [vvar_vclock]
kernel        7ffd00106000-7ffd00108000 r-xp 00000000 00:00 0 [vdso]
kernel        ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]
)");
  // The program may lie anywhere, and may have moved its text to huge pages.
  check_scene(R"(
program_text 00400000-00401000 r--p 00000000 00:01 9 /memfd:runc (deleted)
program_text 00401000-00600000 r-xp 00000000 00:00 0
program_text 00600000-00602000 r-xp 00200000 00:01 9 /memfd:runc (deleted)
jit          00602000-00603000 r-xp 00000000 00:00 0
memfd        00700000-00701000 r--p 00000000 00:01 10 /memfd:other (deleted)
)",
              {}, "/memfd:runc");
  // Nothing is known of the executable.
  check_scene("library_text 00400000-00401000 r-xp 00000000 08:01 11 /bin/prog\n", {}, "");
  CHECK(classify_mappings(process, "/bin/prog", {}, {}).empty());
}

TEST_CASE("anonymous memory behind a library's data is its bss as far as the file says") {
  const std::string library = R"(
library_text 7f0000000000-7f0000002000 r-xp 00000000 08:01 21 /lib/libx.so.1
library_data 7f0000002000-7f0000003000 rw-p 00002000 08:01 21 /lib/libx.so.1
)";
  const RunRange images[] = {range(0x7f0000000000, 0x7f0000005000)};
  MappingOwners owners;
  owners.images = images;
  check_scene(library + "library_data 7f0000003000-7f0000005000 rw-p 00000000 00:00 0\n", owners);
  check_scene(library + "library_data 7f0000003000-7f0000007000 rw-p 00000000 00:00 0\n", owners);
  // The kernel has joined it with what was mapped above.
  const auto joined = check_scene(library + "anonymous 7f0000003000-7f0004000000 rw-p 00000000 00:00 0\n", owners);
  CHECK(joined.back().note == "begins with 8 kB of bss of /lib/libx.so.1");
  // Without modules only the size says something.
  check_scene(library + "library_data 7f0000003000-7f0000007000 rw-p 00000000 00:00 0\n");
  check_scene(library + "anonymous 7f0000003000-7f0004000000 rw-p 00000000 00:00 0\n");
}

TEST_CASE("names that programs give to their memory are believed") {
  check_scene(R"(
go_heap       c000000000-c000400000 rw-p 00000000 00:00 0 [anon: Go: heap]
go_heap       c000400000-c004000000 ---p 00000000 00:00 0 [anon: Go: heap reservation]
go_metadata   7f0000000000-7f0000100000 rw-p 00000000 00:00 0 [anon: Go: immortal metadata]
go_metadata   7f0000100000-7f0020000000 ---p 00000000 00:00 0 [anon: Go: page summary]
malloc_mapped 7f1000000000-7f1000100000 rw-p 00000000 00:00 0 [anon: glibc: malloc]
anonymous     7f1000200000-7f1000201000 rw-p 00000000 00:00 0 [anon: glibc: loader malloc]
malloc_arena  7f1004000000-7f1004021000 rw-p 00000000 00:00 0 [anon: glibc: malloc arena]
malloc_arena  7f1004021000-7f1008000000 ---p 00000000 00:00 0
guard#77      7f2000000000-7f2000001000 ---p 00000000 00:00 0
thread_stack#77 7f2000001000-7f2000801000 rw-p 00000000 00:00 0 [anon: glibc: pthread stack: 77]
guard         7f2000801000-7f2000802000 ---p 00000000 00:00 0
thread_stack  7f2000802000-7f2001002000 rw-p 00000000 00:00 0 [anon: glibc: unused stack]
anonymous     7f3000000000-7f3000001000 rw-p 00000000 00:00 0 [anon:dalvik-main space]
jit           7f3000001000-7f3000002000 rwxp 00000000 00:00 0 [anon:code cache]
shared_memory 7f3000002000-7f3000003000 rw-s 00000000 00:01 3 [anon_shmem:pool]
)");
}

TEST_CASE("Go's heap and tables are told by the runtime's ranges, else guessed by their place") {
  const GoMemoryRange ranges[] = {
      {range(0xc000000000, 0xc004000000), GoRangeUse::heap_arena},
      {range(0xc000010000, 0xc000018000), GoRangeUse::stack},
      {range(0xc000020000, 0xc000022000), GoRangeUse::stack},
      {range(0x7f0000000000, 0x7f0000100000), GoRangeUse::metadata},
  };
  MappingOwners owners;
  owners.go = ranges;
  const auto found = check_scene(R"(
go_heap     c000000000-c000400000 rw-p 00000000 00:00 0
go_heap     c000400000-c004000000 ---p 00000000 00:00 0
go_heap     c004000000-c008000000 ---p 00000000 00:00 0
reserved    c009000000-c009001000 ---p 00000000 00:00 0
go_metadata 7f0000000000-7f0000100000 rw-p 00000000 00:00 0
anonymous   7f0000200000-7f0000300000 rw-p 00000000 00:00 0
)",
                                 owners);
  CHECK(found[0].goroutine_stacks == 0xa000U);
  CHECK_FALSE(found[1].goroutine_stacks);
  check_scene(R"(
go_heap?    c000000000-c000400000 rw-p 00000000 00:00 0
go_heap?    c000400000-c004000000 ---p 00000000 00:00 0
anonymous   c005000000-c005100000 rw-p 00000000 00:00 0
)");
  check_scene("anonymous bffff00000-c000400000 rw-p 00000000 00:00 0\n");
}

TEST_CASE("malloc's arenas and mapped chunks are told by its statistics, arenas else guessed by place and size") {
  const std::string two_arenas = R"(
malloc_arenaX  7f0000000000-7f0000021000 rw-p 00000000 00:00 0
malloc_arenaX  7f0000021000-7f0004000000 ---p 00000000 00:00 0
malloc_arenaX  7f0004000000-7f0004100000 rw-p 00000000 00:00 0
malloc_arenaX  7f0004100000-7f0008000000 ---p 00000000 00:00 0
)";
  const auto with = [&](const std::string &mark) {
    std::string text = two_arenas;
    for (std::size_t at; (at = text.find('X')) != std::string::npos;)
      text.replace(at, 1, mark);
    return text;
  };
  std::vector<MallocArena> arenas(2);
  arenas[0].address = {0x7fff00};
  arenas[0].is_main = true;
  arenas[1].address = {0x7f0000000030};
  arenas[1].heaps = {range(0x7f0000000000, 0x7f0004000000), range(0x7f0004000000, 0x7f0008000000)};
  MappingOwners owners;
  owners.arenas = arenas;
  owners.is_mapped_chunk = [](RunRange mapping) { return mapping.begin.value >= 0x7f1000000000; };
  const auto found = check_scene("main_heap 01000000-01021000 rw-p 00000000 00:00 0 [heap]\n" + with("") + R"(
anonymous      7f0009000000-7f0009100000 rw-p 00000000 00:00 0
malloc_mapped  7f1000000000-7f1000100000 rw-p 00000000 00:00 0
anonymous      7f1000200000-7f1000201000 rw-p 00000000 00:00 0
)",
                                 owners);
  CHECK(found[0].arena == RunAddress{0x7fff00});
  CHECK(found[2].arena == RunAddress{0x7f0000000030});
  check_scene(with("?"));
  // 64 MB, but not where malloc would put it.
  check_scene("anonymous 7f0000001000-7f0000021000 rw-p 00000000 00:00 0\n"
              "reserved  7f0000021000-7f0004001000 ---p 00000000 00:00 0\n");
}

/// A thread's descriptor as glibc has it on x86-64, in a page of its own.
std::vector<std::byte> page_with_descriptor(RunAddress page, std::size_t offset, std::int32_t thread) {
  std::vector<std::byte> bytes(4096);
  const std::uint64_t own = page.value + offset;
  std::memcpy(bytes.data() + offset, &own, sizeof own);
  std::memcpy(bytes.data() + offset + 16, &own, sizeof own);
  std::memcpy(bytes.data() + offset + 720, &thread, sizeof thread);
  return bytes;
}

TEST_CASE("stacks belong to the threads whose stack pointers or descriptors lie in them") {
  const std::vector<ThreadStackPointer> threads = {
      {process, process, "main", RunAddress{0x7ffd00020800}},
      {51, 51, "sleeper", RunAddress{0x7f0000700000}},
      {52, 1052, "runner", std::nullopt}, // in a process namespace of its own
      {53, 53, "go", RunAddress{0xc000001000}},
  };
  BufferMemory memory;
  memory.add({0x7f0000800000}, page_with_descriptor({0x7f0000800000}, 0x700, 51));
  memory.add({0x7f0001001000}, page_with_descriptor({0x7f0001001000}, 0x6c0, 1052));
  memory.add({0x7f0001802000}, page_with_descriptor({0x7f0001802000}, 0x700, -1));
  memory.add({0x7f0002003000}, std::vector<std::byte>(4096));
  MappingOwners owners;
  owners.threads = threads;
  owners.memory = &memory;
  const auto found = check_scene(R"(
go_heap?          c000000000-c000400000 rw-p 00000000 00:00 0
guard#51          7f0000000000-7f0000001000 ---p 00000000 00:00 0
thread_stack#51   7f0000001000-7f0000801000 rw-p 00000000 00:00 0
guard#52          7f0000801000-7f0000802000 ---p 00000000 00:00 0
thread_stack#52   7f0000802000-7f0001002000 rw-p 00000000 00:00 0
guard             7f0001002000-7f0001003000 ---p 00000000 00:00 0
thread_stack      7f0001003000-7f0001803000 rw-p 00000000 00:00 0
reserved          7f0001803000-7f0001804000 ---p 00000000 00:00 0
anonymous         7f0001804000-7f0002004000 rw-p 00000000 00:00 0
thread_stack#4250 7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0 [stack]
)",
                                 owners);
  CHECK(found[2].depth == 0x101000U);
  CHECK(found[2].thread_name == "sleeper");
  CHECK(found[4].thread_name == "runner");
  CHECK_FALSE(found[4].depth);
  CHECK(found[6].note == "of a thread that has ended, kept for the next one");
  CHECK(found[9].depth == 0x800U);
}

TEST_CASE("a stack that the kernel joined with other memory ends at its thread's descriptor") {
  const std::vector<ThreadStackPointer> threads = {{51, 51, "low", RunAddress{0x7f00007ff000}}};
  BufferMemory memory;
  memory.add({0x7f00007ff000}, std::vector<std::byte>(4096));
  memory.add({0x7f0000800000}, page_with_descriptor({0x7f0000800000}, 0x700, 51));
  memory.add({0x7f0000801000}, std::vector<std::byte>(0x11000));
  MappingOwners owners;
  owners.threads = threads;
  owners.memory = &memory;
  auto found = check_scene("guard#51        7f0000000000-7f0000001000 ---p 00000000 00:00 0\n"
                           "thread_stack#51 7f0000001000-7f0000812000 rw-p 00000000 00:00 0\n",
                           owners);
  CHECK(found[1].depth == 0x2000U);
  // Most of it is the other memory.
  memory.add({0x7f0000812000}, std::vector<std::byte>(0x100000));
  found = check_scene("reserved  7f0000000000-7f0000001000 ---p 00000000 00:00 0\n"
                      "anonymous 7f0000001000-7f0010001000 rw-p 00000000 00:00 0\n",
                      owners);
  CHECK(found[1].note == "with the stack of thread 51 low, 8 kB deep");
  // Two threads without guards between their stacks.
  const std::vector<ThreadStackPointer> both = {{51, 51, "low", RunAddress{0x7f0000010000}},
                                                {52, 52, "high", RunAddress{0x7f0000020000}}};
  owners = {};
  owners.threads = both;
  found = check_scene("thread_stack 7f0000001000-7f0000021000 rw-p 00000000 00:00 0\n", owners);
  CHECK(found[0].note == "stacks of 2 threads: 51 low, 52 high");
}

TEST_CASE("stacks are guessed by their shape while there are threads without one, and marked") {
  const std::string shapes = R"(
guard?        7f0000000000-7f0000001000 ---p 00000000 00:00 0
thread_stack? 7f0000001000-7f0000800000 rw-p 00000000 00:00 0
reserved      7f0001000000-7f0003000000 ---p 00000000 00:00 0
anonymous     7f0003000000-7f0003800000 rw-p 00000000 00:00 0
reserved      7f0004000000-7f0004001000 ---p 00000000 00:00 0
anonymous     7f0004001000-7f0004004000 rw-p 00000000 00:00 0
reserved      7f0005000000-7f0005001000 ---p 00000000 00:00 0
anonymous     7f0005001000-7f0005801000 rw-p 00000000 00:00 0
)";
  const std::vector<ThreadStackPointer> one = {{51, 51, "busy", std::nullopt}};
  MappingOwners owners;
  owners.threads = one;
  check_scene(shapes, owners);
}

TEST_CASE("every mapping of any process has one kind, and nothing of its amounts is lost") {
  // Mappings and threads at random, invalid ones included.
  std::uint64_t state = 88'172'645'463'325'252ULL;
  const auto next = [&](std::uint64_t below) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    return state % below;
  };
  const std::vector<std::string> paths = {"",
                                          "",
                                          "",
                                          "/bin/prog",
                                          "/lib/a.so",
                                          "[heap]",
                                          "[stack]",
                                          "[anon:",
                                          "[stack:",
                                          "[",
                                          "/dev/zero",
                                          "/memfd:x",
                                          "[anon: glibc: pthread stack: 99999999999]",
                                          "x"};
  for (int round = 0; round < 300; ++round) {
    std::vector<MappingUsage> usage;
    std::vector<ThreadStackPointer> threads;
    std::uint64_t at = next(3) == 0 ? 0 : 0xc000000000;
    MemoryAmounts total;
    for (std::uint64_t i = next(40); i > 0; --i) {
      MappingUsage &one = usage.emplace_back();
      Mapping &mapping = one.mapping;
      mapping.range.begin.value = at += next(2) * 4096;
      mapping.range.end.value = at += next(20) == 0 ? 0 : (next(3) == 0 ? 64ULL << 20U : 4096 * next(4000));
      mapping.readable = next(3) != 0;
      mapping.writable = mapping.readable && next(3) != 0;
      mapping.executable = next(5) == 0;
      mapping.shared = next(6) == 0;
      mapping.path = paths[next(paths.size())];
      mapping.inode = mapping.path.starts_with('/') ? next(4) : 0;
      mapping.deleted = next(5) == 0;
      one.amounts.reserved = mapping.range.size();
      total += one.amounts;
      if (next(3) == 0)
        threads.push_back({static_cast<pid_t>(i), static_cast<pid_t>(i), "t", RunAddress{at - next(5000)}});
    }
    const std::vector<GoMemoryRange> go = {{range(at, at + next(1U << 30)), GoRangeUse::heap_arena},
                                           {range(0xc000000000, ~0ULL), GoRangeUse::stack},
                                           {range(0, next(at + 1)), GoRangeUse::metadata}};
    const std::vector<RunRange> images = {range(next(at + 1), at), range(0, ~0ULL)};
    MappingOwners owners;
    owners.threads = threads;
    if (round % 2 == 0)
      owners.go = go;
    if (round % 3 == 0)
      owners.images = images;
    owners.is_mapped_chunk = [&](RunRange) { return next(2) == 0; };
    const BufferMemory memory;
    if (round % 5 == 0)
      owners.memory = &memory;
    const auto found = classify_mappings(process, "/bin/prog", usage, owners);
    REQUIRE(found.size() == usage.size());
    MemoryAmounts sum;
    for (const ClassifiedMapping &one : found)
      sum += one.usage.amounts;
    CHECK(sum == total);
  }
}

TEST_CASE("kinds are found by their names, however these are written") {
  for (std::size_t i = 0; i < mapping_kind_count; ++i) {
    const auto kind = static_cast<MappingKind>(i);
    CHECK(parse_mapping_kind(mapping_kind_text(kind)).value() == kind);
    CHECK(parse_mapping_kind(mapping_kind_name(kind)).value() == kind);
  }
  CHECK(parse_mapping_kind("Thread-Stack").value() == MappingKind::thread_stack);
  const auto wrong = parse_mapping_kind("thread_stak");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().kind() == ErrorKind::usage);
  CHECK(wrong.error().message().find("thread_stack") != std::string::npos);
}

} // namespace
} // namespace inspect::test
