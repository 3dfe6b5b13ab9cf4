// Opens files of processes without ever being held up by them. Files on local file systems are opened as they are.
// Where a process, or this program, sees a mount that can stop answering (attach/procfs/mount_table.h), a process of
// our own opens the file (attach/files/file_worker.h): a local file comes back as it is, any other as a copy in memory,
// so that nobody maps it and waits for its pages. One that does not answer in time costs that time once: the mount is
// remembered.
//
//     FileOpener opener;
//     auto file = opener.open({.process = 42, .root = "/proc/42/root", .path = "/app/libx.so"});
#pragma once

#include "attach/procfs/file_rights.h"
#include "machine/cancellation.h"
#include "machine/error.h"
#include "machine/file_descriptor.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <sys/types.h>

namespace inspect {

struct FileWish {
  pid_t process = 0; ///< whose mounts the path may lead over
  std::string root;  ///< "/proc/PID/root"; empty: our own
  std::string path;
  /// The device of the file where the path leads straight to it, as the links of /proc do.
  std::optional<std::uint64_t> device{};
  /// Opened with these rights and no others; they must outlive the call.
  const FileRights *rights = nullptr;
  std::string shown{}; ///< how errors call it; empty: `path`
};

/// The executable of a process; `shown` is its path for errors.
FileWish executable_of(pid_t process, std::string shown);

struct FoundFile {
  FileDescriptor descriptor;
  struct stat status {}; ///< of the file itself, also where the descriptor is of a copy
};

/// Copies in memory are no larger, each; further ones end where a quarter of what the machine has left would be used.
constexpr std::uint64_t max_copied_file = 512ULL << 20;

class FileOpener {
public:
  FileOpener();
  ~FileOpener();
  FileOpener(const FileOpener &) = delete;
  FileOpener &operator=(const FileOpener &) = delete;

  /// A regular file, for reading. not_found, not_permitted and others with their errno. Without one: timed_out, with a
  /// sentence that names file and file system; cancelled; unsupported, too large to be copied. May be called by several
  /// threads.
  Result<FoundFile> open(const FileWish &wish);
  /// What open() would say of the file, which is not read; for wishes without rights.
  Result<struct stat> look(const FileWish &wish);
  /// Whether a device, as maps names it, is known to be of a file system that can stop answering. Nothing is touched.
  bool is_remote(pid_t process, std::uint64_t device);
  /// Ends waits with cancelled; it must outlive this object. Null: waits end by their time alone.
  void cancel_with(const Cancellation *cancellation);
  /// Asks mounts again that did not answer.
  void forget_silence();

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace inspect
