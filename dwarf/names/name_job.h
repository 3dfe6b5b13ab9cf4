// The table of names of one module: from the cache, from the worker inspect-dwarfindex, or made here. Nothing of libdw
// is in it, so that it may be done in any thread: from open descriptors alone.
//
//     NameJob job = name_job(module);                               // in the thread that owns the module
//     auto names = open_names(job, default_unit_index_options());   // anywhere
#pragma once

#include "dwarf/module/module.h"
#include "dwarf/raw/names/name_table.h"
#include "dwarf/unit_index/unit_index.h"
#include "machine/cancellation.h"
#include "machine/file_descriptor.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace inspect {

struct NameJob {
  std::string path;          ///< of the module, for messages
  FileDescriptor descriptor; ///< of the file that has its DWARF; none: there is none
  FileDescriptor common;     ///< of the file that .gnu_debugaltlink names; none: there is none
  FileDescriptor package;    ///< of its .dwp package; none: there is none
  std::vector<std::uint8_t> build_id;
  const FileSource *files = nullptr; ///< opens its .dwo files; must outlive the job
};

/// Opens what the module's debug information is in.
NameJob name_job(Module &module);

/// The worker is not worth its start for files with less .debug_info, in bytes.
inline constexpr std::uint64_t large_for_names = 8 << 20;
inline constexpr std::chrono::milliseconds deadline_for_names{120'000};

struct OpenedNames {
  NameTable table;
  std::vector<std::string> warnings;
  bool from_cache = false;
  bool by_worker = false;
};

/// `large`: from which size of .debug_info the cache and the worker are used. `options.deadline` is for the worker;
/// when that fails, all is done here. not_found: the file has no DWARF; cancelled; corrupt; system.
Result<OpenedNames> open_names(const NameJob &job, const UnitIndexOptions &options,
                               const Cancellation *cancellation = nullptr, std::uint64_t large = large_for_names);

} // namespace inspect
