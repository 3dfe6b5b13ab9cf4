#include "dwarf/module/module.h"
#include "dwarf/raw/elf/elf_image.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/dwarf/toolchain.h"
#include "tests/support/catch.h"
#include "tests/support/skip.h"

#include <iterator>
#include <link.h>
#include <sys/auxv.h>

using namespace inspect;

namespace {

const test::OwnMemory memory;
const test::LocalFiles files;

ModuleInput input_for(const std::string &path, std::vector<MappedSegment> segments) {
  ModuleInput input;
  input.path = path;
  if (auto file = files.open(path))
    input.file = std::move(*file);
  input.segments = std::move(segments);
  return input;
}

std::vector<MappedSegment> mappings_of(const std::string &path) {
  auto found = test::own_mappings([&](const std::string &one) { return one == path; });
  return found.empty() ? std::vector<MappedSegment>() : found.begin()->second;
}

} // namespace

TEST_CASE("the load bias of every library is the one the dynamic linker used") {
  const auto mapped = test::own_mappings([](const std::string &path) { return path.starts_with("/"); });
  std::map<std::string, std::uint64_t> truth;
  dl_iterate_phdr(
      [](dl_phdr_info *info, std::size_t, void *to) {
        if (info->dlpi_name != nullptr && info->dlpi_name[0] == '/') {
          char *real = ::realpath(info->dlpi_name, nullptr);
          (*static_cast<std::map<std::string, std::uint64_t> *>(to))[real] = info->dlpi_addr;
          std::free(real);
        }
        return 0;
      },
      &truth);
  std::size_t compared = 0;
  for (const auto &[path, segments] : mapped) {
    if (!truth.contains(path))
      continue;
    auto module = Module::open(input_for(path, segments), memory, files, {});
    INFO(path);
    REQUIRE(module);
    CHECK((*module)->bias().value == truth[path]);
    CHECK_FALSE((*module)->from_memory());
    CHECK_FALSE((*module)->build_id().empty());
    for (const MappedSegment &segment : segments)
      CHECK((*module)->contains(segment.range.begin));
    ++compared;
  }
  CHECK(compared >= 3);
}

TEST_CASE("a module whose file is gone is read from memory") {
  const std::string path = test::libc_path();
  auto from_file = Module::open(input_for(path, mappings_of(path)), memory, files, {});
  ModuleInput gone;
  gone.path = path + " (deleted)";
  gone.segments = mappings_of(path);
  auto module = Module::open(std::move(gone), memory, files, {});
  REQUIRE(from_file);
  REQUIRE(module);
  CHECK((*module)->from_memory());
  CHECK((*module)->bias() == (*from_file)->bias());
  CHECK((*module)->range() == (*from_file)->range());
  CHECK((*module)->build_id() == (*from_file)->build_id());
  CHECK((*module)->take_warnings().empty());
}

TEST_CASE("a file with another build-id than the memory is not believed") {
  const std::string path = test::libc_path();
  const std::string other = "/proc/self/exe";
  ModuleInput input = input_for(path, mappings_of(path));
  input.file = std::move(*files.open(other));
  auto module = Module::open(std::move(input), memory, files, {});
  REQUIRE(module);
  CHECK((*module)->from_memory());
  const auto warnings = (*module)->take_warnings();
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("is not what is mapped") != std::string::npos);
  CHECK((*module)->take_warnings().empty());
}

