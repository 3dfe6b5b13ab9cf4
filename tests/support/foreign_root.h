// A folder of a test's own, and what is needed to make it the root of another process: copies of programs with the
// libraries that they load, debug files; and how to reach processes behind a launcher such as unshare(1).
//
//     TemporaryFolder folder;
//     copy_with_libraries(fixture_path("library_host"), folder / "root", "/app/server");
//     ChildProcess contained({"unshare", "--mount", "chroot", folder / "root", "/app/server", …});
#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace inspect::test {

/// Gone with all it holds at the end of the scope. Everyone may look into it.
class TemporaryFolder {
public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;
  ~TemporaryFolder();

  std::string path() const { return path_.string(); }
  std::string operator/(const std::string &below) const { return (path_ / below).string(); }

private:
  std::filesystem::path path_;
};

/// Copies a file, making the folders that are missing and replacing what is there by a new file.
void copy_file_to(const std::string &from, const std::string &to);

/// Puts a program at `inside` below `root`, and the libraries that ldd(1) lists for it at their own paths below `root`.
void copy_with_libraries(const std::string &program, const std::string &root, const std::string &inside);

/// Moves the debugging information of `file` to <root>/usr/lib/debug/.build-id/, as distributions do. False where
/// objcopy or readelf is missing, or the file has no build-id.
bool separate_debug_file(const std::string &file, const std::string &root);

/// Whether this command succeeds: for what a test needs of the machine.
bool can_run(const std::vector<std::string> &command);

} // namespace inspect::test
