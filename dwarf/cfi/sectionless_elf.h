// A second libelf handle of a file, in which it has no sections. libdw 0.188 looks for .eh_frame by sections where
// there are any, and overlooks a header (.eh_frame_hdr) that stands behind it, as LLD links them: it then reads the
// table entry by entry, 20 ms and 15 MB for a library of LLVM's. Without sections it takes the program header that
// leads to both.
//
//     const auto bare = SectionlessElf::of(image);
//     Dwarf_CFI *cfi = dwarf_getcfi_elf(bare->elf());
//
// Sources: elfutils 0.188, libdw/dwarf_getcfi_elf.c; elf(3).
#pragma once

#include <cstddef>
#include <libelf.h>
#include <memory>

namespace inspect {

class ElfImage;

class SectionlessElf {
public:
  /// Null: the image is not one of a file, or cannot be mapped once more.
  static std::unique_ptr<SectionlessElf> of(const ElfImage &image);
  ~SectionlessElf();
  SectionlessElf(const SectionlessElf &) = delete;
  SectionlessElf &operator=(const SectionlessElf &) = delete;

  Elf *elf() const { return elf_; }

private:
  SectionlessElf(void *mapped, std::size_t size) : mapped_(mapped), size_(size) {}

  void *mapped_;
  std::size_t size_;
  Elf *elf_ = nullptr;
};

} // namespace inspect
