#include "dwarf/elf/library_versions.h"

#include <elfutils/libdwfl.h>

namespace inspect {

std::string library_versions() {
  const char *version = ::dwfl_version(nullptr);
  return std::string("libdw ") + (version != nullptr ? version : "of unknown version");
}

} // namespace inspect
