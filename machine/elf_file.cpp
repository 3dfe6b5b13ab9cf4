#include "machine/elf_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <elf.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace inspect {
namespace {

constexpr std::uint64_t max_segments = 4096;
constexpr std::uint64_t max_sections = 65536;
constexpr std::uint64_t max_name_bytes = 4 << 20;
constexpr std::uint64_t max_dynamic_bytes = 1 << 20;
constexpr std::uint64_t search_chunk = 256 << 10;

template <typename T> T load(const char *from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename SegmentHeader> ElfSegment to_segment(const char *from) {
  const auto raw = load<SegmentHeader>(from);
  return {raw.p_type, raw.p_flags, {raw.p_offset}, {raw.p_vaddr}, raw.p_filesz, raw.p_memsz};
}

/// A section as the file has it, its name still an offset.
struct RawSection {
  std::uint32_t name = 0;
  ElfSection section;
  std::uint32_t link = 0;
};

template <typename SectionHeader> RawSection to_section(const char *from) {
  const auto raw = load<SectionHeader>(from);
  return {raw.sh_name, {{}, raw.sh_type, raw.sh_flags, {raw.sh_addr}, {raw.sh_offset}, raw.sh_size}, raw.sh_link};
}

std::string string_at(const std::string &table, std::uint64_t offset) {
  if (offset >= table.size())
    return {};
  const std::size_t end = table.find('\0', offset);
  return table.substr(offset, end == std::string::npos ? std::string::npos : end - offset);
}

} // namespace

struct ElfFile::Header {
  std::uint64_t segment_offset = 0;
  std::uint64_t segment_size = 0;
  std::uint64_t segment_count = 0;
  std::uint64_t section_offset = 0;
  std::uint64_t section_size = 0;
  std::uint64_t section_count = 0;
  std::uint64_t name_section = 0;
};

namespace {

template <typename RawHeader, typename Header> Header to_header(const char *from) {
  const auto raw = load<RawHeader>(from);
  return {raw.e_phoff, raw.e_phentsize, raw.e_phnum, raw.e_shoff, raw.e_shentsize, raw.e_shnum, raw.e_shstrndx};
}

} // namespace

Result<ElfFile> ElfFile::read(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0)
    return std::unexpected(Error::from_errno(errno, "looking at an executable"));
  ElfFile file(descriptor, static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0)));
  auto header = file.read_header();
  if (!header)
    return std::unexpected(header.error());
  if (auto done = file.read_segments(*header); !done)
    return std::unexpected(done.error());
  file.read_sections(*header);
  return file;
}

Result<ElfFile::Header> ElfFile::read_header() {
  const std::string text = bytes({0}, sizeof(Elf64_Ehdr), sizeof(Elf64_Ehdr));
  if (text.size() < sizeof(Elf32_Ehdr) || std::memcmp(text.data(), ELFMAG, SELFMAG) != 0)
    return std::unexpected(Error(ErrorKind::unsupported, "not an ELF file"));
  if (text[EI_DATA] != ELFDATA2LSB)
    return std::unexpected(Error(ErrorKind::unsupported, "a big-endian ELF file"));
  is_64_bit_ = text[EI_CLASS] == ELFCLASS64;
  if (!is_64_bit_)
    return to_header<Elf32_Ehdr, Header>(text.data());
  if (text.size() < sizeof(Elf64_Ehdr))
    return std::unexpected(Error(ErrorKind::corrupt, "the ELF header is cut short"));
  return to_header<Elf64_Ehdr, Header>(text.data());
}

