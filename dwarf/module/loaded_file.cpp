#include "dwarf/module/loaded_file.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::uint64_t segment_page = 4096;
constexpr std::uint64_t word = 8;
/// A segment that relocations write to is copied; one that is larger has its words as the file has them.
constexpr std::uint64_t max_relocated_size = std::uint64_t{1} << 30;

} // namespace

LoadedFile::LoadedFile(ElfImage image, LoadBias bias) : image_(std::move(image)), bias_(bias) {
  for (const Elf64_Phdr &header : image_.segments())
    if (header.p_type == PT_LOAD && header.p_memsz != 0 && header.p_vaddr + header.p_memsz > header.p_vaddr)
      segments_.push_back({header, image_.bytes_at(header.p_offset, std::min(header.p_filesz, header.p_memsz)), {}});
}

Result<std::unique_ptr<LoadedFile>> LoadedFile::open(OpenedFile file, LoadBias bias) {
  auto image = ElfImage::from_file(std::move(file.descriptor), file.path);
  if (!image)
    return std::unexpected(image.error());
  std::unique_ptr<LoadedFile> loaded(new LoadedFile(std::move(*image), bias));
  loaded->relocate();
  return loaded;
}

std::vector<MappedSegment> LoadedFile::segments() const {
  std::vector<MappedSegment> all;
  for (const Segment &segment : segments_) {
    if (segment.header.p_filesz == 0)
      continue;
    const std::uint64_t begin = segment.header.p_vaddr / segment_page * segment_page;
    const std::uint64_t end = segment.header.p_vaddr + segment.header.p_filesz;
    const std::uint64_t offset = segment.header.p_offset - (segment.header.p_vaddr - begin);
    const std::uint64_t page_end = (end + segment_page - 1) / segment_page * segment_page;
    all.push_back({{bias_.to_run(LinkAddress{begin}), bias_.to_run(LinkAddress{page_end})},
                   {offset},
                   (segment.header.p_flags & PF_X) != 0});
  }
  std::ranges::sort(all, {}, [](const MappedSegment &segment) { return segment.range.begin; });
  return all;
}

const LoadedFile::Segment *LoadedFile::find(std::uint64_t address) const {
  for (const Segment &segment : segments_)
    if (address >= segment.header.p_vaddr && address - segment.header.p_vaddr < segment.header.p_memsz)
      return &segment;
  return nullptr;
}

/// As many bytes as one segment holds from `address`; 0: none.
std::size_t LoadedFile::read_some(std::uint64_t address, std::span<std::byte> into) const {
  const Segment *segment = find(address);
  if (segment == nullptr)
    return 0;
  const std::uint64_t inside = address - segment->header.p_vaddr;
  const auto count = std::min<std::uint64_t>(into.size(), segment->header.p_memsz - inside);
  const std::size_t in_file =
      inside < segment->bytes.size() ? std::min<std::uint64_t>(count, segment->bytes.size() - inside) : 0;
  const std::byte *from = segment->relocated ? segment->relocated.get() : segment->bytes.data();
  if (in_file != 0)
    std::memcpy(into.data(), from + inside, in_file);
  std::ranges::fill(into.subspan(in_file, count - in_file), std::byte{});
  return count;
}

Result<void> LoadedFile::read(RunAddress address, std::span<std::byte> into) const {
  for (std::size_t done = 0; done < into.size();) {
    const std::size_t count = read_some(bias_.to_link(address).value + done, into.subspan(done));
    if (count == 0)
      return std::unexpected(
          Error(ErrorKind::unreadable, fmt::format("no segment of the file holds {:#x}", address.value + done)));
    done += count;
  }
  return {};
}

