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

constexpr std::uint64_t max_sections = 65536;
constexpr std::uint64_t max_name_bytes = 4 << 20;
constexpr std::uint64_t max_dynamic_bytes = 1 << 20;
constexpr std::uint64_t search_chunk = 256 << 10;

/// A section as the file has it, its name still an offset.
struct RawSection {
  std::uint32_t name = 0;
  ElfSection section;
  std::uint32_t link = 0;
};

template <typename SectionHeader> RawSection to_section(std::span<const std::byte> bytes, std::uint64_t at) {
  const auto raw = value_at<SectionHeader>(bytes, at).value_or(SectionHeader{});
  return {raw.sh_name, {{}, raw.sh_type, raw.sh_flags, {raw.sh_addr}, {raw.sh_offset}, raw.sh_size}, raw.sh_link};
}

std::string string_at(const std::string &table, std::uint64_t offset) {
  if (offset >= table.size())
    return {};
  const std::size_t end = table.find('\0', offset);
  return table.substr(offset, end == std::string::npos ? std::string::npos : end - offset);
}

} // namespace

Result<ElfFile> ElfFile::read(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0)
    return std::unexpected(Error::from_errno(errno, "looking at an executable"));
  ElfFile file(descriptor, static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0)));
  if (file.size_ < sizeof(Elf32_Ehdr))
    return std::unexpected(Error(ErrorKind::unsupported, "not an ELF file"));
  auto headers = read_elf_headers([&](FileOffset at, std::span<std::byte> into) {
    return file.read_at(at, {reinterpret_cast<char *>(into.data()), into.size()});
  });
  if (!headers)
    return std::unexpected(headers.error());
  file.headers_ = std::move(*headers);
  file.read_sections();
  return file;
}

void ElfFile::read_sections() {
  // A program runs without section headers, so broken ones are the same as none.
  const Elf64_Ehdr &header = headers_.file;
  const std::uint64_t entry = is_64_bit() ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
  if (header.e_shoff == 0 || header.e_shentsize != entry)
    return;
  std::uint64_t count = header.e_shnum;
  std::uint64_t names = header.e_shstrndx;
  const auto at = [&](const std::string &table, std::uint64_t index) {
    const auto bytes = std::as_bytes(std::span(table));
    return is_64_bit() ? to_section<Elf64_Shdr>(bytes, index * header.e_shentsize)
                       : to_section<Elf32_Shdr>(bytes, index * header.e_shentsize);
  };
  if (count == 0 || names == SHN_XINDEX) {
    // More sections than the header's 16 bits can count: the first section header has the numbers.
    std::string first(header.e_shentsize, '\0');
    if (!read_at({header.e_shoff}, first))
      return;
    const RawSection extended = at(first, 0);
    count = count == 0 ? extended.section.size : count;
    names = names == SHN_XINDEX ? extended.link : names;
  }
  if (count > max_sections || names >= count)
    return;
  std::string table(header.e_shentsize * count, '\0');
  if (!read_at({header.e_shoff}, table))
    return;
  const ElfSection name_section = at(table, names).section;
  const std::string name_table = bytes(name_section.offset, name_section.size, max_name_bytes);
  sections_.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    RawSection raw = at(table, i);
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
  const auto part = file_part_at(headers_.segments, address);
  return part ? std::optional(part->offset) : std::nullopt;
}

std::vector<Elf64_Dyn> ElfFile::dynamic_entries() const {
  const Elf64_Phdr *dynamic = find_segment(headers_.segments, PT_DYNAMIC);
  if (dynamic == nullptr)
    return {};
  const std::string text = bytes({dynamic->p_offset}, dynamic->p_filesz, max_dynamic_bytes);
  return decode_dynamic_entries(std::as_bytes(std::span(text)), is_64_bit());
}

ElfFilePart ElfFile::dynamic_string_table(std::span<const Elf64_Dyn> entries) const {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  for (const Elf64_Dyn &entry : entries) {
    if (entry.d_tag == DT_STRTAB)
      address = entry.d_un.d_ptr;
    if (entry.d_tag == DT_STRSZ)
      size = entry.d_un.d_val;
  }
  const auto offset = offset_of({address});
  return offset ? ElfFilePart{*offset, size} : ElfFilePart{};
}

std::string ElfFile::dynamic_strings(std::uint64_t limit) const {
  const ElfFilePart table = dynamic_string_table(dynamic_entries());
  return bytes(table.offset, table.size, limit);
}

std::vector<std::string> ElfFile::needed_libraries() const {
  // The table may have the names of a million symbols, too: only the few wanted are read.
  constexpr std::uint64_t max_name_length = 256;
  std::vector<std::string> names;
  const std::vector<Elf64_Dyn> entries = dynamic_entries();
  const ElfFilePart table = dynamic_string_table(entries);
  for (const Elf64_Dyn &entry : entries) {
    const std::uint64_t at = entry.d_un.d_val;
    if (entry.d_tag == DT_NEEDED && at < table.size)
      names.push_back(string_at(bytes(table.offset + at, table.size - at, max_name_length), 0));
  }
  return names;
}

std::string ElfFile::build_id() const {
  constexpr std::uint64_t max_note_bytes = 64 << 10;
  for (const Elf64_Phdr &segment : headers_.segments) {
    if (segment.p_type != PT_NOTE)
      continue;
    const std::string notes = bytes({segment.p_offset}, segment.p_filesz, max_note_bytes);
    if (const auto id = find_build_id(std::as_bytes(std::span(notes)), segment.p_align); !id.empty())
      return to_hex(id);
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
