#include "dwarf/cfi/eh_frame_place.h"

#include "dwarf/raw/elf/byte_reader.h"
#include "dwarf/raw/elf/elf_image.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <dwarf.h>

namespace inspect {
namespace {

using Place = std::expected<std::optional<EhFramePlace>, std::string_view>;

constexpr std::size_t entry_size = 8;

Elf_Data frame_data(const std::byte *bytes, std::size_t size) {
  Elf_Data data{};
  data.d_type = ELF_T_BYTE;
  data.d_buf = std::bit_cast<void *>(bytes); // libdw writes nothing there
  data.d_size = size;
  return data;
}

struct Header {
  std::uint64_t frame_address = 0;
  std::optional<std::span<const std::byte>> entries;
};

/// `address`: where the header is loaded.
std::expected<Header, std::string_view> read_header(std::span<const std::byte> bytes, std::uint64_t address) {
  constexpr std::uint8_t known_version = 1;
  constexpr std::uint64_t pointer_at = 4; // behind the version and the three encodings
  ByteReader reader(bytes);
  const std::uint8_t version = reader.byte();
  const std::uint8_t pointer_encoding = reader.byte();
  const std::uint8_t count_encoding = reader.byte();
  const std::uint8_t table_encoding = reader.byte();
  const auto pointer = static_cast<std::int32_t>(reader.number(4));
  if (!reader.ok() || version != known_version || pointer_encoding != (DW_EH_PE_pcrel | DW_EH_PE_sdata4))
    return std::unexpected("the header of the unwind table has a form that is not read");
  Header header{.frame_address = address + pointer_at + static_cast<std::uint64_t>(std::int64_t{pointer}),
                .entries = {}};
  if (count_encoding == DW_EH_PE_omit)
    return header;
  const std::uint64_t count = reader.number(4);
  if (!reader.ok() || count_encoding != DW_EH_PE_udata4)
    return std::unexpected("the header of the unwind table has a form that is not read");
  if (count == 0 || table_encoding == DW_EH_PE_omit)
    return header;
  if (table_encoding != (DW_EH_PE_datarel | DW_EH_PE_sdata4))
    return std::unexpected("the search table of the unwind table has a form that is not read");
  if (count * entry_size > reader.left())
    return std::unexpected("the search table of the unwind table is cut off");
  header.entries = bytes.subspan(reader.position(), count * entry_size);
  return header;
}

std::span<const std::byte> raw_content(Elf_Scn *section) {
  const Elf_Data *data = elf_rawdata(section, nullptr);
  if (data == nullptr || data->d_buf == nullptr)
    return {};
  return {static_cast<const std::byte *>(data->d_buf), data->d_size};
}

std::optional<EhFrameSearchTable> table_of(const Header &header, std::uint64_t address) {
  if (!header.entries)
    return std::nullopt;
  return EhFrameSearchTable{*header.entries, address, header.frame_address};
}

Place place_of_section(const ImageSection &frame, const std::optional<ImageSection> &its_header) {
  const auto bytes = frame.header.sh_type != SHT_NOBITS ? raw_content(frame.section) : std::span<const std::byte>();
  if (bytes.empty())
    return std::nullopt;
  EhFramePlace place{.data = frame_data(bytes.data(), bytes.size()), .table = {}};
  if (its_header) {
    const std::uint64_t address = its_header->header.sh_addr;
    const auto header = read_header(raw_content(its_header->section), address);
    if (!header)
      return std::unexpected(header.error());
    if (header->frame_address == frame.header.sh_addr) // else libdw does not use the table
      place.table = table_of(*header, address);
  }
  return place;
}

Place place_of_segment(const ElfImage &image, const Elf64_Phdr &segment) {
  const auto header = read_header(image.bytes_at(segment.p_offset, segment.p_filesz), segment.p_vaddr);
  if (!header)
    return std::unexpected(header.error());
  const std::uint64_t offset = header->frame_address - segment.p_vaddr + segment.p_offset;
  if (offset >= image.bytes().size())
    return std::unexpected("the unwind table is outside the file");
  // Its end is not known: its terminator stands before it.
  const auto bytes = image.bytes().subspan(offset);
  return EhFramePlace{.data = frame_data(bytes.data(), bytes.size()), .table = table_of(*header, segment.p_vaddr)};
}

} // namespace

std::optional<std::uint64_t> EhFrameSearchTable::find(LinkAddress pc) const {
  const auto number = [&](std::size_t entry, std::size_t half) {
    std::int32_t value = 0;
    std::memcpy(&value, entries.data() + entry * entry_size + half * sizeof value, sizeof value);
    return header_address + static_cast<std::uint64_t>(std::int64_t{value});
  };
  // libdw's steps, which matter where the table is not sorted.
  const std::size_t count = entries.size() / entry_size;
  for (std::size_t low = 0, high = count; low < high;) {
    const std::size_t middle = (low + high) / 2;
    if (pc.value < number(middle, 0)) {
      high = middle;
      continue;
    }
    low = middle + 1;
    if (low == count || pc.value < number(low, 0))
      return number(middle, 1) - frame_address;
  }
  return std::nullopt;
}

EhFrameBy way_to_eh_frame(const ElfImage &image) {
  for (const ImageSection &section : image.sections()) {
    if (section.name == ".eh_frame_hdr")
      return EhFrameBy::sections;
    if (section.name != ".eh_frame")
      continue;
    const auto header = std::ranges::find(image.segments(), PT_GNU_EH_FRAME, &Elf64_Phdr::p_type);
    if (section.header.sh_type == SHT_NOBITS || header == image.segments().end())
      return EhFrameBy::sections;
    const auto read = read_header(image.bytes_at(header->p_offset, header->p_filesz), header->p_vaddr);
    const bool same = read && read->entries && read->frame_address == section.header.sh_addr &&
                      read->frame_address - header->p_vaddr + header->p_offset == section.header.sh_offset;
    return same ? EhFrameBy::program_header : EhFrameBy::sections;
  }
  return EhFrameBy::sections;
}

Place find_eh_frame(const ElfImage &image, EhFrameBy by) {
  std::optional<ImageSection> header;
  if (by == EhFrameBy::sections) {
    for (const ImageSection &section : image.sections()) {
      if (section.name == ".eh_frame_hdr")
        header = section;
      else if (section.name == ".eh_frame")
        return place_of_section(section, header);
    }
  }
  for (const Elf64_Phdr &segment : image.segments())
    if (segment.p_type == PT_GNU_EH_FRAME)
      return place_of_segment(image, segment);
  return std::nullopt;
}

} // namespace inspect
