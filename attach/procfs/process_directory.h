// One process' directory in /proc, held open: everything read through it is of the same process, even when the number
// is given to another one meanwhile (the kernel then answers ESRCH), and each file costs no walk from the root.
//
//     auto directory = ProcessDirectory::open(42);
//     std::string buffer;                                  // reused from process to process
//     auto text = directory->read("stat", buffer);
//
// For lists of thousands of processes; for facts about one there are the functions of attach/procfs/process_list.h.
// Source: man page proc(5).
#pragma once

#include "machine/error.h"
#include "machine/file_descriptor.h"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/types.h>

namespace inspect {

/// What a file is, whatever its name: two processes that run the same executable have the same.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  friend auto operator<=>(const FileIdentity &, const FileIdentity &) = default;
};

class ProcessDirectory {
public:
  /// no_such_process when there is none.
  static Result<ProcessDirectory> open(pid_t process);
  /// Of a thread through which its files can be seen: a leader that ended before its other threads shows none.
  /// no_such_process when all of it has ended.
  static Result<ProcessDirectory> open_living(pid_t process);

  /// The effective user: the kernel gives the directory to him, also where its files belong to root.
  Result<uid_t> owner() const;
  /// All of a small file ("stat", "cmdline", "cgroup"); the result lies in `buffer`. no_such_process when it ended.
  Result<std::string_view> read(const char *name, std::string &buffer) const;
  /// What a symbolic link says ("exe", "ns/pid"), as it is.
  Result<std::string> link(const char *name) const;
  /// Its own attributes, those of no other file: who owns "status" tells whether the process is dumpable.
  Result<struct stat> attributes(const char *name) const;
  /// Opened for reading.
  Result<FileDescriptor> open_file(const char *name) const;

private:
  ProcessDirectory(pid_t process, FileDescriptor directory) : process_(process), directory_(std::move(directory)) {}
  Error failure(int error_number, const char *name) const;

  pid_t process_;
  FileDescriptor directory_;
};

} // namespace inspect
