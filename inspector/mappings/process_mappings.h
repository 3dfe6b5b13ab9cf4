// The mappings of a process with what each is for: usage, the allocators' statistics and the threads' stacks put
// together. What `maps` prints and `mem` adds up.
//
//     RuntimeReaders readers = open_runtime_readers(*target);
//     …                                                     // copy them, in a stop of the caller's or live
//     auto mappings = read_process_mappings(*target, readers);
//
// Nothing here stops the target. smaps is read once.
#pragma once

#include "allocators/malloc_reader.h"
#include "golang/memstats/go_memory_reader.h"
#include "inspector/mappings/mapping_kind.h"
#include "inspector/target/target.h"

#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace inspect {

/// One of the Go runtimes of a process: the program's, or a c-shared library's.
struct GoRuntimeReader {
  std::string version; ///< "go1.22.1"; empty: not known
  std::string image;   ///< the file that it is in
  std::unique_ptr<GoMemoryReader> reader;
};

/// The statistics that a target keeps itself. Valid until the target's refresh() finds other modules.
struct RuntimeReaders {
  std::vector<GoRuntimeReader> go;             ///< empty: no Go runtime, or none that can be read
  std::unique_ptr<MallocReader> malloc_reader; ///< null: no glibc, or one that cannot be read
  std::vector<std::string> warnings;           ///< why a runtime that is there cannot be read
};

RuntimeReaders open_runtime_readers(Target &target);

struct ProcessMappings {
  pid_t process = 0;
  std::string command;                     ///< the kernel's short name
  std::string executable;                  ///< as the process sees it; empty: not known
  std::vector<ClassifiedMapping> mappings; ///< ascending by address, all of them, [vsyscall] included
  bool measured = false;                   ///< false: only `reserved` is known of the amounts
  std::string why_not_measured;
  std::vector<std::string> warnings; ///< what could not be told apart, and why
};

/// `readers` as open_runtime_readers() gave them. Their arenas are those of the last MallocReader::copy(); Go's ranges
/// are read live. no_such_process, not_permitted.
Result<ProcessMappings> read_process_mappings(Target &target, const RuntimeReaders &readers);

/// Opens the readers and copies malloc's without a stop.
Result<ProcessMappings> read_process_mappings(Target &target);

/// Opens the target, too, and lets all of it go. Where the process may be read but not be opened (no right to its
/// memory, a 32-bit program) the kinds are told from the mappings alone, and a warning says so.
Result<ProcessMappings> read_process_mappings(pid_t process);

} // namespace inspect
