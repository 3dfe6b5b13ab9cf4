// An ELF image put together from sections that come from elsewhere, for libraries that read ELF images only. Sections
// that lie in a mapped file are mapped once more, privately, and cost nothing until they are read.
//
//     ComposedElf composed;
//     composed.add(".debug_str", bytes, &package);       // mapped from the package's file
//     composed.add(".debug_info", std::move(copied));
//     auto memory = composed.finish();
//
// Source: System V gABI chapter 4; mmap(2).
#pragma once

#include "dwarf/raw/elf/elf_image.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace inspect {

class ComposedElf {
public:
  /// `bytes` are the image's; those that do not lie in its file, since they were compressed, are copied. `tail` is what
  /// shall follow them.
  void add(std::string name, std::span<const std::byte> bytes, const ElfImage *image, std::vector<std::byte> tail = {});
  void add(std::string name, std::vector<std::byte> bytes);

  struct Memory {
    std::shared_ptr<void> owner;
    std::span<std::byte> bytes;
  };
  Result<Memory> finish();

private:
  struct Section {
    std::string name;
    std::span<const std::byte> bytes;
    const ElfImage *image = nullptr;
    std::vector<std::byte> own; ///< of those that are not another's, and what follows those that are
    std::size_t offset = 0;
    std::size_t size() const { return bytes.size() + own.size(); }
  };
  std::vector<Section> sections_;
};

} // namespace inspect
