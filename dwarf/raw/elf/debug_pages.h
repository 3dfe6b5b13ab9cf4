// Gives back the memory through which a large file's debug sections are read. libelf maps the file; each page that
// libdw touches brings in its neighbours (16 pages on Linux), and reading the header of every unit of a 400 MB
// .debug_info, which libdw does to find one of them, would leave most of it resident. What is given back is read again
// from the page cache when it is needed; pointers into it stay valid.
//
// Sources: madvise(2), MADV_DONTNEED on a private file mapping; Linux mm/memory.c, do_fault_around.
#pragma once

#include <cstddef>
#include <cstdint>
#include <libelf.h>
#include <span>
#include <vector>

namespace inspect {

/// Gives back the whole pages inside `content`, if it is a mapped file's; nothing otherwise.
void give_back_pages(std::span<const std::byte> content);

class DebugPages {
public:
  /// The .debug_* sections of an image. Those that are not read-only mappings of a file (compressed ones, images from
  /// memory) are left alone.
  explicit DebugPages(Elf *elf);

  /// Says that about this many bytes were brought in; gives all back whenever that has become much.
  void used(std::uint64_t bytes);

  std::size_t mapped_sections() const { return sections_.size(); }

private:
  std::vector<std::span<std::byte>> sections_; ///< whole pages
  std::uint64_t in_use_ = 0;
};

} // namespace inspect
