// What an ELF image says of itself in front: its header, its program headers, the entries of its dynamic section and
// its build-id. All who read ELF images decode them here, wherever the bytes come from: `ElfFile` preads a few of them,
// `ElfImage` (dwarf/raw/elf) has the file mapped, and dwarf/module/memory_image reads a target's memory. Headers of
// 32-bit files are widened to the 64-bit structures. Every number in them is taken as hostile.
//
//     auto headers = read_elf_headers([&](FileOffset at, std::span<std::byte> into) { return read_from(file, at, into);
//     }); for (const Elf64_Phdr &segment : headers->segments) …
//
// Sources: System V gABI, chapters 4 ("Object Files") and 5 ("Program Loading and Dynamic Linking"); man page elf(5).
#pragma once

#include "machine/address.h"
#include "machine/error.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <elf.h>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace inspect {

struct ElfHeaders {
  Elf64_Ehdr file{};
  std::vector<Elf64_Phdr> segments;
  bool is_64_bit() const { return file.e_ident[EI_CLASS] == ELFCLASS64; }
};

/// Fills the span with the bytes of the image at the offset, or fails.
using ElfBytes = std::function<Result<void>(FileOffset, std::span<std::byte>)>;

/// unsupported: no ELF image, or a big-endian one; corrupt: the program headers are malformed; else the errors of
/// `read`.
Result<ElfHeaders> read_elf_headers(const ElfBytes &read);

/// The part of a segment's file bytes that begins at an address.
struct ElfFilePart {
  FileOffset offset;
  std::uint64_t size = 0;
};
/// Where the PT_LOAD segment that holds a link-time address has it in the file; the file may be shorter. Nothing where
/// no file byte is loaded there.
std::optional<ElfFilePart> file_part_at(std::span<const Elf64_Phdr> segments, LinkAddress address);

/// The first segment of a type (PT_…); null without.
const Elf64_Phdr *find_segment(std::span<const Elf64_Phdr> segments, std::uint32_t type);

/// The entries of a dynamic section before DT_NULL, at most `max_dynamic_entries` of them.
constexpr std::size_t max_dynamic_entries = 65536;
std::vector<Elf64_Dyn> decode_dynamic_entries(std::span<const std::byte> bytes, bool is_64_bit);

/// The build-id among the notes of a PT_NOTE segment or SHT_NOTE section, whose alignment decides how they follow each
/// other; empty: none. A description longer than `max_build_id_size` is not a build-id: linkers write 8 to 20 bytes.
constexpr std::size_t max_build_id_size = 64;
std::vector<std::uint8_t> find_build_id(std::span<const std::byte> notes, std::uint64_t alignment);

/// Bytes of a build-id as lower-case hex.
std::string to_hex(std::span<const std::uint8_t> bytes);

/// A structure at an offset of bytes that may end before it.
template <typename T> std::optional<T> value_at(std::span<const std::byte> bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T))
    return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

} // namespace inspect