Result<void> ElfFile::read_segments(const Header &header) {
  const std::uint64_t entry = is_64_bit_ ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
  if (header.segment_count == 0)
    return {};
  if (header.segment_size < entry || header.segment_count > max_segments)
    return std::unexpected(Error(ErrorKind::corrupt, "the program headers make no sense"));
  std::string text(header.segment_size * header.segment_count, '\0');
  if (auto done = read_at({header.segment_offset}, text); !done)
    return std::unexpected(done.error().while_doing("reading the program headers"));
  for (std::uint64_t i = 0; i < header.segment_count; ++i) {
    const char *from = text.data() + i * header.segment_size;
    segments_.push_back(is_64_bit_ ? to_segment<Elf64_Phdr>(from) : to_segment<Elf32_Phdr>(from));
  }
  return {};
}

void ElfFile::read_sections(const Header &header) {
  // A program runs without section headers, so broken ones are the same as none.
  const std::uint64_t entry = is_64_bit_ ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
  if (header.section_offset == 0 || header.section_size < entry)
    return;
  std::uint64_t count = header.section_count;
  std::uint64_t names = header.name_section;
  const auto at = [&](const char *from) {
    return is_64_bit_ ? to_section<Elf64_Shdr>(from) : to_section<Elf32_Shdr>(from);
  };
  if (count == 0 || names == SHN_XINDEX) {
    // More sections than the header's 16 bits can count: the first section header has the numbers.
    std::string first(header.section_size, '\0');
    if (!read_at({header.section_offset}, first))
      return;
    const RawSection extended = at(first.data());
    count = count == 0 ? extended.section.size : count;
    names = names == SHN_XINDEX ? extended.link : names;
  }
  if (count > max_sections || names >= count)
    return;
  std::string text(header.section_size * count, '\0');
  if (!read_at({header.section_offset}, text))
    return;
  const ElfSection name_section = at(text.data() + names * header.section_size).section;
  const std::string name_table = bytes(name_section.offset, name_section.size, max_name_bytes);
  sections_.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    RawSection raw = at(text.data() + i * header.section_size);
    raw.section.name = string_at(name_table, raw.name);
    sections_.push_back(std::move(raw.section));
  }
}

const ElfSection *ElfFile::section(std::string_view name) const {
  const auto found = std::ranges::find(sections_, name, &ElfSection::name);
  return found == sections_.end() ? nullptr : &*found;
}

Result<void> ElfFile::read_at(FileOffset offset, std::span<char> into) const {
  if (offset.value > size_ || into.size() > size_ - offset.value)
    return std::unexpected(Error(ErrorKind::corrupt, fmt::format("{} bytes at {:#x} reach beyond the end of the file",
                                                                 into.size(), offset.value)));
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t count =
        ::pread(descriptor_, into.data() + done, into.size() - done, static_cast<off_t>(offset.value + done));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return std::unexpected(Error::from_errno(errno, "reading an executable"));
    if (count == 0)
      return std::unexpected(Error(ErrorKind::corrupt, "the file became shorter while it was read"));
    done += static_cast<std::size_t>(count);
  }
  return {};
}

std::string ElfFile::bytes(FileOffset offset, std::uint64_t count, std::uint64_t limit) const {
  if (offset.value >= size_)
    return {};
  std::string text(std::min({count, limit, size_ - offset.value}), '\0');
  if (!read_at(offset, text))
    text.clear();
  return text;
}

std::optional<FileOffset> ElfFile::offset_of(LinkAddress address) const {
  for (const ElfSegment &segment : segments_) {
    if (segment.type == PT_LOAD && address >= segment.address && address - segment.address < segment.file_size)
      return segment.offset + (address - segment.address);
  }
  return std::nullopt;
}

std::vector<ElfFile::DynamicEntry> ElfFile::dynamic_entries() const {
  std::vector<DynamicEntry> entries;
  const auto dynamic = std::ranges::find(segments_, PT_DYNAMIC, &ElfSegment::type);
  if (dynamic == segments_.end())
    return entries;
  const std::string text = bytes(dynamic->offset, dynamic->file_size, max_dynamic_bytes);
  const std::size_t step = is_64_bit_ ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
  for (std::size_t at = 0; at + step <= text.size(); at += step) {
    const char *from = text.data() + at;
    const DynamicEntry entry = is_64_bit_ ? DynamicEntry{load<std::uint64_t>(from), load<std::uint64_t>(from + 8)}
                                          : DynamicEntry{load<std::uint32_t>(from), load<std::uint32_t>(from + 4)};
    if (entry.tag == DT_NULL)
      break;
    entries.push_back(entry);
  }
  return entries;
}

