#include "dwarf/elf/composed_elf.h"

#include <cerrno>
#include <cstring>
#include <functional>
#include <sys/mman.h>
#include <unistd.h>

namespace inspect {
namespace {

/// Where in its file the bytes are; nothing where they are not in it.
std::optional<std::size_t> offset_in_file(std::span<const std::byte> bytes, const ElfImage *image) {
  if (image == nullptr || image->descriptor() < 0 || bytes.empty())
    return std::nullopt;
  const std::span<const std::byte> file = image->bytes();
  const std::less<> before;
  if (before(bytes.data(), file.data()) || before(file.data() + file.size(), bytes.data() + bytes.size()))
    return std::nullopt;
  return static_cast<std::size_t>(bytes.data() - file.data());
}

std::size_t rounded_up(std::size_t value, std::size_t to) {
  return (value + to - 1) / to * to;
}

template <typename T> void put(std::span<std::byte> memory, std::size_t at, const T &value) {
  std::memcpy(memory.data() + at, &value, sizeof value);
}

/// The names of the sections are in the last of them.
Elf64_Ehdr file_header(std::size_t section_headers_at, std::size_t sections) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_shoff = section_headers_at;
  header.e_ehsize = sizeof header;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = static_cast<Elf64_Half>(sections);
  header.e_shstrndx = static_cast<Elf64_Half>(sections - 1);
  return header;
}

} // namespace

void ComposedElf::add(std::string name, std::span<const std::byte> bytes, const ElfImage *image,
                      std::vector<std::byte> tail) {
  sections_.push_back({std::move(name), bytes, image, std::move(tail)});
}

void ComposedElf::add(std::string name, std::vector<std::byte> bytes) {
  sections_.push_back({std::move(name), {}, nullptr, std::move(bytes)});
}

Result<ComposedElf::Memory> ComposedElf::finish() {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::string names(1, '\0');
  std::vector<std::size_t> name_offsets;
  for (const Section &section : sections_) {
    name_offsets.push_back(names.size());
    names += section.name;
    names += '\0';
  }
  const std::size_t name_of_names = names.size();
  names += ".shstrtab";
  names += '\0';
  // Each section at a page of its own, at the place in the page that it has in its file.
  std::size_t end = page;
  for (Section &section : sections_) {
    section.offset = end + offset_in_file(section.bytes, section.image).value_or(0) % page;
    end = rounded_up(section.offset + section.size(), page);
  }
  const std::size_t names_at = end, headers_at = rounded_up(end + names.size(), alignof(Elf64_Shdr));
  const std::size_t size = headers_at + (sections_.size() + 2) * sizeof(Elf64_Shdr);
  void *mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED)
    return std::unexpected(Error::from_errno(errno, "reserving memory for a split unit"));
  Memory memory{std::shared_ptr<void>(mapped, [size](void *at) { ::munmap(at, size); }),
                {static_cast<std::byte *>(mapped), size}};
  for (const Section &section : sections_) {
    if (const auto in_file = offset_in_file(section.bytes, section.image)) {
      const std::size_t inside = *in_file % page;
      // The pages of the tail stay ours; that of the section's last byte is shared with it, and becomes ours by
      // writing.
      if (::mmap(memory.bytes.data() + section.offset - inside, inside + section.bytes.size(), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_FIXED, section.image->descriptor(),
                 static_cast<off_t>(*in_file - inside)) == MAP_FAILED)
        return std::unexpected(Error::from_errno(errno, "mapping a section for a split unit"));
    } else if (!section.bytes.empty()) {
      std::memcpy(memory.bytes.data() + section.offset, section.bytes.data(), section.bytes.size());
    }
    if (!section.own.empty())
      std::memcpy(memory.bytes.data() + section.offset + section.bytes.size(), section.own.data(), section.own.size());
  }
  std::memcpy(memory.bytes.data() + names_at, names.data(), names.size());
  put(memory.bytes, 0, file_header(headers_at, sections_.size() + 2));
  std::size_t at = headers_at + sizeof(Elf64_Shdr);
  const auto add_header = [&](std::size_t name, Elf64_Word type, std::size_t offset, std::size_t length) {
    Elf64_Shdr section{};
    section.sh_name = static_cast<Elf64_Word>(name);
    section.sh_type = type;
    section.sh_offset = offset;
    section.sh_size = length;
    section.sh_addralign = 1;
    put(memory.bytes, at, section);
    at += sizeof section;
  };
  for (std::size_t index = 0; index < sections_.size(); ++index)
    add_header(name_offsets[index], SHT_PROGBITS, sections_[index].offset, sections_[index].size());
  add_header(name_of_names, SHT_STRTAB, names_at, names.size());
  return memory;
}

} // namespace inspect
