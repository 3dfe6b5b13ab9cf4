#include "dwarf/raw/elf/elf_image.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>

namespace inspect {
namespace {

// More program headers than any loader accepts (the kernel takes 64 KiB of them, binfmt_elf.c) are a corrupt file.
constexpr std::size_t max_segments = 2048;

void initialise_libelf() {
  static const unsigned version = elf_version(EV_CURRENT);
  static_cast<void>(version);
}

std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

} // namespace

void FreeDeleter::operator()(std::byte *bytes) const {
  std::free(bytes);
}

std::vector<std::uint8_t> find_build_id(std::span<const std::byte> notes, std::uint64_t alignment) {
  // gABI says 8 for 64-bit files, everybody writes 4, and .note.gnu.property really has 8.
  const std::uint64_t step = alignment == 8 ? 8 : 4;
  std::uint64_t at = 0;
  while (at + sizeof(GElf_Nhdr) <= notes.size()) {
    GElf_Nhdr note;
    std::memcpy(&note, notes.data() + at, sizeof note);
    const std::uint64_t name = at + sizeof note;
    const std::uint64_t description = at + align_up(sizeof note + note.n_namesz, step);
    const std::uint64_t end = description + note.n_descsz;
    if (end > notes.size())
      break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof ELF_NOTE_GNU &&
        std::memcmp(notes.data() + name, ELF_NOTE_GNU, sizeof ELF_NOTE_GNU) == 0 && note.n_descsz > 0) {
      const auto *first = reinterpret_cast<const std::uint8_t *>(notes.data()) + description;
      return {first, first + note.n_descsz};
    }
    at = align_up(end, step);
  }
  return {};
}

Result<ElfImage> ElfImage::from_file(FileDescriptor descriptor, const std::string &path) {
  initialise_libelf();
  ElfImage image;
  image.descriptor_ = std::move(descriptor);
  image.elf_.reset(elf_begin(image.descriptor_.get(), ELF_C_READ_MMAP, nullptr));
  if (!image.elf_)
    return std::unexpected(
        Error(ErrorKind::corrupt, fmt::format("{} cannot be read as ELF: {}", path, elf_errmsg(-1))));
  return check(std::move(image), path);
}

Result<ElfImage> ElfImage::from_bytes(LazyBytes bytes, std::size_t size, const std::string &path) {
  initialise_libelf();
  ElfImage image;
  image.owned_bytes_ = std::move(bytes);
  image.elf_.reset(elf_memory(reinterpret_cast<char *>(image.owned_bytes_.get()), size));
  if (!image.elf_)
    return std::unexpected(
        Error(ErrorKind::corrupt, fmt::format("{} cannot be read as ELF: {}", path, elf_errmsg(-1))));
  return check(std::move(image), path);
}

Result<ElfImage> ElfImage::check(ElfImage image, const std::string &path) {
  Elf *elf = image.elf_.get();
  if (elf_kind(elf) != ELF_K_ELF)
    return std::unexpected(Error(ErrorKind::unsupported, fmt::format("{} is not an ELF file", path)));
  if (gelf_getclass(elf) == ELFCLASS32)
    return std::unexpected(Error(ErrorKind::unsupported, fmt::format("{} is a 32-bit file", path)));
  if (gelf_getehdr(elf, &image.header_) == nullptr)
    return std::unexpected(
        Error(ErrorKind::corrupt, fmt::format("the ELF header of {} cannot be read: {}", path, elf_errmsg(-1))));
  if (image.header_.e_ident[EI_DATA] != ELFDATA2LSB || image.header_.e_machine != EM_X86_64)
    return std::unexpected(Error(ErrorKind::unsupported, fmt::format("{} is not a program for x86-64", path)));
  std::size_t size = 0;
  const char *raw = elf_rawfile(elf, &size);
  if (raw == nullptr)
    return std::unexpected(Error(ErrorKind::corrupt, fmt::format("{} cannot be read: {}", path, elf_errmsg(-1))));
  image.bytes_ = std::as_bytes(std::span(raw, size));
  std::size_t count = 0;
  if (elf_getphdrnum(elf, &count) != 0 || count > max_segments)
    return std::unexpected(Error(ErrorKind::corrupt, fmt::format("the program headers of {} make no sense", path)));
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(elf, static_cast<int>(i), &segment) == nullptr)
      return std::unexpected(
          Error(ErrorKind::corrupt, fmt::format("the program headers of {} lie outside the file", path)));
    image.segments_.push_back(segment);
  }
  return image;
}

