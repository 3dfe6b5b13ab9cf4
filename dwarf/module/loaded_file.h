// The memory that an ELF file would make if it were loaded, at its link addresses or with a load bias: its segments,
// zeros where the file ends before the segment does, and the relocations that need no other file.
//
//     auto loaded = LoadedFile::open(std::move(file));
//     auto word = read_word(*loaded->get(), RunAddress{0x4a8000});
//
// Sources: System V gABI chapter 5; psABI for x86-64, "Relocation Types"; DT_RELR in the gABI's draft.
#pragma once

#include "dwarf/module/module.h"
#include "dwarf/raw/elf/elf_image.h"
#include "machine/file_source.h"
#include "machine/memory_view.h"

#include <memory>
#include <vector>

namespace inspect {

class LoadedFile final : public MemoryView {
public:
  /// The errors of ElfImage::from_file.
  static Result<std::unique_ptr<LoadedFile>> open(OpenedFile file, LoadBias bias = {});

  /// A loader may put it anywhere; its link addresses need not begin at 0 (Go's own linker: 0x400000).
  bool position_independent() const { return image_.header().e_type == ET_DYN; }
  /// As a process' maps would show it.
  std::vector<MappedSegment> segments() const;
  Result<void> read(RunAddress address, std::span<std::byte> into) const override;

private:
  struct Segment {
    Elf64_Phdr header{};
    std::span<const std::byte> bytes; ///< the file's part
    LazyBytes relocated;              ///< the same bytes, of a segment that relocations write to
  };
  LoadedFile(ElfImage image, LoadBias bias);
  void relocate();
  void relocate_packed(LinkAddress table, std::uint64_t size);
  void relocate_entries(LinkAddress table, std::uint64_t size);
  void write_word(LinkAddress place, std::uint64_t value);
  const Segment *find(std::uint64_t address) const;
  std::size_t read_some(std::uint64_t address, std::span<std::byte> into) const;

  ElfImage image_;
  LoadBias bias_;
  std::vector<Segment> segments_;
  std::uint64_t symbols_ = 0; ///< DT_SYMTAB
};

} // namespace inspect