TEST_CASE("without build-ids a file is compared with the memory by its headers") {
  const test::TemporaryDirectory mapped_folder;
  const test::TemporaryDirectory other_folder;
  const std::string flags = "gcc -Wl,--build-id=none -Wl,-z,separate-code";
  const auto mapped = test::build(mapped_folder, "m.c", "int main(void) { return 0; }\n", flags);
  const auto other = test::build(other_folder, "m.c",
                                 "int f(int x) { return x; } int main(void) { return f(3); }\n"
                                 "int more[3000] = {1};\n",
                                 flags);
  std::ifstream file(mapped, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  auto image = ElfImage::from_file(std::move(files.open(mapped)->descriptor), mapped);
  REQUIRE(image);
  BufferMemory loaded;
  std::vector<MappedSegment> segments;
  const std::uint64_t base = 0x555500000000;
  for (const Elf64_Phdr &header : image->segments()) {
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) != 0)
      continue;
    const auto part = image->bytes_at(header.p_offset, header.p_filesz);
    loaded.add(RunAddress{base + header.p_vaddr}, {part.begin(), part.end()});
    segments.push_back({{{base + header.p_vaddr}, {base + ((header.p_vaddr + header.p_filesz + 4095) & ~4095ull)}},
                        {header.p_offset},
                        (header.p_flags & PF_X) != 0});
  }
  ModuleInput same = input_for(mapped, segments);
  auto believed = Module::open(std::move(same), loaded, files, {});
  REQUIRE(believed);
  CHECK_FALSE((*believed)->from_memory());
  CHECK((*believed)->bias().value == base);
  ModuleInput replaced = input_for(other, segments);
  auto refused = Module::open(std::move(replaced), loaded, files, {});
  REQUIRE(refused);
  CHECK((*refused)->from_memory());
  CHECK((*refused)->bias().value == base);
  const auto warnings = (*refused)->take_warnings();
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("is not what is mapped") != std::string::npos);
}

TEST_CASE("a module read from memory has its debug file by build-id") {
  const std::string path = test::libc_path();
  auto from_file = Module::open(input_for(path, mappings_of(path)), memory, files, {});
  REQUIRE(from_file);
  if ((*from_file)->dwarf() == nullptr)
    SKIP_TEST("libc6-dbg is not installed");
  ModuleInput gone;
  gone.path = path + " (deleted)";
  gone.segments = mappings_of(path);
  auto module = Module::open(std::move(gone), memory, files, {});
  REQUIRE(module);
  CHECK((*module)->dwarf() != nullptr);
  CHECK((*module)->debug_info_reason() == (*from_file)->debug_info_reason());
  CHECK((*module)->debug_offset() == 0);
}

TEST_CASE("the vDSO is read from memory with its section headers") {
  const auto mapped = mappings_of("[vdso]");
  REQUIRE(!mapped.empty());
  ModuleInput input;
  input.path = "[vdso]";
  input.segments = mapped;
  auto module = Module::open(std::move(input), memory, files, {});
  REQUIRE(module);
  CHECK((*module)->range().begin.value == ::getauxval(AT_SYSINFO_EHDR));
  CHECK((*module)->name() == "[vdso]");
  CHECK((*module)->image().section(".dynsym").has_value());
  CHECK((*module)->image().section(".eh_frame").has_value());
}

TEST_CASE("a file's read-only bytes are the target's, without asking the target") {
  const std::string path = test::libc_path();
  auto module = Module::open(input_for(path, mappings_of(path)), memory, files, {});
  REQUIRE(module);
  const RunAddress code{reinterpret_cast<std::uint64_t>(test::libc_symbol("qsort"))};
  std::array<std::byte, 64> from_file{};
  std::array<std::byte, 64> from_memory{};
  REQUIRE((*module)->file_memory().read(code, from_file));
  REQUIRE(memory.read(code, from_memory));
  CHECK(from_file == from_memory);
  const RunAddress data{reinterpret_cast<std::uint64_t>(test::libc_symbol("environ"))};
  CHECK_FALSE((*module)->file_memory().read(data, from_file));
}

TEST_CASE("what is not an ELF file is refused with a sentence") {
  ModuleInput input = input_for("/etc/passwd", {{{{0x1000}, {0x2000}}, {0}, true}});
  const auto module = Module::open(std::move(input), memory, files, {});
  REQUIRE_FALSE(module);
  CHECK(module.error().kind() == ErrorKind::unsupported);
  CHECK(module.error().message() == "/etc/passwd is not an ELF file");
}
