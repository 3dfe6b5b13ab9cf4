// One Go image of a process: where its moduledata is, however much of the file was stripped.
//
// It is found, in this order, by the symbol runtime.firstmoduledata (or a plugin's local.moduledata), by the section
// .go.module (1.26+), and else by scanning the writable segments for a pointer to the pclntab, which in turn is found
// by its section (.gopclntab, .data.rel.ro.gopclntab), by the symbol runtime.pclntab, or by scanning the read-only
// segments for its magic number.
#pragma once

#include "dwarf/module/module_map.h"
#include "golang/image/build_info.h"
#include "golang/pclntab/module_data.h"
#include "golang/pclntab/pclntab.h"

#include <memory>
#include <string>

namespace inspect {

struct GoImage {
  Module *module = nullptr; ///< owned by the ModuleMap
  ModuleData data;
  std::unique_ptr<Pclntab> table;
  GoVersion version;        ///< 0.0: not known; then the pclntab's format tells the oldest possible one
  std::string version_text; ///< "go1.22.1"; empty: not known
};

/// not_found: the module is not a Go image. unsupported: it is one of a Go older than 1.16, or packed (UPX): the
/// message says which, and what to do; or of one newer than those known, whose tables lie otherwise. corrupt: it is
/// one, but its tables are damaged. `memory` is the process' live memory, or a file's image at its link addresses,
/// relocated.
Result<GoImage> open_go_image(Module &module, const MemoryView &memory);

} // namespace inspect
