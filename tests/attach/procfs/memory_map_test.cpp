#include "attach/procfs/memory_map.h"

#include "attach/files/target_files.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/skip.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace inspect {
namespace {

using test::ChildProcess;

void write_file(const std::string &path, const std::string &text) {
  std::ofstream(path) << text;
}

std::string content_of(const OpenedFile &file) {
  char buffer[100];
  const ssize_t count = ::pread(file.descriptor.get(), buffer, sizeof buffer, 0);
  return count < 0 ? "unreadable" : std::string(buffer, static_cast<std::size_t>(count));
}

/// A child that has mapped a file and says where.
ChildProcess child_that_maps(const std::string &path, RunAddress &where) {
  ChildProcess child = ChildProcess::forked([&] {
    const int file = ::open(path.c_str(), O_RDONLY);
    void *place = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, file, 0);
    test::say_line(std::to_string(reinterpret_cast<std::uintptr_t>(place)));
    ::pause();
    return 0;
  });
  where.value = std::stoull(child.read_line());
  return child;
}

TEST_CASE("the lines of a memory map are read, hostile paths included") {
  const auto maps =
      parse_memory_map("00400000-00452000 r-xp 00001000 08:02 173521      /usr/bin/dbus-daemon\n"
                       "7f0000000000-7f0000001000 rw-s 00000000 fd:10 18446744073709551615 /tmp/a b (deleted)\n"
                       "7f0000001000-7f0000002000 ---p 00000000 00:00 0 \n"
                       "7f0000002000-7f0000003000 r--p 00000000 08:02 5   /tmp/new\\012line\n"
                       "7f0000003000-7f0000004000 r--p 00000000 08:02 6   /tmp/back\\134slash\n"
                       "7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]\n"
                       "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n");
  REQUIRE(maps.has_value());
  REQUIRE(maps->size() == 7);
  const auto &m = *maps;
  CHECK(m[0].range == RunRange{{0x400000}, {0x452000}});
  CHECK((m[0].readable && !m[0].writable && m[0].executable && !m[0].shared));
  CHECK(m[0].offset.value == 0x1000);
  CHECK(m[0].device == makedev(8, 2));
  CHECK(m[0].inode == 173521);
  CHECK(m[0].path == "/usr/bin/dbus-daemon");
  CHECK_FALSE(m[0].deleted);
  CHECK((m[1].shared && m[1].deleted));
  CHECK(m[1].path == "/tmp/a b");
  CHECK(m[1].device == makedev(0xfd, 0x10));
  CHECK(m[1].inode == 18446744073709551615ULL);
  CHECK((m[2].path.empty() && !m[2].readable));
  CHECK(m[3].path == "/tmp/new\nline");
  CHECK(m[4].path == "/tmp/back\\134slash");
  CHECK(m[5].path == "[stack]");
  CHECK(m[6].range.begin.value == 0xffffffffff600000ULL);

  CHECK(find_mapping(m, RunAddress{0x3fffff}) == nullptr);
  CHECK(find_mapping(m, RunAddress{0x400000}) == &m[0]);
  CHECK(find_mapping(m, RunAddress{0x451fff}) == &m[0]);
  CHECK(find_mapping(m, RunAddress{0x452000}) == nullptr);
  CHECK(find_mapping(m, RunAddress{0x7f0000001000}) == &m[2]);
  CHECK(find_mapping({}, RunAddress{1}) == nullptr);
}

TEST_CASE("a line of a memory map that is malformed is an error") {
  for (const char *line : {"x", "400000", "400000-", "400000-3000 r-xp 0 0:0 1 /x", "400000-500000 r-", "1-2 r-xp 0 8",
                           "11111111111111111111111-2 r-xp 00000000 08:02 5 x", "1-2 r-xp 0 08:02 x"}) {
    INFO(line);
    CHECK_FALSE(parse_memory_map(line).has_value());
  }
  CHECK(parse_memory_map("").value().empty());
}

