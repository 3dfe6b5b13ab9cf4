// Opens a regular file for reading, and nothing else: opening a device, a pipe or a terminal may do things. The path is
// looked up below a root directory that symbolic links do not lead out of, or plainly.
//
//     RegularFile file = open_regular_file("/proc/42/root", "/app/main.go", nullptr);
//     if (!file.descriptor) …file.error…
//
// It waits as long as the file system does (attach/files/file_opener.h does not), and uses neither the heap nor locks,
// so that a forked copy of a program with threads may call it.
//
// Sources: man pages openat2(2), path_resolution(7).
#pragma once

#include "machine/file_descriptor.h"

#include <cstdint>
#include <sys/stat.h>

namespace inspect {

struct FileRights; // attach/procfs/file_rights.h

struct RegularFile {
  FileDescriptor descriptor;
  struct stat status {};
  int error = 0; ///< without a descriptor, why: ENOENT also where it is no regular file
};

/// `root` may be null: our own. With `rights` the path is looked up and opened with those, which the calling process is
/// left with: only a process that does nothing else may ask for that.
RegularFile open_regular_file(const char *root, const char *path, const FileRights *rights);

/// The id of the mount that an open file is on (attach/procfs/mount_table.h); 0 where the kernel does not say.
std::uint64_t mount_id_of(int descriptor);

/// A path below a root directory, opened with O_PATH as openat2(2) does with RESOLVE_IN_ROOT, one name after the other:
/// for kernels before Linux 5.6 and for filters that forbid that call. -1 with errno.
int open_below_by_names(int root, const char *path);

} // namespace inspect
