#include "dwarf/module/load_layout.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/skip.h"

#include <algorithm>

using namespace inspect;

namespace {

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t bias = 0x5555'0000'0000;

Elf64_Phdr load_segment(std::uint64_t offset, std::uint64_t address, std::uint64_t size, unsigned flags) {
  Elf64_Phdr header{};
  header.p_type = PT_LOAD;
  header.p_offset = offset;
  header.p_vaddr = address;
  header.p_filesz = header.p_memsz = size;
  header.p_flags = flags;
  header.p_align = page;
  return header;
}

/// What the kernel's ELF loader maps.
std::vector<MappedSegment> mappings_for(const std::vector<Elf64_Phdr> &headers) {
  std::vector<MappedSegment> mapped;
  for (const Elf64_Phdr &header : headers) {
    if (header.p_type != PT_LOAD || header.p_filesz == 0)
      continue;
    const std::uint64_t begin = bias + header.p_vaddr / page * page;
    const std::uint64_t end = bias + (header.p_vaddr + header.p_filesz + page - 1) / page * page;
    mapped.push_back({{{begin}, {end}}, {header.p_offset / page * page}, (header.p_flags & PF_X) != 0});
  }
  return mapped;
}

} // namespace

TEST_CASE("the load bias is found for what each linker writes") {
  const std::string compiler =
      GENERATE(std::string("gcc"), std::string("gcc -Wl,-z,noseparate-code"), std::string("gcc -fuse-ld=gold"),
               std::string("clang -fuse-ld=lld"), std::string("gcc -Wl,-z,max-page-size=0x200000"));
  if (!test::have_program("clang") || !test::have_program("ld.lld") || !test::have_program("ld.gold"))
    SKIP_TEST("clang, lld or gold is not installed");
  INFO(compiler);
  const test::TemporaryDirectory folder;
  const test::LocalFiles files;
  const auto program =
      test::build(folder, "p.c", "int data = 1; int zero[5000]; int main(void) { return data; }\n", compiler);
  auto image = ElfImage::from_file(std::move(files.open(program)->descriptor), program);
  REQUIRE(image);
  std::vector<MappedSegment> mapped = mappings_for(image->segments());
  CHECK(find_load_bias(image->segments(), mapped) == LoadBias{bias});
  // Only the code, as where other mappings were replaced.
  std::erase_if(mapped, [](const MappedSegment &one) { return !one.executable; });
  CHECK(find_load_bias(image->segments(), mapped) == LoadBias{bias});
}

TEST_CASE("segments that share a file page do not confuse the bias") {
  // lld: the read-only segment ends, and the code starts, in file page 1; in memory they are two pages.
  const std::vector<Elf64_Phdr> headers = {load_segment(0, 0, 0x1634, PF_R),
                                           load_segment(0x1640, 0x2640, 0x1200, PF_R | PF_X),
                                           load_segment(0x2840, 0x4840, 0x300, PF_R | PF_W)};
  CHECK(find_load_bias(headers, mappings_for(headers)) == LoadBias{bias});
  auto code_only = mappings_for(headers);
  code_only.erase(code_only.begin());
  CHECK(find_load_bias(headers, code_only) == LoadBias{bias});
}

TEST_CASE("mappings that mprotect split, and a second mapping of the whole file, do not confuse the bias") {
  const std::vector<Elf64_Phdr> headers = {load_segment(0, 0, 0x2000, PF_R),
                                           load_segment(0x2000, 0x3000, 0x8000, PF_R | PF_X)};
  std::vector<MappedSegment> mapped = {{{{bias}, {bias + 0x2000}}, {0}, false}};
  for (std::uint64_t at = 0; at < 0x8000; at += page)
    mapped.push_back({{{bias + 0x3000 + at}, {bias + 0x4000 + at}}, {0x2000 + at}, at / page % 2 == 1});
  mapped.insert(mapped.begin(), {{{0x1000'0000}, {0x1000'a000}}, {0}, false});
  CHECK(find_load_bias(headers, mapped) == LoadBias{bias});
}

TEST_CASE("a file that explains no mapping has no bias, and impossible headers no ranges") {
  const std::vector<Elf64_Phdr> headers = {load_segment(0, 0, 0x1000, PF_R | PF_X)};
  CHECK_FALSE(find_load_bias(headers, {{{{bias}, {bias + page}}, {0x5000}, true}}));
  CHECK_FALSE(find_load_bias(headers, {}));
  CHECK(
      loaded_ranges({load_segment(0, ~0ull - 10, 0x1000, PF_R), load_segment(0, 0, ~0ull, PF_R)}, LoadBias{}).empty());
}