std::span<const std::byte> ElfImage::bytes_at(std::uint64_t offset, std::uint64_t size) const {
  if (offset > bytes_.size() || size > bytes_.size() - offset)
    return {};
  return bytes_.subspan(offset, size);
}

std::span<const std::byte> ElfImage::bytes_from(LinkAddress address) const {
  for (const GElf_Phdr &segment : segments_) {
    if (segment.p_type != PT_LOAD || address.value < segment.p_vaddr ||
        address.value - segment.p_vaddr >= segment.p_filesz)
      continue;
    const std::uint64_t inside = address.value - segment.p_vaddr;
    const std::uint64_t offset = segment.p_offset + inside;
    if (offset < inside || offset >= bytes_.size())
      return {};
    return bytes_.subspan(offset, std::min<std::uint64_t>(segment.p_filesz - inside, bytes_.size() - offset));
  }
  return {};
}

std::vector<ImageSection> ElfImage::sections() const {
  std::vector<ImageSection> all;
  std::size_t names = 0;
  if (elf_getshdrstrndx(elf_.get(), &names) != 0)
    names = 0;
  for (Elf_Scn *next = elf_nextscn(elf_.get(), nullptr); next != nullptr; next = elf_nextscn(elf_.get(), next)) {
    ImageSection section;
    section.section = next;
    if (gelf_getshdr(next, &section.header) == nullptr)
      continue;
    if (const char *name = names != 0 ? elf_strptr(elf_.get(), names, section.header.sh_name) : nullptr)
      section.name = name;
    all.push_back(section);
  }
  return all;
}

std::optional<ImageSection> ElfImage::section(std::string_view name) const {
  for (const ImageSection &section : sections())
    if (section.name == name)
      return section;
  return std::nullopt;
}

std::span<const std::byte> ElfImage::content(const ImageSection &section) const {
  if (section.header.sh_type == SHT_NOBITS || section.header.sh_size == 0)
    return {};
  if ((section.header.sh_flags & SHF_COMPRESSED) != 0)
    static_cast<void>(elf_compress(section.section, 0, 0)); // where that fails, so does the next call
  const Elf_Data *data = elf_rawdata(section.section, nullptr);
  if (data == nullptr || data->d_buf == nullptr)
    return {};
  return {static_cast<const std::byte *>(data->d_buf), data->d_size};
}

std::vector<std::uint8_t> ElfImage::build_id_of_segments() const {
  for (const GElf_Phdr &segment : segments_) {
    if (segment.p_type != PT_NOTE)
      continue;
    if (auto id = find_build_id(bytes_at(segment.p_offset, segment.p_filesz), segment.p_align); !id.empty())
      return id;
  }
  return {};
}

std::vector<std::uint8_t> ElfImage::build_id_of_sections() const {
  for (const ImageSection &section : sections()) {
    if (section.header.sh_type != SHT_NOTE)
      continue;
    if (auto id = find_build_id(content(section), section.header.sh_addralign); !id.empty())
      return id;
  }
  return {};
}

std::vector<std::uint8_t> ElfImage::build_id() const {
  auto id = build_id_of_segments();
  return id.empty() ? build_id_of_sections() : id;
}

std::vector<std::uint8_t> ElfImage::debug_file_build_id() const {
  auto id = build_id_of_sections();
  return id.empty() ? build_id_of_segments() : id;
}

} // namespace inspect
