#include "dwarf/raw/elf/section_limits.h"

#include "dwarf/raw/elf/elf_image.h"

#include <cstring>
#include <fmt/format.h>
#include <optional>

namespace inspect {
namespace {

template <typename Header> std::optional<Header> header_at(const ElfBytes &read, std::uint64_t offset) {
  Header header;
  return read({offset}, std::as_writable_bytes(std::span(&header, 1))) ? std::optional(header) : std::nullopt;
}

/// What the section says that it unpacks to; 0 where it is not compressed.
std::uint64_t unpacked_size(const Elf64_Shdr &header, std::string_view name, std::span<const std::byte> content) {
  if ((header.sh_flags & SHF_COMPRESSED) != 0)
    return value_at<Elf64_Chdr>(content, 0).value_or(Elf64_Chdr{}).ch_size;
  // Before there was a flag: "ZLIB" and the size, big-endian.
  constexpr std::string_view magic = "ZLIB";
  std::uint64_t size = 0;
  if (!name.starts_with(".zdebug_") || content.size() < magic.size() + sizeof size ||
      std::memcmp(content.data(), magic.data(), magic.size()) != 0)
    return 0;
  std::memcpy(&size, content.data() + magic.size(), sizeof size);
  return __builtin_bswap64(size);
}

class Judge {
public:
  explicit Judge(std::uint64_t bytes_on_disk) : bytes_on_disk_(bytes_on_disk) {}

  /// What is wrong with the size of the section, as the end of a sentence about it; empty: nothing.
  std::string verdict(const Elf64_Shdr &header, std::string_view name, std::span<const std::byte> content) {
    if (const std::uint64_t unpacked = unpacked_size(header, name, content); unpacked != 0) {
      if (unpacked > max_unpacked_unasked && unpacked / max_unpacking_ratio > header.sh_size)
        return fmt::format("unpacks to {} bytes, more than {} times its size", unpacked, max_unpacking_ratio);
      if (unpacked > max_unpacked_size - unpacked_)
        return fmt::format("unpacks to {} bytes, all such sections together to more than {}", unpacked,
                           max_unpacked_size);
      unpacked_ += unpacked;
      return {};
    }
    // What is loaded is judged by whoever reads it: a program may have a gigabyte of zeros in its data.
    const bool may_be_hole = (header.sh_flags & SHF_ALLOC) == 0 || header.sh_type == SHT_DYNSYM;
    if (may_be_hole && bytes_on_disk_ != 0 && header.sh_size > max_size_unasked &&
        header.sh_size / max_sparseness > bytes_on_disk_)
      return fmt::format("has {} bytes in a file that takes {} on disk", header.sh_size, bytes_on_disk_);
    const bool symbols = header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM;
    if (symbols && header.sh_size / sizeof(Elf64_Sym) > max_symbols)
      return fmt::format("has more than {} symbols", max_symbols);
    if ((name == ".eh_frame" || name == ".debug_frame") && header.sh_size > max_unwind_table_size)
      return fmt::format("is larger than {} bytes", max_unwind_table_size);
    return {};
  }

private:
  std::uint64_t bytes_on_disk_;
  std::uint64_t unpacked_ = 0;
};

} // namespace

Result<void> check_section_count(const ElfBytes &read) {
  const auto header = header_at<Elf64_Ehdr>(read, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
      header->e_shoff == 0 || header->e_shnum != 0)
    return {}; // 16 bits count no more than are allowed, and what is no such file others refuse
  const auto first = header_at<Elf64_Shdr>(read, header->e_shoff);
  if (!first || first->sh_size <= max_elf_sections)
    return {};
  return std::unexpected(
      Error(ErrorKind::corrupt, fmt::format("it has {} sections, more than {}", first->sh_size, max_elf_sections)));
}

std::vector<std::string> drop_oversized_sections(Elf *elf, std::uint64_t bytes_on_disk) {
  std::vector<std::string> dropped;
  Judge judge(bytes_on_disk);
  std::size_t size = 0;
  const char *raw = elf_rawfile(elf, &size);
  const auto bytes = std::as_bytes(std::span(raw, raw != nullptr ? size : 0));
  std::size_t names = 0;
  if (elf_getshdrstrndx(elf, &names) != 0)
    names = 0;
  const auto judge_one = [&](Elf_Scn *section, std::string_view name) {
    Elf64_Shdr *header = elf64_getshdr(section);
    if (header == nullptr || header->sh_type == SHT_NOBITS || header->sh_type == SHT_NULL)
      return;
    const bool inside = header->sh_offset <= bytes.size() && header->sh_size <= bytes.size() - header->sh_offset;
    const auto content = inside ? bytes.subspan(header->sh_offset, header->sh_size) : std::span<const std::byte>();
    const std::string why = judge.verdict(*header, name, content);
    if (why.empty())
      return;
    header->sh_type = SHT_NOBITS;
    dropped.push_back(fmt::format("its section {} {}, and is not read", name, why));
  };
  // Before any name is asked for: libelf unpacks a compressed table of names by itself.
  if (Elf_Scn *section = names != 0 ? elf_getscn(elf, names) : nullptr)
    judge_one(section, "with the names of sections");
  for (Elf_Scn *section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
    const Elf64_Shdr *header = elf64_getshdr(section);
    if (header == nullptr || elf_ndxscn(section) == names)
      continue;
    const char *name = names != 0 ? elf_strptr(elf, names, header->sh_name) : nullptr;
    judge_one(section, name != nullptr ? name : "without a name");
  }
  return dropped;
}

} // namespace inspect
