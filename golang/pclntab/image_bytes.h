// Bytes of a Go image by run-time address, without copies where the module's file holds them as they are in memory.
//
//     ImageBytes bytes(memory, &module);
//     auto names = bytes.keep(data.function_names.data, data.function_names.length);   // a view that stays
//     bytes.read(address, small_buffer);
#pragma once

#include "dwarf/module/module.h"
#include "dwarf/raw/elf/elf_image.h"
#include "machine/memory_view.h"

#include <vector>

namespace inspect {

class ImageBytes {
public:
  /// Both must outlive the object. `module` may be null: then everything comes from memory.
  ImageBytes(const MemoryView &memory, const Module *module) : memory_(&memory), module_(module) {}

  /// A view that lives as long as this object and the module.
  Result<std::span<const std::byte>> keep(RunAddress address, std::uint64_t size);
  /// A few bytes, from the file where it holds them.
  bool read(RunAddress address, std::span<std::byte> into) const;

private:
  struct Copy {
    RunRange range;
    LazyBytes bytes;
  };
  std::span<const std::byte> in_file(RunAddress address, std::uint64_t size) const;

  const MemoryView *memory_;
  const Module *module_;
  std::vector<Copy> copies_;
};

} // namespace inspect
