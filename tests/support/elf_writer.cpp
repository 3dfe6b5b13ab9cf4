#include "tests/support/elf_writer.h"

#include <algorithm>
#include <cstring>

namespace inspect::test {
namespace {

constexpr std::uint64_t page = 4096;

template <typename T> void append(std::string &text, const T &value) {
  text.append(reinterpret_cast<const char *>(&value), sizeof value);
}

template <typename T> void place(std::string &text, std::size_t at, const T &value) {
  std::memcpy(text.data() + at, &value, sizeof value);
}

} // namespace

ByteWriter &ByteWriter::number(std::uint64_t value, std::size_t size) {
  text_.append(reinterpret_cast<const char *>(&value), size);
  return *this;
}

ByteWriter &ByteWriter::leb(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U)
    u8(value | 0x80U);
  return u8(value);
}

ByteWriter &ByteWriter::signed_leb(std::int64_t value) {
  for (; value < -64 || value >= 64; value >>= 7)
    u8(static_cast<std::uint64_t>(value) | 0x80U);
  return u8(static_cast<std::uint64_t>(value) & 0x7fU);
}

ByteWriter &ByteWriter::string(std::string_view text) {
  return raw(text).u8(0);
}

ByteWriter &ByteWriter::raw(std::string_view text) {
  text_ += text;
  return *this;
}

ByteWriter &ByteWriter::align(std::size_t alignment, std::uint8_t filler) {
  while (text_.size() % alignment != 0)
    u8(filler);
  return *this;
}

void ByteWriter::patch(std::size_t offset, std::uint64_t value, std::size_t size) {
  std::memcpy(text_.data() + offset, &value, size);
}

ElfWriter::ElfWriter() : header{} {
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_shentsize = sizeof(Elf64_Shdr);
  symbols_.emplace_back();
  symbol_names_ += '\0';
}

ElfWriter &ElfWriter::section(std::string name, std::string content, std::uint32_t type) {
  Section &made = sections_.emplace_back();
  made.name = std::move(name);
  made.content = std::move(content);
  made.header.sh_type = type;
  made.header.sh_addralign = 8;
  return *this;
}

ElfWriter &ElfWriter::load(std::string name, std::uint64_t address, std::string content, std::uint32_t flags) {
  section(std::move(name), std::move(content));
  Section &made = sections_.back();
  made.header.sh_addr = address;
  made.header.sh_flags = SHF_ALLOC | ((flags & PF_X) != 0 ? SHF_EXECINSTR : 0) | ((flags & PF_W) != 0 ? SHF_WRITE : 0);
  made.segment_flags = PF_R | flags;
  return segment(PT_LOAD, page);
}

ElfWriter &ElfWriter::segment(std::uint32_t type, std::uint64_t alignment) {
  segments_.push_back({sections_.size() - 1, type, alignment});
  return *this;
}

ElfWriter &ElfWriter::symbol(std::string_view name, std::uint64_t address, std::uint64_t size, unsigned char type) {
  Elf64_Sym symbol{};
  symbol.st_name = static_cast<Elf64_Word>(symbol_names_.size());
  symbol.st_value = address;
  symbol.st_size = size;
  symbol.st_info = static_cast<unsigned char>(ELF64_ST_INFO(STB_GLOBAL, type));
  for (std::size_t i = 0; i < sections_.size(); ++i)
    if ((sections_[i].header.sh_flags & SHF_ALLOC) != 0 &&
        address - sections_[i].header.sh_addr <= sections_[i].content.size())
      symbol.st_shndx = static_cast<Elf64_Section>(i + 1);
  symbols_.push_back(symbol);
  symbol_names_ += name;
  symbol_names_ += '\0';
  return *this;
}

