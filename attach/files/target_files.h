// Opens the files a process has mapped, as the process sees them: the very inode through /proc/PID/map_files where
// the kernel allows it, else the mapping's path below /proc/PID/root or below our root with the same inode, else
// /proc/PID/exe where it is the executable, else nothing: then the caller reads the image from memory. An upgraded or
// deleted file is thus never taken for the mapped one.
#pragma once

#include "attach/procfs/memory_map.h"
#include "machine/file_source.h"

#include <optional>
#include <sys/types.h>

namespace inspect {

class TargetFiles final : public FileSource {
public:
  explicit TargetFiles(pid_t process) : process_(process) {}

  /// The file behind one mapping; not_found when only its memory image is left, or it is not a file at all.
  Result<OpenedFile> open_mapped(const Mapping &mapping) const;
  /// Any path: below the target's root, then below ours.
  Result<OpenedFile> open(const std::string &path) const override;

private:
  pid_t process_;
};

} // namespace inspect
