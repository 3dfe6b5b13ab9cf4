#include "dwarf/cfi/sectionless_elf.h"

#include "dwarf/raw/elf/elf_image.h"

#include <elf.h>
#include <sys/mman.h>

namespace inspect {

std::unique_ptr<SectionlessElf> SectionlessElf::of(const ElfImage &image) {
  const std::size_t size = image.bytes().size();
  // Of more program headers than this the first section's header would say the number.
  if (image.descriptor() < 0 || size < sizeof(Elf64_Ehdr) || image.header().e_phnum == PN_XNUM)
    return nullptr;
  void *mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, image.descriptor(), 0);
  if (mapped == MAP_FAILED)
    return nullptr;
  std::unique_ptr<SectionlessElf> bare(new SectionlessElf(mapped, size));
  // Only the page that changes counts as memory of ours.
  if (::mprotect(mapped, sizeof(Elf64_Ehdr), PROT_READ | PROT_WRITE) != 0)
    return nullptr;
  auto *header = static_cast<Elf64_Ehdr *>(mapped);
  header->e_shoff = 0;
  header->e_shnum = 0;
  header->e_shstrndx = SHN_UNDEF;
  bare->elf_ = elf_memory(static_cast<char *>(mapped), size);
  return bare->elf_ != nullptr ? std::move(bare) : nullptr;
}

SectionlessElf::~SectionlessElf() {
  elf_end(elf_); // nothing for null
  ::munmap(mapped_, size_);
}

} // namespace inspect
