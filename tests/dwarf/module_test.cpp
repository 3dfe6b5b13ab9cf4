#include "dwarf/elf_image.h"
#include "dwarf/module.h"
#include "tests/dwarf/memory_of_self.h"
#include "tests/support/catch.h"

#include <dlfcn.h>
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

std::string libc_path() {
  const auto found =
      test::own_mappings([](const std::string &path) { return path.find("/libc.so") != std::string::npos; });
  return found.empty() ? std::string() : found.begin()->first;
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
  const std::string path = libc_path();
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
  const std::string path = libc_path();
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
  const std::string path = libc_path();
  auto module = Module::open(input_for(path, mappings_of(path)), memory, files, {});
  REQUIRE(module);
  const RunAddress code{reinterpret_cast<std::uint64_t>(::dlsym(RTLD_DEFAULT, "qsort"))};
  std::array<std::byte, 64> from_file{};
  std::array<std::byte, 64> from_memory{};
  REQUIRE((*module)->file_memory().read(code, from_file));
  REQUIRE(memory.read(code, from_memory));
  CHECK(from_file == from_memory);
  const RunAddress data{reinterpret_cast<std::uint64_t>(::dlsym(RTLD_DEFAULT, "environ"))};
  CHECK_FALSE((*module)->file_memory().read(data, from_file));
}

TEST_CASE("what is no ELF file is refused with a sentence") {
  ModuleInput input = input_for("/etc/passwd", {{{{0x1000}, {0x2000}}, {0}, true}});
  const auto module = Module::open(std::move(input), memory, files, {});
  REQUIRE_FALSE(module);
  CHECK(module.error().kind() == ErrorKind::unsupported);
  CHECK(module.error().message() == "/etc/passwd is not an ELF file");
}
