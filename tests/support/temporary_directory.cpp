#include "tests/support/temporary_directory.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace inspect::test {

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "inspect-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored; // a folder left behind in the temporary directory harms no test
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::write(std::string_view name, std::string_view content, unsigned mode) const {
  const std::string path = *this / name;
  std::ofstream(path, std::ios::binary) << content;
  if (::chmod(path.c_str(), mode) != 0)
    throw std::runtime_error("cannot write " + path);
  return path;
}

FileDescriptor file_in_memory(std::string_view content) {
  FileDescriptor file(::memfd_create("content", MFD_CLOEXEC));
  if (::pwrite(file.get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size()))
    throw std::runtime_error("cannot write a file in memory");
  return file;
}

} // namespace inspect::test
