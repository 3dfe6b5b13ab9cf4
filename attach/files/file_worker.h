// A process that opens and reads files for us, so that a file system that stops answering holds it and not us. A thread
// would not do: a request that a FUSE daemon has taken and never answers is waited for beyond SIGKILL (the kernel's
// fs/fuse/dev.c, request_wait_answer), and a process does not end before its last thread does. Of this one we need not
// see the end.
//
// It is a forked copy of this program that closes all files but its socket, ignores what signals it can, and ends with
// us. One request at a time.
//
//     auto worker = FileWorker::start();
//     auto found = (*worker)->open("/proc/42/root", "/app/libx.so", nullptr, {2s});
//     auto file = (*worker)->pass({2s});              // the descriptor itself, of a local file
//     auto copied = (*worker)->copy(memory, {2s});    // or all of its bytes
#pragma once

#include "attach/procfs/file_rights.h"
#include "machine/cancellation.h"
#include "machine/error.h"
#include "machine/file_descriptor.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <sys/types.h>

namespace inspect {

/// How long to wait for a sign of life.
struct Patience {
  std::chrono::milliseconds limit{2000};
  const Cancellation *cancellation = nullptr; ///< looked at often
};

class FileWorker {
public:
  struct FoundFile {
    struct stat status {};
    std::uint64_t mount = 0; ///< the id of the mount that it is on; 0: unknown
  };

  static Result<std::unique_ptr<FileWorker>> start();
  ~FileWorker();
  FileWorker(const FileWorker &) = delete;
  FileWorker &operator=(const FileWorker &) = delete;

  /// False after it did not answer, or a wait for it was cancelled: another one is needed.
  bool usable() const { return usable_; }
  /// Opens a file as open_regular_file does (attach/files/regular_file.h); `root` empty: our own. What was opened
  /// before is closed. With `rights` it is the worker's last file. Failures of the file have their errno; timed_out and
  /// cancelled without one say that there was no answer.
  Result<FoundFile> open(const std::string &root, const std::string &path, const FileRights *rights,
                         const Patience &patience);
  /// The file that was opened last.
  Result<FileDescriptor> pass(const Patience &patience);
  /// Writes its content, holes as holes, to the empty file `into`, and closes it. Patience begins anew with each
  /// mebibyte, up to `total` for all. unsupported: it holds more than `max_bytes`.
  Result<void> copy(int into, std::uint64_t max_bytes, std::chrono::milliseconds total, const Patience &patience);

private:
  struct Request;
  struct Reply;
  FileWorker(pid_t process, FileDescriptor socket) : process_(process), socket_(std::move(socket)) {}
  [[noreturn]] static void serve(int socket);
  Result<void> send(const Request &request, int attached);
  Error lost(Error why);
  Result<Reply> receive(const Patience &patience, FileDescriptor *attached);

  pid_t process_;
  FileDescriptor socket_;
  bool usable_ = true;
};

} // namespace inspect
