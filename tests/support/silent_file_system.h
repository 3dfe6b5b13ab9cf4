// A file system of the test's own that can stop answering: FUSE, spoken by a child process over /dev/fuse, with one
// file in it. What it has taken and not answered by then is waited for beyond SIGKILL, until its server ends; that is
// what this object's end brings about, whatever happened before.
//
//     if (!SilentFileSystem::possible()) SKIP_TEST("…");
//     SilentFileSystem files(fixture_path("guest_old.so"));
//     … files.file() …
//     files.fall_silent();
//
// Source: the kernel's include/uapi/linux/fuse.h.
#pragma once

#include "tests/support/child_process.h"
#include "tests/support/temporary_directory.h"

#include <atomic>
#include <memory>
#include <string>

namespace inspect::test {

class SilentFileSystem {
public:
  /// Whether such a mount can be made here: root, and /dev/fuse.
  static bool possible();

  /// Serves the bytes of `content` as the file "plugin.so".
  explicit SilentFileSystem(const std::string &content);
  SilentFileSystem(const SilentFileSystem &) = delete;
  SilentFileSystem &operator=(const SilentFileSystem &) = delete;
  ~SilentFileSystem();

  std::string folder() const { return folder_ / "mount"; }
  std::string file() const { return folder() + "/plugin.so"; }
  /// From now on no request is answered, but those to close files.
  void fall_silent();
  /// How many requests were taken and not answered.
  int unanswered() const;

private:
  struct Shared {
    std::atomic<bool> silent{false};
    std::atomic<int> unanswered{0};
  };
  TemporaryDirectory folder_;
  Shared *shared_ = nullptr; ///< in memory that the server sees, too
  std::unique_ptr<ChildProcess> server_;
};

} // namespace inspect::test
