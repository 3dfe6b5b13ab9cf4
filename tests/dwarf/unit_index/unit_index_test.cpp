#include "dwarf/unit_index/unit_index.h"

#include "machine/file_descriptor.h"
#include "tests/dwarf/built_programs.h"
#include "tests/support/catch.h"
#include "tests/support/child_process.h"
#include "tests/support/skip.h"
#include "tests/support/this_build.h"

#include <algorithm>
#include <cstring>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sys/stat.h>

namespace inspect::test {
namespace {

const std::string worker_path = built_program("inspect-dwarfindex");

UnitIndexOptions without_cache() {
  UnitIndexOptions options;
  options.worker = worker_path;
  options.deadline = std::chrono::seconds(60);
  return options;
}

UnitIndexOptions cached_in(const std::string &directory) {
  UnitIndexOptions options = without_cache();
  options.cache_directory = directory;
  return options;
}

FileDescriptor open_file(const std::string &path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(file);
  return file;
}

/// What libdw says of every unit, empty ranges and those outside the executable segments left out.
std::vector<UnitIndexRecord> ranges_by_libdw(const std::string &path) {
  const FileDescriptor file = open_file(path);
  Dwarf *dwarf = dwarf_begin(file.get(), DWARF_C_READ);
  REQUIRE(dwarf != nullptr);
  std::vector<UnitIndexRecord> records;
  Dwarf_CU *unit = nullptr;
  Dwarf_Die root;
  while (dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &root, nullptr) == 0) {
    Dwarf_Addr base = 0, low = 0, high = 0;
    for (ptrdiff_t next = 0; (next = dwarf_ranges(&root, next, &base, &low, &high)) > 0;)
      if (low < high && low >= 0x1000) // where linkers leave discarded functions: no fixture has code down there
        records.push_back({low, high, dwarf_dieoffset(&root)});
  }
  dwarf_end(dwarf);
  std::ranges::sort(records);
  return records;
}

void check_index_of(const std::string &path) {
  INFO(path);
  const FileDescriptor file = open_file(path);
  const auto index = UnitIndex::open(file.get(), {}, without_cache());
  INFO((index ? std::string() : index.error().message()));
  REQUIRE(index.has_value());
  const std::vector<UnitIndexRecord> expected = ranges_by_libdw(path);
  REQUIRE_FALSE(expected.empty());
  CHECK(std::ranges::equal(index->records(), expected));
  CHECK(index->unit_ranges().size() == expected.size());
}

std::vector<std::byte> bytes_of_index(UnitIndexHeader header, const std::vector<UnitIndexRecord> &records) {
  header.record_count = records.size();
  header.debug_info_size = 0x1000;
  header.checksum = unit_index_checksum(header, records);
  std::vector<std::byte> bytes(sizeof header + records.size() * sizeof(UnitIndexRecord));
  std::memcpy(bytes.data(), &header, sizeof header);
  if (!records.empty())
    std::memcpy(bytes.data() + sizeof header, records.data(), records.size() * sizeof(UnitIndexRecord));
  return bytes;
}

std::string reason(const Result<UnitIndex> &index) {
  return index ? "accepted" : index.error().message();
}

/// A worker that does something else: a shell script.
UnitIndexOptions with_worker_script(const TemporaryDirectory &folder, std::string_view body) {
  UnitIndexOptions options = without_cache();
  options.worker = folder.write("worker", fmt::format("#!/bin/sh\n{}\n", body), 0755);
  return options;
}

TEST_CASE("the index has exactly the ranges that libdw finds in the units") {
  check_index_of(fixture_path("demo_service"));
  check_index_of(built_program("test_dwarf"));
  for (const char *compiler :
       {"g++ -O2 -g", "g++ -O2 -g -gdwarf-4", "g++ -O2 -g -gz", "g++ -O2 -g -gsplit-dwarf",
        "g++ -O2 -g -gsplit-dwarf -gdwarf-4", "g++ -O2 -g -ffunction-sections -Wl,--gc-sections", "g++ -g -no-pie"}) {
    const TemporaryDirectory folder;
    check_index_of(build_program(folder, compiler));
  }
}

TEST_CASE("units that .debug_aranges does not name are in the index: clang") {
  if (!have_program("clang++"))
    SKIP_TEST("clang++ is not installed");
  for (const char *flags : {"clang++ -O2 -g", "clang++ -O2 -g -gdwarf-4", "clang++ -O2 -g -gsplit-dwarf"}) {
    const TemporaryDirectory folder;
    check_index_of(build_program(folder, flags));
  }
}

TEST_CASE("units that .debug_aranges does not name are in the index: rustc") {
  if (!have_program("rustc"))
    SKIP_TEST("rustc is not installed");
  const TemporaryDirectory folder;
  const std::string source = folder.write("main.rs", "fn main() { println!(\"{:?}\", std::env::args().count()); }\n");
  const std::string program = folder.path() + "/program";
  const CommandResult built = run_command({"rustc", "-g", "-O", source, "-o", program});
  if (built.status != 0)
    SKIP_TEST("rustc does not work here");
  check_index_of(program);
}

TEST_CASE("units that have no ranges of their own are taken from .debug_aranges: an assembler's") {
  const TemporaryDirectory folder;
  folder.write("code.s", ".text\n.globl main\nmain:\n xor %eax, %eax\n ret\n.section .note.GNU-stack\n");
  const std::string program = folder.path() + "/program";
  REQUIRE(run_command({"gcc", "-g", folder.path() + "/code.s", "-o", program}).status == 0);
  check_index_of(program);
}

TEST_CASE("an index is kept, found again, and remade when it is damaged or the file has changed") {
  const TemporaryDirectory folder;
  const std::string cache = folder.path() + "/nested/cache";
  const std::vector<std::uint8_t> build_id{0xab, 0xcd};
  const FileDescriptor file = open_file(build_program(folder, "g++ -O1 -g"));
  const auto made = UnitIndex::open(file.get(), build_id, cached_in(cache));
  REQUIRE(made.has_value());
  CHECK_FALSE(made->from_cache());
  CHECK(made->cache_problem() == "");
  const auto entries = [&] {
    std::vector<std::filesystem::path> paths;
    for (const auto &entry : std::filesystem::directory_iterator(cache))
      paths.push_back(entry.path());
    return paths;
  };
  REQUIRE(entries().size() == 1);
  const std::string entry = entries().front().string();
  CHECK(entry.ends_with(".units"));
  CHECK(entry.find("abcd-") != std::string::npos);
  struct stat status {};
  REQUIRE(::stat(entry.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);

  const auto again = UnitIndex::open(file.get(), build_id, cached_in(cache));
  REQUIRE(again.has_value());
  CHECK(again->from_cache());
  CHECK(std::ranges::equal(again->records(), made->records()));

  SECTION("a flipped byte") {
    std::fstream damaged(entry, std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(140);
    damaged.put('\x5a');
  }
  SECTION("a truncated file") {
    std::filesystem::resize_file(entry, 150);
  }
  SECTION("an empty file") {
    std::filesystem::resize_file(entry, 0);
  }
  SECTION("a symbolic link in its place") {
    std::filesystem::rename(entry, folder.path() + "/elsewhere");
    std::filesystem::create_symlink(folder.path() + "/elsewhere", entry);
  }
  SECTION("an index of another file under its name") {
    const TemporaryDirectory other_folder;
    const FileDescriptor other = open_file(build_program(other_folder, "g++ -O2 -g3"));
    REQUIRE(UnitIndex::open(other.get(), build_id, cached_in(other_folder.path() + "/cache")).has_value());
    const auto theirs = std::filesystem::directory_iterator(other_folder.path() + "/cache")->path();
    std::filesystem::copy_file(theirs, entry, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::permissions(entry, std::filesystem::perms(0600));
  }
  const auto remade = UnitIndex::open(file.get(), build_id, cached_in(cache));
  REQUIRE(remade.has_value());
  CHECK_FALSE(remade->from_cache());
  CHECK(std::ranges::equal(remade->records(), made->records()));
  CHECK(UnitIndex::open(file.get(), build_id, cached_in(cache))->from_cache());
  CHECK(entries().size() == 1);
}

TEST_CASE("a file without a build-id is known by its inode, size and time") {
  const TemporaryDirectory folder;
  const std::string cache = folder.path() + "/cache";
  const std::string program = build_program(folder, "g++ -O1 -g -Wl,--build-id=none");
  const FileDescriptor file = open_file(program);
  REQUIRE_FALSE(UnitIndex::open(file.get(), {}, cached_in(cache))->from_cache());
  REQUIRE(UnitIndex::open(file.get(), {}, cached_in(cache))->from_cache());
  std::filesystem::last_write_time(program, std::filesystem::last_write_time(program) + std::chrono::seconds(1));
  CHECK_FALSE(UnitIndex::open(file.get(), {}, cached_in(cache))->from_cache());
}

TEST_CASE("the cache stays within its bound, the longest unused go first, and the leftovers of dead runs go too") {
  const TemporaryDirectory folder;
  const std::string cache = folder.path() + "/cache";
  std::filesystem::create_directory(cache);
  std::filesystem::permissions(cache, std::filesystem::perms(0700));
  const auto put = [&](const char *name, int hours_ago) {
    std::ofstream(cache + "/" + name) << std::string(5000, 'x');
    std::filesystem::last_write_time(cache + "/" + name,
                                     std::filesystem::file_time_type::clock::now() - std::chrono::hours(hours_ago));
  };
  put("oldest.units", 9);
  put("older.units", 5);
  put("old.units", 3);
  put("abandoned.part", 2);
  put("fresh.part", 0);
  put("unrelated", 20);
  UnitIndexOptions options = cached_in(cache);
  options.max_cache_size = 11'000;
  const FileDescriptor file = open_file(build_program(folder, "g++ -O1 -g"));
  REQUIRE(UnitIndex::open(file.get(), {}, options).has_value());
  const auto there = [&](const char *name) { return std::filesystem::exists(cache + "/" + name); };
  CHECK_FALSE(there("oldest.units"));
  CHECK(there("older.units"));
  CHECK(there("old.units"));
  CHECK_FALSE(there("abandoned.part"));
  CHECK(there("fresh.part"));
  CHECK(there("unrelated"));
  CHECK(UnitIndex::open(file.get(), {}, options)->from_cache());
}

TEST_CASE("a cache folder that others can write is not used, and the index is made all the same") {
  const TemporaryDirectory folder;
  const FileDescriptor file = open_file(build_program(folder, "g++ -O1 -g"));
  const std::string cache = folder.path() + "/cache";
  std::filesystem::create_directory(cache);
  std::filesystem::permissions(cache, std::filesystem::perms(0777));
  const auto index = UnitIndex::open(file.get(), {}, cached_in(cache));
  REQUIRE(index.has_value());
  CHECK(index->cache_problem().find("another user") != std::string::npos);
  CHECK(std::filesystem::is_empty(cache));
  const auto nowhere = UnitIndex::open(file.get(), {}, cached_in("/proc/inspect-cache"));
  REQUIRE(nowhere.has_value());
  CHECK(nowhere->cache_problem() != "");
}

TEST_CASE("an index that contradicts itself is refused") {
  const UnitIndexRecord first{0x1000, 0x1100, 0xc}, second{0x1100, 0x1200, 0x50}, nested{0x1000, 0x1080, 0x50};
  CHECK(reason(UnitIndex::parse(bytes_of_index({}, {first, second}))) == "accepted");
  CHECK(reason(UnitIndex::parse(bytes_of_index({}, {}))) == "accepted");
  // Overlaps are what linkers make by folding functions; the shortest range wins later.
  CHECK(reason(UnitIndex::parse(bytes_of_index({}, {nested, first, second}))) == "accepted");
  CHECK(reason(UnitIndex::parse(bytes_of_index({}, {second, first}))) == "the index is not in order");
  const std::string impossible = "the index has an impossible range";
  CHECK(reason(UnitIndex::parse(bytes_of_index({}, {{0x2000, 0x1000, 0xc}}))).starts_with(impossible));
  CHECK(reason(UnitIndex::parse(bytes_of_index({}, {{0x2000, 0x2000, 0xc}}))).starts_with(impossible));
  CHECK(reason(UnitIndex::parse(bytes_of_index({}, {{0x2000, 0x3000, 0x1000}}))).starts_with(impossible));

  std::vector<std::byte> bytes = bytes_of_index({}, {first, second});
  CHECK(reason(UnitIndex::parse(std::span(bytes).first(100))) == "the index is shorter than its header");
  CHECK(reason(UnitIndex::parse(std::span(bytes).first(bytes.size() - 1))) ==
        "the index has another length than it says");
  bytes.push_back(std::byte{0});
  CHECK(reason(UnitIndex::parse(bytes)) == "the index has another length than it says");
  bytes.pop_back();
  bytes.back() = std::byte{1};
  CHECK(reason(UnitIndex::parse(bytes)) == "the index has a wrong checksum");
  UnitIndexHeader header;
  header.magic = 1;
  CHECK(reason(UnitIndex::parse(bytes_of_index(header, {}))) == "the index does not begin as one");
  header = {};
  header.version = 2;
  CHECK(reason(UnitIndex::parse(bytes_of_index(header, {}))) == "the index is of another version or byte order");
  header = {};
  header.build_id_size = 65;
  CHECK(reason(UnitIndex::parse(bytes_of_index(header, {}))) == "the index claims more than an index can hold");
  bytes = bytes_of_index({}, {first});
  const std::uint64_t many = ~0ULL / sizeof(UnitIndexRecord);
  std::memcpy(bytes.data() + offsetof(UnitIndexHeader, record_count), &many, sizeof many);
  CHECK(reason(UnitIndex::parse(bytes)) == "the index claims more than an index can hold");
}

TEST_CASE("a worker that is missing, fails, crashes, lies or never ends is an error with its reason") {
  const TemporaryDirectory folder;
  const FileDescriptor file = open_file(build_program(folder, "g++ -O1 -g"));
  const auto open_with = [&](const UnitIndexOptions &options) { return UnitIndex::open(file.get(), {}, options); };
  UnitIndexOptions options = without_cache();
  options.worker = "";
  CHECK(open_with(options).error().kind() == ErrorKind::not_found);
  options.worker = folder.path() + "/no-such-program";
  CHECK(open_with(options).error().kind() == ErrorKind::not_found);
  CHECK(reason(open_with(with_worker_script(folder, "echo it is broken >&2; exit 1"))) == "it is broken");
  CHECK(reason(open_with(with_worker_script(folder, "exit 7"))) == "inspect-dwarfindex failed with 7");
  CHECK(reason(open_with(with_worker_script(folder, "kill -SEGV $$")))
            .starts_with("inspect-dwarfindex ended by signal 11"));
  CHECK(reason(open_with(with_worker_script(folder, "exit 0"))) == "the index is shorter than its header");
  CHECK(reason(open_with(with_worker_script(folder, "head -c 4096 /dev/zero >&4"))) ==
        "the index does not begin as one");
  CHECK(reason(open_with(with_worker_script(folder, "yes | head -c 1000000 >&2; exit 1"))) == "y");
  options = with_worker_script(folder, "exec sleep 1000");
  options.deadline = std::chrono::milliseconds(50);
  CHECK(open_with(options).error().kind() == ErrorKind::timed_out);
  options = with_worker_script(folder, "exec >&- 2>&-; exec sleep 1000");
  options.deadline = std::chrono::milliseconds(50);
  CHECK(open_with(options).error().kind() == ErrorKind::timed_out);
  // Whatever went wrong, nothing is kept of it.
  options = with_worker_script(folder, "echo garbage >&4");
  options.cache_directory = folder.path() + "/cache";
  CHECK_FALSE(open_with(options).has_value());
  CHECK(std::filesystem::is_empty(folder.path() + "/cache"));
}

TEST_CASE("the index of another file is refused even when it is sound") {
  const TemporaryDirectory folder;
  const FileDescriptor file = open_file(build_program(folder, "g++ -O1 -g"));
  const std::vector<std::byte> sound = bytes_of_index({}, {{0x1000, 0x1100, 0xc}});
  const std::string copy =
      folder.write("sound", std::string_view(reinterpret_cast<const char *>(sound.data()), sound.size()));
  CHECK(reason(UnitIndex::open(file.get(), {}, with_worker_script(folder, "cat " + copy + " >&4"))) ==
        "the index belongs to another file");
}

std::string contents(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_CASE("files that are not ELF, have no DWARF, are cut short or damaged end in a reason, never in a hang") {
  const TemporaryDirectory folder;
  const std::string program = build_program(folder, "g++ -O1 -g");
  const std::string whole = contents(program);
  const auto index_of = [&](const std::string &content) {
    const FileDescriptor file = open_file(folder.write("damaged", content));
    return UnitIndex::open(file.get(), {}, without_cache());
  };
  CHECK(reason(index_of("")) == "the file is not an ELF file");
  CHECK(reason(index_of("#!/bin/sh\n")) == "the file is not an ELF file");
  CHECK_FALSE(index_of(whole.substr(0, 64)).has_value());
  CHECK_FALSE(index_of(whole.substr(0, whole.size() / 2)).has_value());
  const TemporaryDirectory plain;
  const FileDescriptor without_dwarf = open_file(build_program(plain, "g++ -O1 -s"));
  CHECK(reason(UnitIndex::open(without_dwarf.get(), {}, without_cache())) == "the file has no DWARF");
  // Damage all over the file: an index or a reason, and an index only when it is sound.
  int failed = 0;
  for (std::size_t seed = 1; seed <= 40; ++seed) {
    std::string damaged = whole;
    for (std::size_t step = 0; step < 200; ++step)
      damaged[64 + (seed * 7919 + step * 104'729 * seed) % (damaged.size() - 64)] ^= static_cast<char>(1 + step % 255);
    failed += index_of(damaged).has_value() ? 0 : 1;
  }
  CHECK(failed > 0);
}

TEST_CASE("the worker has given up its rights by the time it has read the file") {
  if (has_address_sanitizer())
    SKIP_TEST("the sanitizer's own system calls rule the filter out");
  const TemporaryDirectory folder;
  const std::string program = build_program(folder, "g++ -O1 -g");
  // A full pipe stops the worker at its first write.
  const std::string pipe = folder.path() + "/pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const FileDescriptor ours(::open(pipe.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  REQUIRE(ours);
  const std::string filling(4096, 'x');
  while (::write(ours.get(), filling.data(), filling.size()) > 0) {
  }
  const ChildProcess worker(
      {"/bin/sh", "-c",
       fmt::format("exec 3<{} 4<>{} 5</etc/passwd; exec {} --fd 3 --output-fd 4", program, pipe, worker_path)});
  const std::string process = fmt::format("/proc/{}", worker.pid());
  const auto status_has = [&](const std::string &line) {
    return contents(process + "/status").find("\n" + line + "\n") != std::string::npos;
  };
  REQUIRE(wait_until([&] { return status_has("Seccomp:\t2"); }));
  CHECK(status_has("NoNewPrivs:\t1"));
  CHECK(status_has("CapEff:\t0000000000000000"));
  if (::geteuid() == 0)
    CHECK(status_has("Uid:\t65534\t65534\t65534\t65534"));
  CHECK(contents(process + "/limits").find("Max core file size        0                    0") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(std::filesystem::symlink_status(process + "/fd/5")));
  CHECK(std::filesystem::exists(std::filesystem::symlink_status(process + "/fd/3")));
}

} // namespace
} // namespace inspect::test
