// The headers that all readers of ELF share: both classes, tables that lie, notes of both alignments.
#include "machine/elf_headers.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <string_view>

namespace inspect {
namespace {

using Bytes = std::vector<std::byte>;

template <typename T> void append(Bytes &bytes, const T &value) {
  const auto raw = std::as_bytes(std::span(&value, 1));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

Result<ElfHeaders> headers_in(const Bytes &bytes) {
  return read_elf_headers([&](FileOffset at, std::span<std::byte> into) -> Result<void> {
    if (at.value > bytes.size() || into.size() > bytes.size() - at.value)
      return std::unexpected(Error(ErrorKind::corrupt, "beyond the end"));
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at.value), into.size(), into.begin());
    return {};
  });
}

template <typename Header, typename Segment> Bytes image(unsigned char elf_class, unsigned count = 1) {
  Header header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = elf_class;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_entry = 0x401000;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Segment);
  header.e_phnum = static_cast<decltype(header.e_phnum)>(count);
  header.e_shoff = 0x1234;
  header.e_shstrndx = 7;
  Bytes bytes;
  append(bytes, header);
  Segment segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_X;
  segment.p_offset = 0x1000;
  segment.p_vaddr = 0x401000;
  segment.p_filesz = 0x200;
  segment.p_memsz = 0x300;
  segment.p_align = 0x1000;
  append(bytes, segment);
  return bytes;
}

Bytes note(std::string_view name, std::uint32_t type, std::size_t size, std::size_t alignment) {
  Bytes bytes;
  append(bytes, Elf64_Nhdr{static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(size), type});
  for (const char c : name)
    append(bytes, c);
  bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
  for (std::size_t i = 0; i < size; ++i)
    append(bytes, static_cast<unsigned char>(0xa0 + i));
  bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
  return bytes;
}

constexpr std::string_view gnu{"GNU", 4};

TEST_CASE("headers of 32-bit files say the same in the 64-bit structures") {
  const auto wide = headers_in(image<Elf64_Ehdr, Elf64_Phdr>(ELFCLASS64));
  const auto narrow = headers_in(image<Elf32_Ehdr, Elf32_Phdr>(ELFCLASS32));
  for (const auto *headers : {&wide, &narrow}) {
    REQUIRE(*headers);
    CHECK((*headers)->file.e_entry == 0x401000);
    CHECK((*headers)->file.e_shoff == 0x1234);
    CHECK((*headers)->file.e_shstrndx == 7);
    REQUIRE((*headers)->segments.size() == 1);
    const Elf64_Phdr &segment = (*headers)->segments[0];
    CHECK(segment.p_type == PT_LOAD);
    CHECK(segment.p_flags == (PF_R | PF_X));
    CHECK(segment.p_offset == 0x1000);
    CHECK(segment.p_vaddr == 0x401000);
    CHECK(segment.p_filesz == 0x200);
    CHECK(segment.p_memsz == 0x300);
  }
  CHECK(wide->is_64_bit());
  CHECK_FALSE(narrow->is_64_bit());
}

TEST_CASE("what is not an ELF image, or has malformed program headers, is refused") {
  const Bytes sound = image<Elf64_Ehdr, Elf64_Phdr>(ELFCLASS64);
  CHECK(headers_in({}).error().kind() == ErrorKind::corrupt); // the reader's own error
  const auto changed = [&](std::size_t at, unsigned char value) {
    Bytes bytes = sound;
    bytes[at] = std::byte(value);
    return headers_in(bytes);
  };
  CHECK(changed(1, 'e').error().kind() == ErrorKind::unsupported);
  CHECK(changed(EI_DATA, ELFDATA2MSB).error().message() == "a big-endian ELF file");
  CHECK(changed(offsetof(Elf64_Ehdr, e_phentsize), 8).error().message() == "the program headers are malformed");
  CHECK(changed(offsetof(Elf64_Ehdr, e_phnum) + 1, 0xff).error().kind() == ErrorKind::corrupt);
  CHECK(changed(offsetof(Elf64_Ehdr, e_phnum), 2).error().message() == "reading the program headers: beyond the end");
  for (std::size_t size = 0; size < sound.size(); ++size)
    CHECK_FALSE(headers_in({sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(size)}));
}

TEST_CASE("a link-time address is found in the file bytes of the segment that loads it, and nowhere else") {
  const auto headers = headers_in(image<Elf64_Ehdr, Elf64_Phdr>(ELFCLASS64));
  REQUIRE(headers);
  const auto first = file_part_at(headers->segments, LinkAddress{0x401000});
  const auto last = file_part_at(headers->segments, LinkAddress{0x4011ff});
  REQUIRE(first);
  REQUIRE(last);
  CHECK(first->offset.value == 0x1000);
  CHECK(first->size == 0x200);
  CHECK(last->size == 1);
  CHECK_FALSE(file_part_at(headers->segments, LinkAddress{0x401200})); // memory without file bytes
  CHECK_FALSE(file_part_at(headers->segments, LinkAddress{0x400fff}));
  CHECK(find_segment(headers->segments, PT_LOAD) != nullptr);
  CHECK(find_segment(headers->segments, PT_DYNAMIC) == nullptr);
}

TEST_CASE("dynamic entries end at DT_NULL or where the bytes do") {
  Bytes wide, narrow;
  for (const std::uint32_t tag : {DT_NEEDED, DT_STRTAB, DT_NULL, DT_NEEDED}) {
    append(wide, Elf64_Dyn{tag, {tag + 7ull}});
    append(narrow, Elf32_Dyn{static_cast<Elf32_Sword>(tag), {tag + 7u}});
  }
  for (const auto &entries : {decode_dynamic_entries(wide, true), decode_dynamic_entries(narrow, false)}) {
    REQUIRE(entries.size() == 2);
    CHECK(entries[1].d_tag == DT_STRTAB);
    CHECK(entries[1].d_un.d_val == DT_STRTAB + 7);
  }
  CHECK(decode_dynamic_entries(std::span(wide).first(20), true).size() == 1);
}

TEST_CASE("a build-id is found behind other notes of either alignment, and only in a sound note") {
  for (const std::size_t alignment : {4, 8}) {
    Bytes notes = note(gnu, NT_GNU_PROPERTY_TYPE_0, 12, alignment);
    const Bytes id = note(gnu, NT_GNU_BUILD_ID, 20, alignment);
    notes.insert(notes.end(), id.begin(), id.end());
    const auto found = find_build_id(notes, alignment);
    REQUIRE(found.size() == 20);
    CHECK(to_hex(found).starts_with("a0a1a2"));
    CHECK(find_build_id(std::span(notes).first(notes.size() - 5), alignment).empty());
  }
  CHECK(find_build_id(note({"GNX", 4}, NT_GNU_BUILD_ID, 20, 4), 4).empty());
  CHECK(find_build_id(note(gnu, NT_GNU_BUILD_ID, 0, 4), 4).empty());
  CHECK(find_build_id(note(gnu, NT_GNU_BUILD_ID, max_build_id_size, 4), 4).size() == max_build_id_size);
  CHECK(find_build_id(note(gnu, NT_GNU_BUILD_ID, max_build_id_size + 1, 4), 4).empty());
}

} // namespace
} // namespace inspect
