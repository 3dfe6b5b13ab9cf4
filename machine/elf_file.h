// The headers of an ELF file, read with a handful of preads however large the file is: program headers, section
// headers with their names, the dynamic section's needed libraries. Both classes (32 and 64 bit), little-endian.
//
// This is for questions about a file that no symbol or DWARF is needed for ("what is this program?"), asked of every
// process of a machine: nothing is mapped, nobody waits for a library, and 32-bit programs are answered for too.
// Whoever reads symbols or unwind rules of one program uses `ElfImage` of `dwarf/`, which maps the whole file for
// libdw. Both have their headers decoded by machine/elf_headers.h. Every offset and size in the file is taken as
// hostile: a read beyond the end of the file is an error, and counts are capped.
//
//     auto file = ElfFile::read(descriptor);
//     if (const ElfSection *comment = file->section(".comment")) …file->bytes(comment->offset, comment->size, 4096)
//
// Sources: System V gABI, chapters 4 ("Object Files") and 5 ("Program Loading and Dynamic Linking"); man page elf(5).
#pragma once

#include "machine/address.h"
#include "machine/elf_headers.h"
#include "machine/error.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

struct ElfSection {
  std::string name;
  std::uint32_t type = 0;
  std::uint64_t flags = 0;
  LinkAddress address;
  FileOffset offset;
  std::uint64_t size = 0;
};

class ElfFile {
public:
  /// The descriptor is borrowed and must outlive the object. unsupported: no ELF file, or a big-endian one; corrupt:
  /// headers that reach beyond the file.
  static Result<ElfFile> read(int descriptor);

  bool is_64_bit() const { return headers_.is_64_bit(); }
  std::uint64_t size() const { return size_; }
  const std::vector<ElfSection> &sections() const { return sections_; } ///< empty when they were stripped or are broken
  const std::vector<Elf64_Phdr> &segments() const { return headers_.segments; }
  /// The first section of that name, or null.
  const ElfSection *section(std::string_view name) const;

  /// Fills `into` from `offset` or fails.
  Result<void> read_at(FileOffset offset, std::span<char> into) const;
  /// As many of `count` bytes at `offset` as the file and `limit` allow.
  std::string bytes(FileOffset offset, std::uint64_t count, std::uint64_t limit) const;
  /// Where a link-time address lies in the file: by the PT_LOAD segment that holds it.
  std::optional<FileOffset> offset_of(LinkAddress address) const;

  /// The DT_NEEDED names; empty for static programs.
  std::vector<std::string> needed_libraries() const;
  /// The linker's build-id in lower-case hex; empty without one.
  std::string build_id() const;
  /// The dynamic string table, which holds the names of all dynamic symbols, at most `limit` bytes of it.
  std::string dynamic_strings(std::uint64_t limit) const;

  /// Where `needle` first occurs within `count` bytes from `offset`; only the first `limit` bytes are searched.
  std::optional<FileOffset> find(std::string_view needle, FileOffset offset, std::uint64_t count,
                                 std::uint64_t limit) const;

private:
  ElfFile(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}
  void read_sections();
  std::vector<Elf64_Dyn> dynamic_entries() const;
  ElfFilePart dynamic_string_table(std::span<const Elf64_Dyn> entries) const;

  int descriptor_;
  std::uint64_t size_;
  ElfHeaders headers_;
  std::vector<ElfSection> sections_;
};

} // namespace inspect