std::string ElfWriter::text() const {
  std::vector<Section> sections = sections_;
  if (symbols_.size() > 1) {
    std::string content;
    for (const Elf64_Sym &symbol : symbols_)
      append(content, symbol);
    Section &table = sections.emplace_back();
    table.name = ".symtab";
    table.content = std::move(content);
    table.header.sh_type = SHT_SYMTAB;
    table.header.sh_entsize = sizeof(Elf64_Sym);
    table.header.sh_link = static_cast<Elf64_Word>(sections.size() + 1);
    table.header.sh_info = 1;
    Section &names = sections.emplace_back();
    names.name = ".strtab";
    names.content = symbol_names_;
    names.header.sh_type = SHT_STRTAB;
  }
  Section &last = sections.emplace_back();
  last.name = ".shstrtab";
  last.header.sh_type = SHT_STRTAB;
  std::string names(1, '\0');
  for (Section &section : sections) {
    section.header.sh_name = static_cast<Elf64_Word>(names.size());
    names += section.name + '\0';
  }
  last.content = names;

  std::string text(sizeof(Elf64_Ehdr) + segments_.size() * sizeof(Elf64_Phdr), '\0');
  for (Section &section : sections) {
    // What is loaded lies in the file as it does in its page.
    const bool loaded = (section.header.sh_flags & SHF_ALLOC) != 0;
    while (text.size() % (loaded ? page : 8) != (loaded ? section.header.sh_addr % page : 0))
      text += '\0';
    section.header.sh_offset = text.size();
    section.header.sh_size = section.content.size();
    text += section.content;
  }
  while (text.size() % 8 != 0)
    text += '\0';
  Elf64_Ehdr file = header;
  file.e_phoff = segments_.empty() ? 0 : sizeof file;
  file.e_phnum = static_cast<Elf64_Half>(segments_.size());
  file.e_shoff = text.size();
  file.e_shnum = static_cast<Elf64_Half>(sections.size() + 1);
  file.e_shstrndx = static_cast<Elf64_Half>(sections.size());
  if (has_section_headers) {
    append(text, Elf64_Shdr{});
    for (const Section &section : sections)
      append(text, section.header);
  } else {
    file.e_shoff = file.e_shnum = file.e_shstrndx = 0;
  }
  place(text, 0, file);
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Section &section = sections[segments_[i].section];
    Elf64_Phdr segment{};
    segment.p_type = segments_[i].type;
    segment.p_flags = section.segment_flags != 0 ? section.segment_flags : static_cast<std::uint32_t>(PF_R);
    segment.p_offset = section.header.sh_offset;
    segment.p_vaddr = segment.p_paddr = section.header.sh_addr;
    segment.p_filesz = segment.p_memsz = section.content.size();
    segment.p_align = segments_[i].alignment;
    place(text, sizeof file + i * sizeof segment, segment);
  }
  return text;
}

void DwarfWriter::abbreviation(unsigned code, unsigned tag, std::initializer_list<Attribute> attributes,
                               bool has_children) {
  abbreviations.leb(code).leb(tag).u8(has_children ? 1 : 0);
  for (const auto &[name, form] : attributes)
    abbreviations.leb(name).leb(form);
  abbreviations.u16(0);
}

std::size_t DwarfWriter::begin_length(ByteWriter &section) const {
  if (shape_.wide)
    section.u32(0xffff'ffff);
  return section.number(0, offset_size()).size();
}

void DwarfWriter::end_length(ByteWriter &section, std::size_t begin) const {
  section.patch(begin - offset_size(), section.size() - begin, offset_size());
}

ByteWriter &DwarfWriter::begin_unit(unsigned type, std::uint64_t id) {
  constexpr unsigned skeleton = 4, type_unit = 2, split_type = 6, split_compile = 5; // DW_UT_…
  end_unit();
  in_unit_ = true;
  unit_ = begin_length(info);
  info.u16(version_);
  if (version_ >= 5) {
    info.u8(type).u8(shape_.address_size);
    offset(info, 0);
    if (type == skeleton || type == split_compile || type == type_unit || type == split_type)
      info.u64(id);
  } else {
    offset(info, 0);
    info.u8(shape_.address_size);
  }
  return info;
}

void DwarfWriter::end_unit() {
  if (std::exchange(in_unit_, false))
    end_length(info, unit_);
}

void DwarfWriter::write_to(ElfWriter &elf) {
  end_unit();
  abbreviations.u8(0);
  const auto add = [&](const char *name, const ByteWriter &content) {
    if (content.size() != 0)
      elf.section(name, content.text());
  };
  add(".debug_info", info);
  add(".debug_abbrev", abbreviations);
  add(".debug_str", strings);
  add(".debug_str_offsets", string_offsets);
  add(".debug_addr", addresses);
  add(".debug_line", lines);
}

std::size_t EhFrameWriter::cie(const Cie &cie) {
  const std::size_t start = bytes_.size();
  bytes_.u32(0).u32(0).u8(cie.version).string(cie.augmentation);
  const bool sized = cie.augmentation.starts_with('z');
  if (!sized)
    bytes_.raw(cie.augmentation_data);
  bytes_.leb(1).signed_leb(-8);
  if (cie.version == 1)
    bytes_.u8(cie.return_address_register);
  else
    bytes_.leb(cie.return_address_register);
  if (sized)
    bytes_.leb(cie.augmentation_data.size()).raw(cie.augmentation_data);
  bytes_.raw(cie.instructions);
  end(start);
  sized_.emplace_back(start, sized);
  return start;
}

void EhFrameWriter::fde(std::size_t cie, std::uint64_t begin, std::uint64_t size, std::string_view augmentation_data,
                        std::string_view instructions) {
  const std::size_t start = bytes_.size();
  bytes_.u32(0).u32(start + 4 - cie).u64(begin).u64(size);
  if (std::ranges::find(sized_, std::pair(cie, true)) != sized_.end())
    bytes_.leb(augmentation_data.size()).raw(augmentation_data);
  bytes_.raw(instructions);
  end(start);
}

void EhFrameWriter::end(std::size_t start) {
  bytes_.align(8); // with DW_CFA_nop
  // The length itself of 4 bytes: the next entry begins on one of 4.
  bytes_.patch(start, bytes_.size() - start - 4, 4);
}

std::string EhFrameWriter::text() {
  ByteWriter whole = bytes_;
  return whole.u32(0).text();
}

} // namespace inspect::test
