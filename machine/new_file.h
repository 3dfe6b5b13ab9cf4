// A file that has no name until it is complete. Whoever ends before that, be it by a signal, leaves nothing behind, and
// what had the name before stays until the new one takes its place at once.
//
//     auto file = NewFile::create(folder, 0600);
//     …write to file->descriptor()…
//     if (auto done = file->publish("x.units"); !done) …
//
// Sources: open(2), O_TMPFILE; linkat(2); rename(2). Where a file system has no O_TMPFILE (NFS, old overlayfs) the file
// is hidden under a name of its own meanwhile, ".inspect-….part", which only a SIGKILL or a signal's default action
// leaves behind.
#pragma once

#include "machine/error.h"
#include "machine/file_descriptor.h"

#include <string>
#include <sys/types.h>

namespace inspect {

class NewFile {
public:
  /// In a folder that is open; it is borrowed and must outlive the object. The mode is subject to the umask.
  static Result<NewFile> create(int folder, mode_t mode);
  NewFile(NewFile &&other) noexcept = default;
  NewFile &operator=(NewFile &&other) noexcept;
  ~NewFile(); ///< what was not published is gone

  /// For reading and writing.
  int descriptor() const { return file_.get(); }
  /// Gives it this name in its folder, in place of the file that had it.
  Result<void> publish(const std::string &name);

private:
  NewFile(int folder, FileDescriptor file, std::string hidden_name)
      : folder_(folder), file_(std::move(file)), hidden_name_(std::move(hidden_name)) {}

  int folder_;
  FileDescriptor file_;
  std::string hidden_name_; ///< empty: it has none
};

/// How the hidden names end.
inline constexpr std::string_view hidden_name_suffix = ".part";

} // namespace inspect
