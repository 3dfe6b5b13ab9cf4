#include "dwarf/raw/elf/elf_image.h"

#include "dwarf/raw/elf/section_limits.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <sys/stat.h>

namespace inspect {
namespace {

void initialise_libelf() {
  static const unsigned version = elf_version(EV_CURRENT);
  static_cast<void>(version);
}

} // namespace

void FreeDeleter::operator()(std::byte *bytes) const {
  std::free(bytes);
}

Result<ElfHeaders> headers_of(Elf *elf) {
  std::size_t size = 0;
  const char *raw = elf_rawfile(elf, &size);
  if (raw == nullptr)
    return std::unexpected(Error(ErrorKind::corrupt, fmt::format("its bytes cannot be read: {}", elf_errmsg(-1))));
  return read_elf_headers([&](FileOffset at, std::span<std::byte> into) -> Result<void> {
    if (at.value > size || into.size() > size - at.value)
      return std::unexpected(Error(ErrorKind::corrupt, "they reach beyond the end of the file"));
    std::memcpy(into.data(), raw + at.value, into.size());
    return {};
  });
}

std::vector<ImageSection> sections_of(Elf *elf) {
  std::vector<ImageSection> all;
  std::size_t names = 0;
  if (elf == nullptr || elf_getshdrstrndx(elf, &names) != 0)
    names = 0;
  for (Elf_Scn *next = nullptr; elf != nullptr && (next = elf_nextscn(elf, next)) != nullptr;) {
    ImageSection section;
    section.section = next;
    if (gelf_getshdr(next, &section.header) == nullptr)
      continue;
    if (const char *name = names != 0 ? elf_strptr(elf, names, section.header.sh_name) : nullptr)
      section.name = name;
    all.push_back(section);
  }
  return all;
}

Result<ElfImage> ElfImage::from_file(FileDescriptor descriptor, const std::string &path) {
  initialise_libelf();
  ElfImage image;
  image.descriptor_ = std::move(descriptor);
  struct stat status {};
  if (::fstat(image.descriptor_.get(), &status) != 0)
    return std::unexpected(Error::from_errno(errno, fmt::format("looking at {}", path)));
  if (static_cast<std::uint64_t>(status.st_size) > max_elf_file_size)
    return std::unexpected(
        Error(ErrorKind::corrupt, fmt::format("{} is larger than {} bytes", path, max_elf_file_size)));
  const auto read = [&](FileOffset at, std::span<std::byte> into) -> Result<void> {
    const ssize_t got = ::pread(image.descriptor_.get(), into.data(), into.size(), static_cast<off_t>(at.value));
    return got == static_cast<ssize_t>(into.size()) ? Result<void>()
                                                    : std::unexpected(Error(ErrorKind::corrupt, "the file is shorter"));
  };
  if (auto counted = check_section_count(read); !counted)
    return std::unexpected(counted.error().while_doing(path));
  image.elf_.reset(elf_begin(image.descriptor_.get(), ELF_C_READ_MMAP, nullptr));
  if (!image.elf_)
    return std::unexpected(
        Error(ErrorKind::corrupt, fmt::format("{} cannot be read as ELF: {}", path, elf_errmsg(-1))));
  constexpr std::uint64_t block = 512; // stat(2): of that size whatever the file system's are
  return check(std::move(image), path, static_cast<std::uint64_t>(status.st_blocks) * block);
}

Result<ElfImage> ElfImage::from_bytes(LazyBytes bytes, std::size_t size, const std::string &path) {
  initialise_libelf();
  ElfImage image;
  image.owned_bytes_ = std::move(bytes);
  const auto read = [&](FileOffset at, std::span<std::byte> into) -> Result<void> {
    if (at.value > size || into.size() > size - at.value)
      return std::unexpected(Error(ErrorKind::corrupt, "the image is shorter"));
    std::memcpy(into.data(), image.owned_bytes_.get() + at.value, into.size());
    return {};
  };
  if (auto counted = check_section_count(read); !counted)
    return std::unexpected(counted.error().while_doing(path));
  image.elf_.reset(elf_memory(reinterpret_cast<char *>(image.owned_bytes_.get()), size));
  if (!image.elf_)
    return std::unexpected(
        Error(ErrorKind::corrupt, fmt::format("{} cannot be read as ELF: {}", path, elf_errmsg(-1))));
  return check(std::move(image), path, 0);
}

Result<ElfImage> ElfImage::check(ElfImage image, const std::string &path, std::uint64_t bytes_on_disk) {
  Elf *elf = image.elf_.get();
  if (elf_kind(elf) != ELF_K_ELF)
    return std::unexpected(Error(ErrorKind::unsupported, fmt::format("{} is not an ELF file", path)));
  if (gelf_getclass(elf) == ELFCLASS32)
    return std::unexpected(Error(ErrorKind::unsupported, fmt::format("{} is a 32-bit file", path)));
  auto headers = headers_of(elf);
  if (!headers)
    return std::unexpected(headers.error().while_doing(path));
  if (headers->file.e_machine != EM_X86_64)
    return std::unexpected(Error(ErrorKind::unsupported, fmt::format("{} is not a program for x86-64", path)));
  image.headers_ = std::move(*headers);
  std::size_t size = 0;
  const char *raw = elf_rawfile(elf, &size);
  image.bytes_ = std::as_bytes(std::span(raw, size));
  image.dropped_sections_ = drop_oversized_sections(elf, bytes_on_disk);
  return image;
}

std::span<const std::byte> ElfImage::bytes_at(std::uint64_t offset, std::uint64_t size) const {
  if (offset > bytes_.size() || size > bytes_.size() - offset)
    return {};
  return bytes_.subspan(offset, size);
}

std::span<const std::byte> ElfImage::bytes_from(LinkAddress address) const {
  const auto part = file_part_at(headers_.segments, address);
  if (!part || part->offset.value >= bytes_.size())
    return {};
  return bytes_.subspan(part->offset.value, std::min<std::uint64_t>(part->size, bytes_.size() - part->offset.value));
}

std::vector<Elf64_Dyn> ElfImage::dynamic_entries() const {
  const Elf64_Phdr *dynamic = find_segment(headers_.segments, PT_DYNAMIC);
  if (dynamic == nullptr)
    return {};
  const auto bytes = bytes_from(LinkAddress{dynamic->p_vaddr});
  return decode_dynamic_entries(bytes.first(std::min<std::uint64_t>(bytes.size(), dynamic->p_filesz)), true);
}

std::span<const std::byte> ElfImage::dynamic_bytes(std::uint64_t pointer, LoadBias bias) const {
  if (pointer == 0)
    return {};
  const auto bytes = bytes_from(LinkAddress{pointer});
  return bytes.empty() ? bytes_from(bias.to_link(RunAddress{pointer})) : bytes;
}

bool ElfImage::is_executable() const {
  return headers_.file.e_type == ET_EXEC || std::ranges::any_of(dynamic_entries(), [](const Elf64_Dyn &entry) {
           return entry.d_tag == DT_DEBUG || (entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_PIE) != 0);
         });
}

bool is_debug_section(std::string_view name, std::string_view wanted) {
  return name == wanted || (name.starts_with(".zdebug_") && name.substr(2) == wanted.substr(1));
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
  // Where these fail, so does the next call; or it was uncompressed before, which the name does not tell.
  if ((section.header.sh_flags & SHF_COMPRESSED) != 0)
    static_cast<void>(elf_compress(section.section, 0, 0));
  else if (section.name.starts_with(".zdebug_"))
    static_cast<void>(elf_compress_gnu(section.section, 0, 0));
  const Elf_Data *data = elf_rawdata(section.section, nullptr);
  if (data == nullptr || data->d_buf == nullptr)
    return {};
  return {static_cast<const std::byte *>(data->d_buf), data->d_size};
}

std::vector<std::uint8_t> ElfImage::build_id_of_segments() const {
  for (const Elf64_Phdr &segment : headers_.segments) {
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
