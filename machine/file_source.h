// How the DWARF layer asks for files without knowing /proc: a path as the target names it, opened where the target
// sees it first (its own root, for containers) and in our root second. `attach/` implements it.
#pragma once

#include "machine/error.h"
#include "machine/file_descriptor.h"

#include <string>

namespace inspect {

struct OpenedFile {
  FileDescriptor descriptor;
  std::string path; ///< as the target names it, for display
};

class FileSource {
public:
  virtual ~FileSource() = default;
  /// A regular file, for reading. not_found where neither root has it; timed_out: it does not answer; cancelled.
  virtual Result<OpenedFile> open(const std::string &path) const = 0;
  /// The same, below our own root alone: where libdw would look by itself.
  virtual Result<OpenedFile> open_here(const std::string &path) const = 0;
};

} // namespace inspect