ElfFile::StringTable ElfFile::dynamic_string_table(const std::vector<DynamicEntry> &entries) const {
  std::uint64_t address = 0;
  StringTable table;
  for (const DynamicEntry &entry : entries) {
    if (entry.tag == DT_STRTAB)
      address = entry.value;
    if (entry.tag == DT_STRSZ)
      table.size = entry.value;
  }
  if (const auto offset = offset_of({address}))
    table.offset = *offset;
  else
    table.size = 0;
  return table;
}

std::string ElfFile::dynamic_strings(std::uint64_t limit) const {
  const StringTable table = dynamic_string_table(dynamic_entries());
  return bytes(table.offset, table.size, limit);
}

std::vector<std::string> ElfFile::needed_libraries() const {
  // The table may have the names of a million symbols, too: only the few wanted are read.
  constexpr std::uint64_t max_name_length = 256;
  std::vector<std::string> names;
  const auto entries = dynamic_entries();
  const StringTable table = dynamic_string_table(entries);
  for (const DynamicEntry &entry : entries) {
    if (entry.tag == DT_NEEDED && entry.value < table.size)
      names.push_back(string_at(bytes(table.offset + entry.value, table.size - entry.value, max_name_length), 0));
  }
  return names;
}

std::string ElfFile::build_id() const {
  constexpr std::uint64_t max_note_bytes = 64 << 10;
  constexpr std::size_t max_id_length = 64;
  const auto aligned = [](std::uint64_t size) { return (size + 3) & ~std::uint64_t{3}; };
  for (const ElfSegment &segment : segments_) {
    if (segment.type != PT_NOTE)
      continue;
    const std::string notes = bytes(segment.offset, segment.file_size, max_note_bytes);
    std::uint64_t at = 0;
    while (at + sizeof(Elf64_Nhdr) <= notes.size()) {
      const auto note = load<Elf64_Nhdr>(notes.data() + at); // of the same size in both classes
      const std::uint64_t name = at + sizeof note;
      const std::uint64_t content = name + aligned(note.n_namesz);
      at = content + aligned(note.n_descsz);
      if (at > notes.size() + 3 || content + note.n_descsz > notes.size())
        break;
      if (note.n_type != NT_GNU_BUILD_ID || note.n_descsz > max_id_length ||
          std::string_view(notes).substr(name, note.n_namesz) != std::string_view(ELF_NOTE_GNU, sizeof ELF_NOTE_GNU))
        continue;
      std::string hex;
      for (const char byte : std::string_view(notes).substr(content, note.n_descsz))
        hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
      return hex;
    }
  }
  return {};
}

std::optional<FileOffset> ElfFile::find(std::string_view needle, FileOffset offset, std::uint64_t count,
                                        std::uint64_t limit) const {
  if (offset.value >= size_ || needle.empty())
    return std::nullopt;
  const std::uint64_t total = std::min({count, limit, size_ - offset.value});
  std::string buffer;
  for (std::uint64_t done = 0; done + needle.size() <= total;) {
    // Chunks overlap by a needle less one byte, so that none is missed at a border.
    buffer.resize(std::min(search_chunk, total - done));
    if (!read_at(offset + done, buffer))
      return std::nullopt;
    if (const void *hit = ::memmem(buffer.data(), buffer.size(), needle.data(), needle.size()))
      return offset + done + static_cast<std::uint64_t>(static_cast<const char *>(hit) - buffer.data());
    if (done + buffer.size() >= total)
      break;
    done += buffer.size() - (needle.size() - 1);
  }
  return std::nullopt;
}

} // namespace inspect
