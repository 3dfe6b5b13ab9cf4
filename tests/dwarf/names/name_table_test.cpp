// Tables of names by the worker and from the cache, and what becomes of damaged ones and of damaged files.
#include "dwarf/names/name_job.h"

#include "dwarf/names/program_names.h"
#include "dwarf/raw/elf/elf_image.h"
#include "dwarf/raw/names/name_spelling.h"
#include "tests/dwarf/dwarf_file.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/this_build.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <sstream>

namespace inspect::test {
namespace {

const LocalFiles files;

NameJob job_of(const std::string &path) {
  auto module = open_file(path, files);
  REQUIRE(module);
  return name_job(**module);
}

UnitIndexOptions with_worker(const std::string &worker, const TemporaryDirectory &cache) {
  UnitIndexOptions options;
  options.worker = worker;
  options.cache_directory = cache.path() + "/cache";
  options.deadline = std::chrono::seconds(60);
  return options;
}

const std::string our_worker = built_program("inspect-dwarfindex");

std::set<std::string> all_of(const NameTable &table) {
  std::set<std::string> all;
  table.all([&](const NameRecord &record) {
    all.insert(fmt::format("{} {} {} {:x} {:x} {}", record.name, static_cast<int>(record.kind),
                           static_cast<int>(record.section), record.die, record.unit, record.flags));
    return true;
  });
  return all;
}

TEST_CASE("the worker makes the same table of names as we do, and the next one comes from the cache") {
  int programs = 0;
  for (const char *program : {"demo_service", "lines_gcc_types", "lines_gcc_dwarf5", "names_dwz", "names_gdb_index",
                              "names_debug_names", "lines_gcc_package4", "lines_clang_package5"}) {
    if (!fixture_exists(program))
      continue;
    INFO(program);
    ++programs;
    const TemporaryDirectory folder;
    const NameJob job = job_of(fixture_path(program));
    const UnitIndexOptions options = with_worker(our_worker, folder);
    const auto here = open_names(job, {});
    const auto made = open_names(job, options, nullptr, 0);
    const auto kept = open_names(job, options, nullptr, 0);
    REQUIRE(here);
    REQUIRE(made);
    REQUIRE(kept);
    CHECK_FALSE(here->by_worker);
    CHECK(made->by_worker);
    CHECK(kept->from_cache);
    CHECK(made->warnings.empty());
    CHECK(here->table.size() > 10);
    CHECK(all_of(here->table) == all_of(made->table));
    CHECK(all_of(here->table) == all_of(kept->table));
  }
  CHECK(programs >= 3);
}

TEST_CASE("every function with code that libdwarf finds in a program is in its table of names") {
  for (const char *program : {"demo_service", "lines_gcc_dwarf4", "lines_gcc_dwarf5", "lines_gcc_types",
                              "lines_gcc_lto", "lines_clang_dwarf5", "lines_rust"}) {
    if (!fixture_exists(program))
      continue;
    INFO(program);
    const auto names = open_names(job_of(fixture_path(program)), {});
    REQUIRE(names);
    std::map<std::uint64_t, std::string> functions; // by the offset of their DIEs
    names->table.all([&](const NameRecord &record) {
      if (record.kind == NameKind::function && record.section == NameSection::info)
        functions.emplace(record.die, record.name);
      return true;
    });
    std::istringstream said(run(built_program("second_reader") + " " + fixture_path(program)));
    std::size_t compared = 0;
    for (std::string line; std::getline(said, line);) {
      std::istringstream words(line);
      std::string kind, name;
      std::uint64_t offset = 0, low = 0;
      if (!(words >> kind >> std::hex >> offset >> low) || kind != "function" || low == 0)
        continue;
      std::getline(words >> std::ws, name);
      if (name.empty())
        continue;
      ++compared;
      INFO(line);
      const auto found = functions.find(offset);
      REQUIRE(found != functions.end());
      CHECK(found->second.ends_with(name));
    }
    CHECK(compared > 5);
  }
}

TEST_CASE("without the worker's help the table of names is made here, and why is said") {
  const TemporaryDirectory folder;
  const NameJob job = job_of(fixture_path("lines_gcc_dwarf5"));
  const auto expected = open_names(job, {});
  REQUIRE(expected);
  for (const char *body : {"exit 1", "kill -9 $$", "echo nonsense >&4", "sleep 60"}) {
    INFO(body);
    UnitIndexOptions options = with_worker(folder.write("worker", fmt::format("#!/bin/sh\n{}\n", body), 0755), folder);
    options.deadline = std::chrono::milliseconds(300);
    const auto names = open_names(job, options, nullptr, 0);
    REQUIRE(names);
    CHECK_FALSE(names->by_worker);
    CHECK(names->warnings.size() == 1);
    CHECK(all_of(names->table) == all_of(expected->table));
  }
  Cancellation cancellation;
  cancellation.request();
  const auto cancelled = open_names(job, with_worker(our_worker, folder), &cancellation, 0);
  REQUIRE_FALSE(cancelled);
  CHECK(cancelled.error().kind() == ErrorKind::cancelled);
  // Split units without a package: the worker may not open their files, and that is no reason to complain.
  if (fixture_exists("lines_gcc_split5")) {
    const auto split =
        open_names(job_of(fixture_path("lines_gcc_split5")), with_worker(our_worker, folder), nullptr, 0);
    REQUIRE(split);
    CHECK(split->warnings.empty());
    CHECK(split->table.size() > 100);
  }
}

std::vector<std::byte> table_bytes() {
  NameTableBuilder builder;
  for (int index = 0; index < 50; ++index) {
    const std::string name = fmt::format("ns::name{}", index);
    builder.add({name, NameKind::function, NameSection::info, name_has_code, std::uint64_t(index), 11, 1});
  }
  return builder.finish({});
}

TEST_CASE("a damaged table of names is refused, and a forged one does no harm") {
  const std::vector<std::byte> sound = table_bytes();
  const auto table = NameTable::of(sound);
  REQUIRE(table);
  CHECK(table->size() == 50);
  int found = 0;
  table->each(name_key("ns::name7", false), [&](const NameRecord &record) { found += record.name == "ns::name7"; });
  CHECK(found == 1);
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::byte> bytes = sound;
    if (round % 3 == 0)
      bytes.resize(random() % bytes.size());
    else
      bytes[random() % bytes.size()] ^= std::byte(1 + random() % 255);
    CHECK_FALSE(NameTable::of(bytes));
    if (bytes.size() != sound.size())
      continue;
    // With a checksum that fits, as somebody who means harm would write it.
    for (int change = 0; change < 20; ++change)
      bytes[sizeof(NameTableHeader) + random() % (bytes.size() - sizeof(NameTableHeader))] = std::byte(random());
    NameTableHeader header;
    std::memcpy(&header, sound.data(), sizeof header);
    header.checksum = name_table_checksum(header, std::span(bytes).subspan(sizeof header));
    std::memcpy(bytes.data(), &header, sizeof header);
    if (const auto forged = NameTable::of(bytes)) {
      std::size_t length = 0;
      forged->all([&](const NameRecord &record) { return (length += record.name.size()) < 1'000'000; });
      CHECK(length < 1'000'000);
    }
  }
}

TEST_CASE("names of a file that is damaged anywhere in its DWARF or its indexes are read to some end") {
  std::mt19937 random(11);
  std::size_t opened = 0;
  for (const char *program : {"names_gcc_types5", "names_dwz", "names_gdb_index", "names_debug_names"}) {
    if (!fixture_exists(program))
      continue;
    const TemporaryDirectory folder;
    const std::string copy = folder.path() + "/program";
    std::ifstream in(fixture_path(program), std::ios::binary);
    const std::vector<char> sound{std::istreambuf_iterator<char>(in), {}};
    std::filesystem::copy_file(fixture_path(program), copy);
    NameJob job = job_of(copy);
    std::vector<std::pair<std::size_t, std::size_t>> sections;
    const auto image = ElfImage::from_file(FileDescriptor(::dup(job.descriptor.get())), copy);
    REQUIRE(image);
    for (const ImageSection &section : image->sections())
      if (section.name.starts_with(".debug_") || section.name == ".gdb_index")
        sections.emplace_back(section.header.sh_offset, section.header.sh_size);
    for (int round = 0; round < 60; ++round) {
      std::vector<char> bytes = sound;
      for (int change = 0; change < 1 << round % 7; ++change) {
        const auto &[offset, size] = sections[random() % sections.size()];
        if (size != 0)
          bytes[offset + random() % size] = static_cast<char>(random());
      }
      std::ofstream(copy, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      ModuleMap modules;
      auto module = open_file(copy, files);
      if (!module)
        continue;
      modules.add(std::move(*module));
      ProgramNames names(modules);
      for (const char *name : {"zoo::Keeper::feed", "walk", "remembered", "main"})
        for (const NameKind kind : {NameKind::function, NameKind::type, NameKind::variable})
          opened += names.find(name, kind).size();
    }
  }
  CHECK(opened > 0);
}

} // namespace
} // namespace inspect::test
