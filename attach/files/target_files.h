// Opens the files a process has mapped, as the process sees them: the very inode through /proc/PID/map_files where
// the kernel allows it, else the mapping's path below /proc/PID/root or below our root with the same inode, else
// /proc/PID/exe where it is the executable, else nothing: then the caller reads the image from memory. An upgraded or
// deleted file is thus never taken for the mapped one. No file system that stops answering holds it up
// (attach/files/file_opener.h).
#pragma once

#include "attach/files/file_opener.h"
#include "attach/procfs/memory_map.h"
#include "machine/file_source.h"

#include <string>
#include <sys/types.h>

namespace inspect {

class TargetFiles final : public FileSource {
public:
  explicit TargetFiles(pid_t process) : process_(process) {}

  /// The file behind one mapping; not_found when only its memory image is left, or it is not a file at all. timed_out:
  /// it does not answer, and whoever touches the mapping may wait for ever, too. unsupported: it may not answer and is
  /// too large to be copied. cancelled.
  Result<OpenedFile> open_mapped(const Mapping &mapping) const;
  /// Any path: below the target's root, then below ours. timed_out, unsupported and cancelled as above.
  Result<OpenedFile> open(const std::string &path) const override;
  /// Below our root alone.
  Result<OpenedFile> open_here(const std::string &path) const override;
  /// A path below the target's root alone, opened with the rights of its user and not with more: for files whose
  /// content is shown.
  Result<OpenedFile> open_as_target(const std::string &path) const;
  /// Whether a device, as mappings have it, is known to be of a file system that can stop answering.
  bool is_remote(std::uint64_t device) const { return opener_.is_remote(process_, device); }
  /// Ends waits for files; it must outlive this object.
  void cancel_with(const Cancellation *cancellation) { opener_.cancel_with(cancellation); }

private:
  Result<FoundFile> open_map_file(const Mapping &mapping) const;
  Result<FoundFile> open_by_path(const Mapping &mapping) const;
  Result<FoundFile> open_executable(const Mapping &mapping) const;

  pid_t process_;
  mutable FileOpener opener_;
};

} // namespace inspect
