#include "dwarf/module/memory_image.h"
#include "dwarf/module/load_layout.h"
#include "machine/cancellation_point.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::uint64_t image_page = 4096;
constexpr std::uint64_t max_image_size = 512ull << 20;

struct Headers {
  ElfHeaders elf;
  LoadBias bias;
};

Error no_image(const std::string &path, std::string_view why) {
  return Error(ErrorKind::not_found, fmt::format("the image of {} in memory cannot be used: {}", path, why));
}

Result<Headers> read_headers(const std::string &path, RunAddress at, const MemoryView &memory) {
  auto headers = read_elf_headers(
      [&](FileOffset offset, std::span<std::byte> into) { return memory.read(at + offset.value, into); });
  if (!headers && headers.error().kind() == ErrorKind::unreadable)
    return std::unexpected(headers.error().while_doing(fmt::format("reading the image of {} from memory", path)));
  if (!headers)
    return std::unexpected(no_image(path, headers.error().message()));
  if (!headers->is_64_bit())
    return std::unexpected(Error(ErrorKind::unsupported, fmt::format("{} is a 32-bit image", path)));
  for (const Elf64_Phdr &segment : headers->segments)
    if (segment.p_type == PT_LOAD && segment.p_offset < image_page)
      return Headers{std::move(*headers), LoadBias{at.value - (segment.p_vaddr - segment.p_offset)}};
  return std::unexpected(no_image(path, "no segment holds its headers"));
}

/// Bytes of the file that the image must hold; 0 where the headers are malformed or ask for too much.
std::uint64_t image_size(const Headers &headers) {
  std::uint64_t size = 0;
  for (const Elf64_Phdr &segment : headers.elf.segments) {
    if (segment.p_type != PT_LOAD || segment.p_filesz == 0)
      continue;
    if (segment.p_offset > max_image_size || segment.p_filesz > max_image_size - segment.p_offset)
      return 0;
    size = std::max(size, segment.p_offset + segment.p_filesz);
  }
  return size;
}

/// Copies what is readable; the rest stays zero.
void copy_readable(const MemoryView &memory, RunAddress from, std::span<std::byte> into) {
  constexpr std::size_t chunk = 1 << 20;
  std::size_t done = 0;
  while (done < into.size()) {
    cancellation_point();
    const std::size_t wanted = std::min(chunk, into.size() - done);
    if (!memory.read(from + done, into.subspan(done, wanted))) {
      std::size_t inside = 0;
      while (inside < wanted) {
        const RunAddress at = from + done + inside;
        const std::size_t part = std::min<std::size_t>(image_page - at.value % image_page, wanted - inside);
        if (!memory.read(at, into.subspan(done + inside, part)))
          std::memset(into.data() + done + inside, 0, part);
        inside += part;
      }
    }
    done += wanted;
  }
}

/// The bytes of the file after the last segment that lie in the same page are mapped with it. The vDSO keeps its
/// section headers there (tests/dwarf/module/module_test.cpp, "the vDSO").
std::uint64_t mapped_size(std::uint64_t size, const std::vector<MappedSegment> &mapped) {
  for (const MappedSegment &segment : mapped) {
    const std::uint64_t begin = segment.offset.value;
    if (segment.executable && begin < size && segment.range.size() <= max_image_size &&
        size < begin + segment.range.size() && begin + segment.range.size() - size <= 16 * image_page)
      return begin + segment.range.size();
  }
  return size;
}

/// Section headers that were not mapped would be read from whatever lies there: believed only where the section names'
/// header is among them and what it should be.
void drop_missing_section_headers(std::byte *image, std::uint64_t loaded_end) {
  Elf64_Ehdr header;
  std::memcpy(&header, image, sizeof header);
  const std::uint64_t size = std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr);
  if (header.e_shentsize == sizeof(Elf64_Shdr) && header.e_shstrndx < header.e_shnum && header.e_shoff != 0 &&
      header.e_shoff <= loaded_end && size <= loaded_end - header.e_shoff) {
    Elf64_Shdr names;
    std::memcpy(&names, image + header.e_shoff + header.e_shstrndx * sizeof names, sizeof names);
    if (names.sh_type == SHT_STRTAB && names.sh_offset < loaded_end)
      return;
  }
  header.e_shoff = 0;
  header.e_shnum = 0;
  header.e_shstrndx = 0;
  std::memcpy(image, &header, sizeof header);
}

Result<MemoryImage> assemble(const std::string &path, const Headers &headers, const std::vector<MappedSegment> &mapped,
                             const MemoryView &memory) {
  const std::uint64_t loaded = image_size(headers);
  if (loaded < sizeof(Elf64_Ehdr))
    return std::unexpected(no_image(path, "its segments are malformed"));
  const std::uint64_t size = mapped_size(loaded, mapped);
  LazyBytes bytes(static_cast<std::byte *>(std::calloc(size, 1)));
  if (!bytes)
    return std::unexpected(no_image(path, "not enough memory for a copy"));
  for (const Elf64_Phdr &segment : headers.elf.segments) {
    if (segment.p_type != PT_LOAD || segment.p_filesz == 0)
      continue;
    const bool ends_image = segment.p_offset + segment.p_filesz == loaded && (segment.p_flags & PF_X) != 0;
    const std::uint64_t wanted = ends_image ? size - segment.p_offset : segment.p_filesz;
    copy_readable(memory, headers.bias.to_run(LinkAddress{segment.p_vaddr}), {bytes.get() + segment.p_offset, wanted});
  }
  std::memcpy(bytes.get(), &headers.elf.file, sizeof headers.elf.file);
  drop_missing_section_headers(bytes.get(), size);
  auto image = ElfImage::from_bytes(std::move(bytes), size, path);
  if (!image)
    return std::unexpected(image.error());
  return MemoryImage{std::move(*image), headers.bias};
}

} // namespace

Result<MemoryImage> read_memory_image(const std::string &path, const std::vector<MappedSegment> &segments,
                                      const MemoryView &memory) {
  Error last = no_image(path, "its first page is not mapped");
  // A process can map the file another time, as data; the copy whose headers explain most mappings is the loaded one.
  std::optional<Headers> best;
  std::size_t best_explained = 0;
  for (const MappedSegment &segment : segments) {
    if (segment.offset.value != 0)
      continue;
    auto headers = read_headers(path, segment.range.begin, memory);
    if (!headers) {
      last = headers.error();
      continue;
    }
    const std::size_t explained = count_explained(headers->elf.segments, headers->bias, segments);
    if (!best || explained > best_explained) {
      best = std::move(*headers);
      best_explained = explained;
    }
  }
  if (!best)
    return std::unexpected(last);
  return assemble(path, *best, segments, memory);
}

} // namespace inspect
