#include "machine/elf_headers.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

/// The kernel takes 64 KiB of program headers (fs/binfmt_elf.c), which are fewer.
constexpr std::size_t max_segments = 2048;

template <typename T> std::span<std::byte> bytes_of(T &value) {
  return std::as_writable_bytes(std::span(&value, 1));
}

/// `header` holds the 32-bit form at its start.
void widen(Elf64_Ehdr &header) {
  Elf32_Ehdr narrow;
  std::memcpy(&narrow, &header, sizeof narrow);
  header.e_entry = narrow.e_entry;
  header.e_phoff = narrow.e_phoff;
  header.e_shoff = narrow.e_shoff;
  header.e_flags = narrow.e_flags;
  header.e_ehsize = narrow.e_ehsize;
  header.e_phentsize = narrow.e_phentsize;
  header.e_phnum = narrow.e_phnum;
  header.e_shentsize = narrow.e_shentsize;
  header.e_shnum = narrow.e_shnum;
  header.e_shstrndx = narrow.e_shstrndx;
}

Elf64_Phdr widened(const Elf32_Phdr &narrow) {
  return {narrow.p_type,  narrow.p_flags,  narrow.p_offset, narrow.p_vaddr,
          narrow.p_paddr, narrow.p_filesz, narrow.p_memsz,  narrow.p_align};
}

std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

Result<Elf64_Ehdr> read_header(const ElfBytes &read) {
  Elf64_Ehdr header{};
  const std::span<std::byte> bytes = bytes_of(header);
  if (auto done = read({0}, bytes.first(sizeof(Elf32_Ehdr))); !done)
    return std::unexpected(done.error().while_doing("reading the ELF header"));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return std::unexpected(Error(ErrorKind::unsupported, "not an ELF file"));
  if (header.e_ident[EI_DATA] != ELFDATA2LSB)
    return std::unexpected(Error(ErrorKind::unsupported, "a big-endian ELF file"));
  if (header.e_ident[EI_CLASS] != ELFCLASS64) {
    widen(header);
    return header;
  }
  if (auto done = read({sizeof(Elf32_Ehdr)}, bytes.subspan(sizeof(Elf32_Ehdr))); !done)
    return std::unexpected(done.error().while_doing("reading the ELF header"));
  return header;
}

} // namespace

Result<ElfHeaders> read_elf_headers(const ElfBytes &read) {
  const auto header = read_header(read);
  if (!header)
    return std::unexpected(header.error());
  ElfHeaders headers{*header, {}};
  if (header->e_phnum == 0)
    return headers;
  const std::size_t entry = headers.is_64_bit() ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
  if (header->e_phentsize != entry || header->e_phnum > max_segments) // the kernel loads no other
    return std::unexpected(Error(ErrorKind::corrupt, "the program headers are malformed"));
  std::vector<std::byte> table(std::size_t{header->e_phentsize} * header->e_phnum);
  if (auto done = read({header->e_phoff}, table); !done)
    return std::unexpected(done.error().while_doing("reading the program headers"));
  for (std::size_t at = 0; at < table.size(); at += header->e_phentsize)
    headers.segments.push_back(headers.is_64_bit() ? *value_at<Elf64_Phdr>(table, at)
                                                   : widened(*value_at<Elf32_Phdr>(table, at)));
  return headers;
}

std::optional<ElfFilePart> file_part_at(std::span<const Elf64_Phdr> segments, LinkAddress address) {
  for (const Elf64_Phdr &segment : segments) {
    if (segment.p_type != PT_LOAD || address.value < segment.p_vaddr)
      continue;
    const std::uint64_t inside = address.value - segment.p_vaddr;
    if (inside < segment.p_filesz && segment.p_offset + inside >= inside)
      return ElfFilePart{{segment.p_offset + inside}, segment.p_filesz - inside};
  }
  return std::nullopt;
}

const Elf64_Phdr *find_segment(std::span<const Elf64_Phdr> segments, std::uint32_t type) {
  const auto found = std::ranges::find(segments, type, &Elf64_Phdr::p_type);
  return found == segments.end() ? nullptr : &*found;
}

std::vector<Elf64_Dyn> decode_dynamic_entries(std::span<const std::byte> bytes, bool is_64_bit) {
  std::vector<Elf64_Dyn> entries;
  const std::size_t step = is_64_bit ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
  for (std::size_t at = 0; at + step <= bytes.size() && entries.size() < max_dynamic_entries; at += step) {
    Elf64_Dyn entry{};
    if (is_64_bit) {
      entry = *value_at<Elf64_Dyn>(bytes, at);
    } else {
      const auto narrow = *value_at<Elf32_Dyn>(bytes, at);
      entry.d_tag = narrow.d_tag;
      entry.d_un.d_val = narrow.d_un.d_val;
    }
    if (entry.d_tag == DT_NULL)
      break;
    entries.push_back(entry);
  }
  return entries;
}

std::vector<std::uint8_t> find_build_id(std::span<const std::byte> notes, std::uint64_t alignment) {
  // gABI says 8 for 64-bit files, everybody writes 4, and .note.gnu.property really has 8.
  const std::uint64_t step = alignment == 8 ? 8 : 4;
  std::uint64_t at = 0;
  while (const auto note = value_at<Elf64_Nhdr>(notes, at)) { // of the same size in both classes
    const std::uint64_t name = at + sizeof *note;
    const std::uint64_t description = at + align_up(sizeof *note + note->n_namesz, step);
    const std::uint64_t end = description + note->n_descsz;
    if (end > notes.size())
      break;
    if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == sizeof ELF_NOTE_GNU &&
        std::memcmp(notes.data() + name, ELF_NOTE_GNU, sizeof ELF_NOTE_GNU) == 0 && note->n_descsz > 0 &&
        note->n_descsz <= max_build_id_size) {
      const auto *first = reinterpret_cast<const std::uint8_t *>(notes.data()) + description;
      return {first, first + note->n_descsz};
    }
    at = align_up(end, step);
  }
  return {};
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes)
    text += fmt::format("{:02x}", byte);
  return text;
}

} // namespace inspect
