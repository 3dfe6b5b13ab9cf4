#include "tests/fuzz/fuzz_module.h"

#include "dwarf/raw/elf/elf_image.h"

#include <algorithm>

namespace inspect::test {
namespace {

class NoFiles final : public FileSource {
public:
  Result<OpenedFile> open(const std::string &path) const override {
    return std::unexpected(Error(ErrorKind::not_found, path + " is not there"));
  }
  Result<OpenedFile> open_here(const std::string &path) const override { return open(path); }
};

const NoFiles no_files;
const BufferMemory no_memory;

std::vector<MappedSegment> segments_of_image(std::string_view elf) {
  const auto image = ElfImage::from_file(fuzz_file(elf), "fuzzed");
  std::vector<MappedSegment> segments;
  constexpr std::uint64_t page = 4095;
  if (image)
    for (const Elf64_Phdr &segment : image->segments())
      if (segment.p_type == PT_LOAD && segments.size() < 64)
        segments.push_back({{{segment.p_vaddr & ~page}, {(segment.p_vaddr + segment.p_filesz + page) & ~page}},
                            {segment.p_offset & ~page},
                            (segment.p_flags & PF_X) != 0});
  std::ranges::sort(segments, {}, [](const MappedSegment &segment) { return segment.range.begin; });
  return segments;
}

} // namespace

std::unique_ptr<Module> open_fuzz_module(std::string_view elf, const MemoryView *memory) {
  ModuleInput input;
  input.path = "fuzzed";
  input.file = OpenedFile{fuzz_file(elf), "fuzzed"};
  input.segments = segments_of_image(elf);
  if (input.segments.empty())
    return nullptr;
  auto module =
      Module::open(std::move(input), memory != nullptr ? *memory : no_memory, no_files, {.debug_directories = {}});
  return module ? std::move(*module) : nullptr;
}

std::unique_ptr<Module> open_fuzz_image(std::string_view elf) {
  constexpr std::uint64_t base = 0x7f00'0000'0000;
  BufferMemory memory;
  memory.add(RunAddress{base}, as_byte_vector(elf));
  ModuleInput input;
  input.path = "gone";
  input.segments = {{{{base}, {base + elf.size()}}, {0}, true}};
  auto module = Module::open(std::move(input), memory, no_files, {.debug_directories = {}});
  return module ? std::move(*module) : nullptr;
}

} // namespace inspect::test