void LoadedFile::relocate() {
  std::uint64_t entries = 0, entries_size = 0, packed = 0, packed_size = 0;
  for (const Elf64_Dyn &entry : image_.dynamic_entries()) {
    switch (entry.d_tag) {
    case DT_RELA:
      entries = entry.d_un.d_ptr;
      break;
    case DT_RELASZ:
      entries_size = entry.d_un.d_val;
      break;
    case DT_RELR:
      packed = entry.d_un.d_ptr;
      break;
    case DT_RELRSZ:
      packed_size = entry.d_un.d_val;
      break;
    case DT_SYMTAB:
      symbols_ = entry.d_un.d_ptr;
      break;
    default:
      break;
    }
  }
  relocate_entries({entries}, entries_size);
  if (bias_ != LoadBias{}) // its words are in the file what they are at load bias 0
    relocate_packed({packed}, packed_size);
}

void LoadedFile::relocate_entries(LinkAddress table, std::uint64_t size) {
  const auto rest = image_.bytes_from(table);
  const auto bytes = rest.first(std::min<std::uint64_t>(size, rest.size()));
  for (std::size_t at = 0; at + sizeof(Elf64_Rela) <= bytes.size(); at += sizeof(Elf64_Rela)) {
    Elf64_Rela entry;
    std::memcpy(&entry, bytes.data() + at, sizeof entry);
    const LinkAddress place{entry.r_offset};
    const auto addend = static_cast<std::uint64_t>(entry.r_addend);
    if (ELF64_R_TYPE(entry.r_info) == R_X86_64_RELATIVE) {
      write_word(place, addend + bias_.value);
    } else if (ELF64_R_TYPE(entry.r_info) == R_X86_64_64 || ELF64_R_TYPE(entry.r_info) == R_X86_64_GLOB_DAT) {
      const auto symbol_bytes = image_.bytes_from({symbols_ + ELF64_R_SYM(entry.r_info) * sizeof(Elf64_Sym)});
      Elf64_Sym symbol;
      if (symbol_bytes.size() < sizeof symbol)
        continue;
      std::memcpy(&symbol, symbol_bytes.data(), sizeof symbol);
      if (symbol.st_shndx != SHN_UNDEF)
        write_word(place, symbol.st_value + addend + bias_.value);
    }
  }
}

/// An even word is a place; an odd one says with its bits which of the 63 words behind are places, too.
void LoadedFile::relocate_packed(LinkAddress table, std::uint64_t size) {
  const auto rest = image_.bytes_from(table);
  const auto bytes = rest.first(std::min<std::uint64_t>(size, rest.size()));
  const auto add_bias = [&](std::uint64_t place) {
    std::uint64_t value = 0;
    const auto into = std::as_writable_bytes(std::span(&value, 1));
    if (read_some(place, into) == word)
      write_word({place}, value + bias_.value);
  };
  std::uint64_t next = 0;
  for (std::size_t at = 0; at + word <= bytes.size(); at += word) {
    std::uint64_t entry = 0;
    std::memcpy(&entry, bytes.data() + at, word);
    if ((entry & 1) == 0) {
      add_bias(entry);
      next = entry + word;
      continue;
    }
    for (std::uint64_t bit = 1; bit < 64; ++bit)
      if ((entry >> bit & 1) != 0)
        add_bias(next + (bit - 1) * word);
    next += 63 * word;
  }
}

void LoadedFile::write_word(LinkAddress place, std::uint64_t value) {
  const auto *found = find(place.value);
  if (found == nullptr)
    return;
  auto &segment = segments_[static_cast<std::size_t>(found - segments_.data())];
  const std::uint64_t inside = place.value - segment.header.p_vaddr;
  if (segment.bytes.size() < word || segment.bytes.size() > max_relocated_size || inside > segment.bytes.size() - word)
    return;
  if (!segment.relocated) {
    segment.relocated.reset(static_cast<std::byte *>(std::malloc(segment.bytes.size())));
    if (!segment.relocated)
      return;
    std::memcpy(segment.relocated.get(), segment.bytes.data(), segment.bytes.size());
  }
  std::memcpy(segment.relocated.get() + inside, &value, sizeof value);
}

} // namespace inspect
