// A folder that goes with all its files when its owner ends.
//
//     const TemporaryDirectory folder;
//     const std::string source = folder.write("a.cpp", "int main() {}");
#pragma once

#include "machine/file_descriptor.h"

#include <string>
#include <string_view>

namespace inspect::test {

class TemporaryDirectory {
public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory &) = delete;
  TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;
  ~TemporaryDirectory();
  const std::string &path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  /// Writes a file and returns its path.
  std::string write(std::string_view name, std::string_view content, unsigned mode = 0644) const;

private:
  std::string path_;
};

/// A file that has no name in any directory, with this content, open for reading and writing from its start.
FileDescriptor file_in_memory(std::string_view content);

} // namespace inspect::test
