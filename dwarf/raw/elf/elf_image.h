// One opened ELF image, a file's or one put together from memory, with the look-ups that both the loader's view
// (program headers) and the linker's view (sections) need. Every offset and size in it is taken as hostile: what does
// not lie inside the image is as good as absent. Its header and program headers are decoded by machine/elf_headers.h;
// sections are libelf's, which uncompresses them and hands them to libdw. (machine/elf_file.h is the view for questions
// that need neither, of files that are not mapped.)
//
//     auto image = ElfImage::from_file(std::move(descriptor), "/usr/bin/true");
//     for (const Elf64_Phdr &segment : image->segments()) …
//
// Sources: System V gABI chapters 4 and 5, elf(5), elf(3).
#pragma once

#include "machine/address.h"
#include "machine/elf_headers.h"
#include "machine/error.h"
#include "machine/file_descriptor.h"

#include <cstddef>
#include <cstdint>
#include <gelf.h>
#include <libelf.h>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

/// Memory from calloc, so that pages nobody wrote to cost nothing.
struct FreeDeleter {
  void operator()(std::byte *bytes) const;
};
using LazyBytes = std::unique_ptr<std::byte[], FreeDeleter>;

struct ImageSection {
  Elf_Scn *section = nullptr;
  GElf_Shdr header{};
  std::string_view name;
};

/// Whether a section is the one wanted (".debug_info"), or that one as it was called when compressed sections had names
/// of their own (".zdebug_info", up to Go 1.18 and binutils 2.25): "ZLIB", the size in 8 bytes, big-endian, zlib's
/// data.
bool is_debug_section(std::string_view name, std::string_view wanted);

/// The headers of libelf's handle. corrupt: they are malformed or reach beyond the file.
Result<ElfHeaders> headers_of(Elf *elf);
/// All sections of libelf's handle that have a header, with their names.
std::vector<ImageSection> sections_of(Elf *elf);

class ElfImage {
public:
  /// Maps the file. unsupported: no ELF, not 64-bit little-endian x86-64; corrupt: headers that cannot be, or a file
  /// larger than any is (dwarf/raw/elf/section_limits.h).
  static Result<ElfImage> from_file(FileDescriptor descriptor, const std::string &path);
  static Result<ElfImage> from_bytes(LazyBytes bytes, std::size_t size, const std::string &path);

  Elf *elf() const { return elf_.get(); }
  int descriptor() const { return descriptor_.get(); } ///< -1 for an image from memory
  const Elf64_Ehdr &header() const { return headers_.file; }
  /// All program headers.
  const std::vector<Elf64_Phdr> &segments() const { return headers_.segments; }
  /// The dynamic section's entries before DT_NULL, as far as they are in the file.
  std::vector<Elf64_Dyn> dynamic_entries() const;
  /// What one of their pointers leads to, up to the end of its segment's file part: in a file it is a link-time
  /// address, in an image taken from memory the dynamic linker may have made it a run-time one. Empty for 0.
  std::span<const std::byte> dynamic_bytes(std::uint64_t pointer, LoadBias bias) const;
  /// Whether it is a program rather than a library. PT_INTERP does not tell: glibc's libc.so.6 has one too. A position
  /// independent program says so in its dynamic section, or has the entry in which debuggers find its libraries.
  bool is_executable() const;
  /// The whole image as it lies in the file.
  std::span<const std::byte> bytes() const { return bytes_; }
  /// A part of it; empty where any byte of it is outside.
  std::span<const std::byte> bytes_at(std::uint64_t offset, std::uint64_t size) const;
  /// File bytes that a PT_LOAD puts at a link-time address, up to the end of that segment's file part.
  std::span<const std::byte> bytes_from(LinkAddress address) const;

  std::vector<ImageSection> sections() const { return sections_of(elf_.get()); }
  std::optional<ImageSection> section(std::string_view name) const;
  /// The (uncompressed) content; empty where it has none or lies outside the image.
  std::span<const std::byte> content(const ImageSection &section) const;

  /// Sections that ask for too much and are taken as empty, as dwarf/raw/elf/section_limits.h says: a sentence each.
  const std::vector<std::string> &dropped_sections() const { return dropped_sections_; }

  /// From PT_NOTE, which needs no section headers; else from note sections. Empty: none.
  std::vector<std::uint8_t> build_id() const;
  /// The other way round: in a separate debug file the offsets of the program headers are the original file's.
  std::vector<std::uint8_t> debug_file_build_id() const;

private:
  struct EndElf {
    void operator()(Elf *elf) const { elf_end(elf); }
  };
  ElfImage() = default;
  static Result<ElfImage> check(ElfImage image, const std::string &path, std::uint64_t bytes_on_disk);
  std::vector<std::uint8_t> build_id_of_segments() const;
  std::vector<std::uint8_t> build_id_of_sections() const;

  FileDescriptor descriptor_;
  LazyBytes owned_bytes_;
  std::unique_ptr<Elf, EndElf> elf_;
  ElfHeaders headers_;
  std::span<const std::byte> bytes_;
  std::vector<std::string> dropped_sections_;
};

} // namespace inspect
