// Small programs that tests compile on the spot, each by a compiler and with flags that write DWARF differently, and
// the folders they live in until the test ends.
//
//     const TemporaryDirectory folder;
//     if (!have("clang++")) SKIP_TEST("clang++ is not installed");
//     const std::string program = build_program(folder, "clang++ -O2 -g");
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace inspect::test {

/// A folder that goes with all its files when its owner ends.
class TemporaryDirectory {
public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory &) = delete;
  TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;
  ~TemporaryDirectory();
  const std::string &path() const { return path_; }
  /// Writes a file and returns its path.
  std::string write(std::string_view name, std::string_view content, unsigned mode = 0644) const;

private:
  std::string path_;
};

/// Whether a program is found through PATH.
bool have(std::string_view program);

/// Two C++ units with inlined, cold and templated functions, linked by `compiler_and_flags`. Throws with the compiler's
/// words where that fails.
std::string build_program(const TemporaryDirectory &folder, const std::string &compiler_and_flags);

/// What a command prints, and its exit status (or 128 and the signal).
struct CommandOutput {
  std::string text;
  int status = 0;
};
CommandOutput run_command(const std::vector<std::string> &command);
std::vector<std::string> split_lines(std::string_view text);

} // namespace inspect::test
