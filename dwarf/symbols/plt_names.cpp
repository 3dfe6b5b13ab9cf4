#include "dwarf/symbols/plt_names.h"

#include "machine/cancellation_point.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>

namespace inspect {
namespace {

constexpr std::array plt_sections = {".plt", ".plt.sec", ".plt.got", ".iplt"};

struct Slot {
  std::uint32_t name = 0;
  LinkAddress target;
};

/// What the relocations put into the GOT.
struct Relocations {
  std::unordered_map<std::uint64_t, Slot> by_slot;
  std::vector<Slot> lazy; ///< of .rela.plt, in its order: the number that a lazy entry pushes
};

template <typename T> T load(std::span<const std::byte> bytes, std::uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::optional<ImageSection> find(const std::vector<ImageSection> &sections, std::string_view name) {
  const auto found = std::ranges::find(sections, name, &ImageSection::name);
  return found != sections.end() ? std::optional(*found) : std::nullopt;
}

Relocations read_relocations(const ElfImage &image, const std::vector<ImageSection> &sections,
                             std::span<const std::byte> symbols) {
  Relocations all;
  for (const ImageSection &section : sections) {
    const bool lazy = section.name == ".rela.plt";
    if (section.header.sh_type != SHT_RELA || (section.header.sh_flags & SHF_ALLOC) == 0)
      continue;
    const auto bytes = image.content(section);
    for (std::uint64_t at = 0; at + sizeof(Elf64_Rela) <= bytes.size(); at += sizeof(Elf64_Rela)) {
      cancellation_point();
      const auto relocation = load<Elf64_Rela>(bytes, at);
      const auto type = ELF64_R_TYPE(relocation.r_info);
      Slot slot;
      if (type == R_X86_64_IRELATIVE)
        slot.target = LinkAddress{static_cast<std::uint64_t>(relocation.r_addend)};
      const std::uint64_t symbol = ELF64_R_SYM(relocation.r_info) * sizeof(Elf64_Sym);
      if ((type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT) && symbol + sizeof(Elf64_Sym) <= symbols.size())
        slot.name = load<Elf64_Sym>(symbols, symbol).st_name;
      if (lazy)
        all.lazy.push_back(slot);
      if (slot.name != 0 || slot.target.value != 0)
        all.by_slot[relocation.r_offset] = slot;
    }
  }
  return all;
}

std::uint64_t entry_size(const ImageSection &section, std::span<const std::byte> bytes) {
  if (section.header.sh_entsize == 8 || section.header.sh_entsize == 16)
    return section.header.sh_entsize;
  const bool bare_jump = bytes.size() >= 2 && bytes[0] == std::byte{0xff} && bytes[1] == std::byte{0x25};
  return section.name == ".plt.got" && bare_jump ? 8 : 16;
}

/// The slot of one entry: of its `jmp *slot(%rip)` (ff 25), or of the number it pushes (68).
std::optional<Slot> slot_of(std::span<const std::byte> entry, LinkAddress address, const Relocations &relocations) {
  for (std::size_t at = 0; at + 6 <= entry.size(); ++at) {
    if (entry[at] != std::byte{0xff} || entry[at + 1] != std::byte{0x25})
      continue;
    const auto displacement = static_cast<std::int64_t>(load<std::int32_t>(entry, at + 2));
    const auto found = relocations.by_slot.find(address.value + at + 6 + static_cast<std::uint64_t>(displacement));
    if (found != relocations.by_slot.end())
      return found->second;
  }
  constexpr std::array endbr64 = {std::byte{0xf3}, std::byte{0x0f}, std::byte{0x1e}, std::byte{0xfa}};
  const std::size_t push = entry.size() >= 16 && std::ranges::equal(entry.first(4), endbr64) ? 4 : 0;
  if (entry.size() >= 16 && entry[push] == std::byte{0x68}) {
    const auto number = load<std::uint32_t>(entry, push + 1);
    if (number < relocations.lazy.size())
      return relocations.lazy[number];
  }
  return std::nullopt;
}

} // namespace

PltNames read_plt_names(const ElfImage &image) {
  PltNames result;
  const std::vector<ImageSection> sections = image.sections();
  std::span<const std::byte> symbols;
  if (const auto dynamic = find(sections, ".dynsym")) {
    symbols = image.content(*dynamic);
    const auto names = std::ranges::find(sections, dynamic->header.sh_link,
                                         [](const ImageSection &one) { return elf_ndxscn(one.section); });
    if (names != sections.end())
      result.names = image.content(*names);
  }
  const Relocations relocations = read_relocations(image, sections, symbols);
  for (const char *name : plt_sections) {
    const auto section = find(sections, name);
    if (!section || (section->header.sh_flags & SHF_EXECINSTR) == 0)
      continue;
    const auto bytes = image.content(*section);
    const std::uint64_t size = entry_size(*section, bytes);
    for (std::uint64_t at = 0; at + size <= bytes.size(); at += size) {
      const LinkAddress address{section->header.sh_addr + at};
      const auto slot = slot_of(bytes.subspan(at, size), address, relocations);
      if (slot && (slot->name != 0 || slot->target.value != 0))
        result.entries.push_back({address, static_cast<std::uint32_t>(size), slot->name, slot->target});
    }
  }
  return result;
}

} // namespace inspect
