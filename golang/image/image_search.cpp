#include "golang/image/image_search.h"

#include "dwarf/raw/elf/elf_image.h"
#include "golang/pclntab/pclntab_header.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace inspect {
namespace {

constexpr std::size_t chunk_size = 1 << 20;
constexpr std::uint64_t max_scanned = std::uint64_t{4} << 30;
// A damaged or hostile file can repeat the magic number everywhere.
constexpr std::size_t max_candidates = 64;
// The first eight bytes but the lowest, which tells the formats apart: the rest of the magic number, the padding, the
// quantum 1 and the pointer size 8.
constexpr std::uint64_t header_word = 0x08010000ffffff00;

bool is_data(const GElf_Phdr &segment, bool writable) {
  return segment.p_type == PT_LOAD && (segment.p_flags & PF_X) == 0 && ((segment.p_flags & PF_W) != 0) == writable;
}

/// A word at a time: the header is aligned.
void search_headers(std::span<const std::byte> bytes, RunAddress begin, std::vector<RunAddress> &found) {
  for (std::size_t at = (8 - begin.value % 8) % 8; at + 8 <= bytes.size() && found.size() < max_candidates; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    if ((word & ~std::uint64_t{0xff}) != header_word)
      continue;
    const auto header = read_pclntab_header(bytes.subspan(at));
    if (header || header.error().kind() == ErrorKind::unsupported)
      found.push_back(begin + at);
  }
}

/// False: `visit` has seen enough.
bool search_range(RunRange range, const MemoryView &memory, const std::vector<RunAddress> &values,
                  const std::function<bool(RunAddress)> &visit) {
  std::vector<std::uint64_t> words(chunk_size / sizeof(std::uint64_t));
  for (RunAddress at = range.begin; at < range.end; at = at + chunk_size) {
    const auto count = std::min<std::uint64_t>(words.size(), (range.end - at) / sizeof(std::uint64_t));
    const auto chunk = std::span(words).first(count);
    if (count == 0 || !memory.read(at, std::as_writable_bytes(chunk)))
      continue;
    for (std::size_t i = 0; i < chunk.size(); ++i)
      if (std::ranges::find(values, RunAddress{chunk[i]}) != values.end() && !visit(at + i * sizeof(std::uint64_t)))
        return false;
  }
  return true;
}

} // namespace

GoSections go_sections(const Module &module) {
  GoSections found;
  for (const ImageSection &section : module.image().sections()) {
    const RunAddress address = module.bias().to_run(LinkAddress{section.header.sh_addr});
    found.any = true;
    if (section.name == ".gopclntab" || section.name == ".data.rel.ro.gopclntab")
      found.pclntab.push_back(address);
    else if (section.name == ".go.module")
      found.module_data.push_back(address);
    else if (section.name != ".go.buildinfo" && section.name != ".note.go.buildid")
      continue;
    found.go = true;
  }
  return found;
}

std::vector<RunAddress> search_pclntab(const Module &module) {
  std::vector<RunAddress> found;
  for (const bool writable : {false, true})
    for (const GElf_Phdr &segment : module.image().segments())
      if (is_data(segment, writable))
        search_headers(module.image().bytes_from(LinkAddress{segment.p_vaddr}),
                       module.bias().to_run(LinkAddress{segment.p_vaddr}), found);
  return found;
}

void search_words(const Module &module, const MemoryView &memory, const std::vector<RunAddress> &values,
                  const std::function<bool(RunAddress)> &visit) {
  if (values.empty())
    return;
  for (const bool writable : {true, false})
    for (const GElf_Phdr &segment : module.image().segments()) {
      if (!is_data(segment, writable))
        continue;
      const RunAddress begin = module.bias().to_run(LinkAddress{(segment.p_vaddr + 7) / 8 * 8});
      const std::uint64_t size = std::min(segment.p_filesz, max_scanned);
      if (!search_range({begin, begin + size}, memory, values, visit))
        return;
    }
}

bool is_packed_by_upx(const Module &module) {
  const auto bytes = module.image().bytes();
  const std::string_view text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  // Behind the program headers, and again in the last bytes of the file.
  constexpr std::size_t near = 512;
  constexpr std::string_view mark = "UPX!";
  return text.substr(0, near).find(mark) != std::string_view::npos ||
         text.substr(text.size() - std::min(text.size(), near)).find(mark) != std::string_view::npos;
}

} // namespace inspect
