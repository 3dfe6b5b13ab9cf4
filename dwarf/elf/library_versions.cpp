#include "dwarf/elf/library_versions.h"

#include <Zydis/Zydis.h>
#include <elfutils/libdwfl.h>
#include <fmt/format.h>
#include <lzma.h>
#include <zlib.h>

namespace inspect {

std::string library_versions() {
  const char *libdw = ::dwfl_version(nullptr);
  const ZyanU64 zydis = ::ZydisGetVersion();
  return fmt::format("libdw {}, liblzma {}, zlib {}, Zydis {}.{}.{}", libdw != nullptr ? libdw : "of unknown version",
                     ::lzma_version_string(), ::zlibVersion(), ZYDIS_VERSION_MAJOR(zydis), ZYDIS_VERSION_MINOR(zydis),
                     ZYDIS_VERSION_PATCH(zydis));
}

} // namespace inspect
