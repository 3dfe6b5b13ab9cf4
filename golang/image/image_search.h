// Finds the pclntab and the moduledata in an image that may have lost its symbols and its section headers.
#pragma once

#include "dwarf/module/module.h"
#include "machine/memory_view.h"

#include <functional>
#include <vector>

namespace inspect {

/// What the section headers tell of an image.
struct GoSections {
  bool any = false; ///< there are section headers
  bool go = false;  ///< one of them is the Go linker's
  std::vector<RunAddress> pclntab;
  std::vector<RunAddress> module_data;
};
GoSections go_sections(const Module &module);

/// Addresses that a pclntab header of any version is at, those older than Go 1.16 included: by its magic number.
std::vector<RunAddress> search_pclntab(const Module &module);

/// Calls `visit` with the place of each word in the image's data (as it is in memory) that is one of `values`, until it
/// returns false.
void search_words(const Module &module, const MemoryView &memory, const std::vector<RunAddress> &values,
                  const std::function<bool(RunAddress)> &visit);

/// The file was packed by UPX: it has its mark.
bool is_packed_by_upx(const Module &module);

} // namespace inspect
