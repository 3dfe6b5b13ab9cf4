#include "dwarf/raw/elf/debug_pages.h"

#include "dwarf/raw/elf/elf_image.h"

#include <sys/mman.h>
#include <unistd.h>

namespace inspect {
namespace {

/// Small enough to matter little, large enough that reading pages again does not.
constexpr std::uint64_t much = 4 << 20;

/// The whole pages inside a section's content.
std::span<std::byte> pages_of(const void *content, std::size_t size) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(content) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(content) + size) / page * page;
  if (!content || begin >= end)
    return {};
  return {reinterpret_cast<std::byte *>(begin), end - begin};
}

/// Dropping pages of anonymous memory would zero them, so make sure. Linux refuses MADV_WIPEONFORK for a file's mapping
/// and for nothing else that can be here; on anonymous memory it is undone at once.
/// Test: "memory that is not a file's is never given back".
bool is_file_mapping(std::span<std::byte> pages) {
  if (::madvise(pages.data(), pages.size(), MADV_WIPEONFORK) == 0) {
    ::madvise(pages.data(), pages.size(), MADV_KEEPONFORK);
    return false;
  }
  return true;
}

} // namespace

void give_back_pages(std::span<const std::byte> content) {
  const std::span<std::byte> pages = pages_of(content.data(), content.size());
  if (!pages.empty() && is_file_mapping(pages))
    ::madvise(pages.data(), pages.size(), MADV_DONTNEED);
}

DebugPages::DebugPages(Elf *elf) {
  for (const ImageSection &section : sections_of(elf)) {
    if (!section.name.starts_with(".debug_") || section.header.sh_type == SHT_NOBITS ||
        (section.header.sh_flags & SHF_COMPRESSED) != 0)
      continue;
    const Elf_Data *data = elf_rawdata(section.section, nullptr);
    const std::span<std::byte> pages = data ? pages_of(data->d_buf, data->d_size) : std::span<std::byte>{};
    if (!pages.empty() && is_file_mapping(pages))
      sections_.push_back(pages);
  }
}

void DebugPages::used(std::uint64_t bytes) {
  in_use_ += bytes;
  if (in_use_ < much)
    return;
  in_use_ = 0;
  for (const std::span<std::byte> pages : sections_)
    ::madvise(pages.data(), pages.size(), MADV_DONTNEED);
}

} // namespace inspect