TEST_CASE("65,000 lines are parsed completely") {
  std::string text;
  for (unsigned long i = 0; i < 65'000; ++i)
    text += fmt::format("{:x}-{:x} rw-p 00000000 08:02 77                 /usr/lib/libexample.so.{}\n",
                        0x10000 + i * 0x2000, 0x11000 + i * 0x2000, i);
  const auto begin = std::chrono::steady_clock::now();
  const auto maps = parse_memory_map(text);
  const auto took = std::chrono::steady_clock::now() - begin;
  INFO(std::chrono::duration_cast<std::chrono::microseconds>(took).count() << " us");
  REQUIRE(maps.has_value());
  CHECK(maps->size() == 65'000);
  CHECK(maps->back().path == "/usr/lib/libexample.so.64999");
  CHECK(find_mapping(*maps, RunAddress{0x10000 + 64'999 * 0x2000 + 5}) == &maps->back());
}

TEST_CASE("the memory map of a live process holds its stack and its program") {
  ChildProcess child({test::fixture_path("many_threads"), "1", "1"});
  child.wait_for_line();
  const auto maps = read_memory_map(child.pid());
  REQUIRE(maps.has_value());
  CHECK(std::ranges::is_sorted(*maps, {}, [](const Mapping &m) { return m.range.begin; }));
  CHECK(std::ranges::count(*maps, "[stack]", &Mapping::path) == 1);
  const auto program = std::ranges::find(*maps, test::fixture_path("many_threads"), &Mapping::path);
  REQUIRE(program != maps->end());
  struct stat status;
  REQUIRE(stat(program->path.c_str(), &status) == 0);
  CHECK(program->inode == status.st_ino);
  const auto opened = TargetFiles(child.pid()).open_mapped(*program);
  REQUIRE(opened.has_value());
  struct stat opened_status;
  REQUIRE(fstat(opened->descriptor.get(), &opened_status) == 0);
  CHECK(opened_status.st_ino == status.st_ino);
}

TEST_CASE("a deleted or replaced file is never taken for the mapped one") {
  const test::TemporaryDirectory scratch;
  const std::string path = scratch / "odd\nname (deleted)";
  write_file(path, "old");
  RunAddress where;
  const ChildProcess child = child_that_maps(path, where);
  write_file(scratch / "new", "new");
  std::filesystem::rename(scratch / "new", path);
  const auto maps = read_memory_map(child.pid()).value();
  const Mapping *mapping = find_mapping(maps, where);
  REQUIRE(mapping != nullptr);
  CHECK(mapping->deleted);
  CHECK(mapping->path == path);
  const auto opened = TargetFiles(child.pid()).open_mapped(*mapping);
  if (opened)
    CHECK(content_of(*opened) == "old");
  else
    CHECK(opened.error().kind() == ErrorKind::not_found);
  // A list of mappings that is out of date leads to no other file.
  Mapping stale = *mapping;
  stale.inode += 1;
  stale.path = "/nowhere";
  CHECK_FALSE(TargetFiles(child.pid()).open_mapped(stale).has_value());
}

TEST_CASE("a file is opened as the target's root shows it") {
  if (geteuid() != 0)
    SKIP_TEST("chroot needs root");
  const test::TemporaryDirectory scratch;
  std::filesystem::create_directory(scratch / "root");
  write_file(scratch / "root/in", "inside");
  write_file(scratch / "in", "outside");
  std::filesystem::create_symlink("/in", scratch / "root/link");
  std::filesystem::create_symlink(scratch / "in", scratch / "root/escape");
  REQUIRE(mkfifo((scratch / "root/fifo").c_str(), 0600) == 0);
  ChildProcess child = ChildProcess::forked([&] {
    if (chroot((scratch / "root").c_str()) != 0)
      return 1;
    test::say_line("ready");
    pause();
    return 0;
  });
  child.wait_for_line();
  const TargetFiles files(child.pid());
  CHECK(content_of(files.open("/in").value()) == "inside");
  CHECK(content_of(files.open("/link").value()) == "inside");
  CHECK(files.open("/escape").error().kind() == ErrorKind::not_found);
  CHECK(files.open("/fifo").error().kind() == ErrorKind::not_found);
  CHECK(content_of(files.open(scratch / "in").value()) == "outside");
  CHECK(files.open("relative").error().kind() == ErrorKind::not_found);
}

} // namespace
} // namespace inspect
