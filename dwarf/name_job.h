// Makes the table of names of one file, with nothing of libdw, so that it may be done in any thread: from open
// descriptors alone.
//
//     NameJob job = name_job(module);                      // in the thread that owns the module
//     Result<NameTable> names = make_names(job, &cancel);  // anywhere
#pragma once

#include "dwarf/module.h"
#include "dwarf/name_table.h"
#include "machine/cancellation.h"
#include "machine/file_descriptor.h"

#include <cstdint>
#include <string>
#include <vector>

namespace inspect {

struct NameJob {
  std::string path;          ///< of the module, for messages
  FileDescriptor descriptor; ///< of the file that has its DWARF; none: there is none
  FileDescriptor common;     ///< of the file that .gnu_debugaltlink names; none: there is none
  std::vector<std::uint8_t> build_id;
};

/// Opens what the module's debug information is in.
NameJob name_job(Module &module);

struct MadeNames {
  NameTable table;
  std::vector<std::string> warnings;
};

/// not_found: the file has no DWARF; cancelled; corrupt; system.
Result<MadeNames> make_names(const NameJob &job, const Cancellation *cancellation);

} // namespace inspect
