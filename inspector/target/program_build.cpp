#include "inspector/target/program_build.h"

#include "machine/elf_file.h"

#include <algorithm>
#include <elf.h>
#include <string_view>

namespace inspect {
namespace {

constexpr std::uint64_t max_comment_bytes = 64 << 10;
constexpr std::size_t max_compilers = 64;

/// Strings with a NUL behind each; the linker leaves each compiler's once, some linkers more often.
std::vector<std::string> compilers_in(const ElfFile &file) {
  std::vector<std::string> found;
  const ElfSection *comment = file.section(".comment");
  if (comment == nullptr || comment->type == SHT_NOBITS)
    return found;
  const std::string text = file.bytes(comment->offset, comment->size, max_comment_bytes);
  std::string_view rest = text;
  while (!rest.empty() && found.size() < max_compilers) {
    const std::size_t end = std::min(rest.find('\0'), rest.size());
    const std::string_view one = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!one.empty() && std::ranges::find(found, one) == found.end())
      found.emplace_back(one);
  }
  return found;
}

} // namespace

Result<ProgramBuild> read_program_build(int descriptor) {
  const auto file = ElfFile::read(descriptor);
  if (!file)
    return std::unexpected(file.error());
  ProgramBuild build;
  build.build_id = file->build_id();
  build.compilers = compilers_in(*file);
  build.needed = file->needed_libraries();
  build.dynamic = find_segment(file->segments(), PT_INTERP) != nullptr;
  if (auto go = read_go_build_info(*file))
    build.go = std::move(*go);
  return build;
}

} // namespace inspect
